"""Filaments as curves: their course, what is near a slice, and what the mouse hits."""

import numpy as np

from etpicker_plugin.window.drawing.slices import X, Z
from etpicker_plugin.window.drawing.traces import (
    Trace,
    course_of,
    hit_trace,
    near_slice,
    runs,
    thinned,
)

POINTS = np.array([[4.0, 10, 20], [4, 10, 32], [16, 10, 32]])


def trace(points, width=4.0):
    course, gaps = course_of(points)
    return Trace(
        name="a",
        class_name="mt",
        ids=np.arange(len(points)),
        points_zyx=points,
        course_zyx=course,
        gaps=gaps,
        width_vox=width,
        colour="#ffffff",
    )


def test_a_course_goes_through_the_points_in_their_order():
    made = trace(POINTS)
    np.testing.assert_allclose(made.course_zyx[[0, -1]], POINTS[[0, -1]])
    nearest = np.linalg.norm(made.course_zyx - POINTS[1], axis=1)
    assert nearest.min() < 0.5
    assert np.linalg.norm(np.diff(made.course_zyx, axis=0), axis=1).max() < 1.6
    # A point before the second for the first stretch, before the third for the other.
    assert made.gaps[0] == 1
    assert made.gaps[-1] == 2
    assert abs(int(np.argmax(made.gaps == 2)) - int(nearest.argmin())) <= 1


def test_points_in_one_place_or_alone_are_drawn_too():
    twice = np.array([[1.0, 2, 3], [1, 2, 3], [1, 2, 9]])
    course, gaps = course_of(twice)
    assert set(gaps.tolist()) == {2}
    np.testing.assert_allclose(course[-1], [1, 2, 9])
    assert course_of(twice[:1])[0].tolist() == [[1, 2, 3]]


def test_what_is_near_a_slice_is_what_half_the_width_reaches():
    made = trace(np.array([[z, 10.0, 20] for z in (0.0, 5, 10)]), width=6.0)
    near = near_slice(made, made.course_zyx, axis=Z, index=4)
    heights = made.course_zyx[near][:, 0]
    assert heights.min() >= 0.999
    assert heights.max() <= 7.001
    assert [(r.start, r.stop) for r in runs(np.array([0, 1, 1, 0, 1], bool))] == [
        (1, 4),
        (4, 6),
    ]


def test_the_mouse_hits_a_curve_near_the_slice_only():
    made = [trace(POINTS, width=4.0)]
    hit = hit_trace(made, (26.0, 10.5), axis=Z, index=4, slack=3.0)
    assert (hit.name, hit.gap) == ("a", 1)
    assert hit_trace(made, (26.0, 10.5), axis=Z, index=14, slack=3.0) is None
    assert hit_trace(made, (26.0, 30.0), axis=Z, index=4, slack=3.0) is None
    # Across x, the view's axes are z and y.
    hit = hit_trace(made, (12.0, 10.0), axis=X, index=32, slack=3.0)
    assert hit.gap == 2


def test_a_course_is_thinned_to_what_is_seen_and_keeps_its_ends():
    assert thinned(10, scale=4.0).tolist() == list(range(10))
    assert thinned(10, scale=1.0).tolist() == [0, 4, 8, 9]
    assert thinned(9, scale=0.5).tolist() == [0, 8]
    assert thinned(1, scale=0.5).tolist() == [0]
