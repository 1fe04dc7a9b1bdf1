"""Planted curves come back one by one: through gaps and crossings, not round bends."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from etpicker_plugin.engine.filaments.settings import trace_settings
from etpicker_plugin.engine.filaments.trace import trace

SETTINGS = trace_settings(80.0, 10.0, spacing=1.0)
"""Width 8, gap 40, shortest 24, least radius of curvature 80 voxels."""


def line(first, last):
    a, b = np.array(first, float), np.array(last, float)
    length = np.linalg.norm(b - a)
    return a + (b - a) * np.arange(0, length, 1.0)[:, None] / length


def ring(radius, first, last, centre=(20.0, 100.0, 90.0)):
    """Return points on a circle that is tilted about x."""
    turn = np.arange(first, last, 1.0 / radius)
    y, x = radius * np.sin(turn), radius * np.cos(turn)
    return np.array(centre) + np.stack([0.3 * y, np.sqrt(1 - 0.09) * y, x], 1)


def ridge(*curves, scatter=0.3, seed=0, score=0.8):
    """Return points that scatter about curves, with directions of either sign."""
    generator = np.random.default_rng(seed)
    tangents = [np.gradient(curve, axis=0) for curve in curves]
    directions = np.concatenate(tangents) + generator.normal(
        0, 0.15, (sum(map(len, curves)), 3)
    )
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    directions *= generator.choice([-1.0, 1.0], len(directions))[:, None]
    places = np.concatenate(curves)
    places = places + generator.normal(0, scatter, places.shape)
    return places, directions, generator.uniform(score - 0.1, score, len(places))


def traced(points, *, seed_score=0.5, settings=SETTINGS, **changed):
    return trace(*points, replace(settings, **changed), seed_score=seed_score)


def assert_along(filament, curve, *, ends=3.0, distance=1.0):
    at = np.linspace(0, filament.curve.length, 200)
    places = filament.curve.points(at)
    assert cKDTree(curve).query(places)[0].max() < distance + 1
    assert cKDTree(curve).query(places)[0].mean() < distance / 2
    for end in (curve[0], curve[-1]):
        assert np.linalg.norm(places[[0, -1]] - end, axis=1).min() < ends


def test_a_bent_filament_is_one_curve_in_order():
    curve = ring(120, -0.6, 0.9)
    (found,) = traced(ridge(curve))
    assert_along(found, curve)
    assert found.curve.length == pytest.approx(len(curve), abs=5)
    steps = np.diff(found.curve.points(np.linspace(0, found.curve.length, 50)), axis=0)
    assert np.linalg.norm(steps, axis=1).std() < 0.05


@pytest.mark.parametrize("seed", range(3))
def test_a_faint_filament_of_which_two_points_in_five_are_there_is_traced(seed):
    """Directions scatter by some 25°."""
    curve = ring(150, -0.4, 0.5)
    places, directions, scores = ridge(curve, scatter=0.5, seed=seed)
    generator = np.random.default_rng(seed + 10)
    kept = generator.choice(len(places), 2 * len(places) // 5, replace=False)
    directions = directions + generator.normal(0, 0.25, directions.shape)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    found = traced((places[kept], directions[kept], scores[kept]))
    lengths = [f.curve.length for f in found]
    # With 3 instead of 5 spacings to the next point it was 0, 26 and 45 of 135.
    assert sum(lengths) > 0.45 * len(curve)
    assert len(found) <= 2


def test_two_crossing_filaments_stay_two():
    first, second = line((10, 20, 10), (30, 80, 130)), line((20, 90, 20), (20, 10, 120))
    found = traced(ridge(first, second))
    assert len(found) == 2
    for curve in (first, second):
        own = min(found, key=lambda f: cKDTree(curve).query(f.places)[0].mean())
        assert_along(own, curve)


def test_neighbours_a_width_apart_stay_apart():
    first, second = line((20, 30, 10), (30, 34, 120)), line((20, 39, 10), (30, 43, 120))
    found = traced(ridge(first, second))
    assert len(found) == 2
    ends = sorted(f.places[0, 1] for f in found)
    np.testing.assert_allclose(ends, [30, 39], atol=1.5)


def test_a_gap_is_bridged_up_to_its_length():
    curve = ring(120, -0.6, 0.9)
    far = np.arange(len(curve))
    short, long = ((far < 80) | (far > 80 + gap) for gap in (30, 55))
    (found,) = traced(ridge(curve[short]))
    assert_along(found, curve)
    assert len(traced(ridge(curve[long]))) == 2
    (found,) = traced(ridge(curve[long]), gap=70.0)
    assert_along(found, curve, distance=1.5)


def test_a_bend_beyond_the_limit_is_cut():
    turn = ring(16, -np.pi / 2, np.pi / 2, centre=(20.0, 50.0, 80.0))
    arms = [line((15.2, 34.7, 10), turn[0]), line(turn[-1], (24.8, 65.3, 10))]
    curve = np.concatenate([arms[0][:-1], turn, arms[1][1:]])
    found = traced(ridge(curve))
    assert len(found) == 2
    for filament in found:
        at = np.linspace(0, filament.curve.length, 60)
        tangents = filament.curve.tangents(at)
        assert np.sum(tangents[0] * tangents[-1]) > 0
    (whole,) = traced(ridge(curve), min_radius=12.0)
    assert_along(whole, curve)


def test_the_order_and_the_signs_of_the_points_do_not_count():
    curves = ring(120, -0.6, 0.9), line((20, 90, 20), (20, 10, 120))
    places, directions, scores = ridge(*curves)
    scores = scores.round(1)  # many are equal
    generator = np.random.default_rng(5)
    order = generator.permutation(len(places))
    signs = generator.choice([-1.0, 1.0], len(places))[:, None]
    first = traced((places, directions, scores))
    second = traced((places[order], (signs * directions)[order], scores[order]))
    assert len(first) == len(second) == 2
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.places, b.places)
        np.testing.assert_array_equal(a.place_scores, b.place_scores)


def test_what_is_short_weak_or_scattered_is_no_filament():
    assert traced(ridge(line((5, 5, 5), (5, 5, 26)))) == []
    assert traced(ridge(line((5, 5, 5), (5, 5, 90)), score=0.45)) == []
    generator = np.random.default_rng(2)
    places = generator.uniform(0, 60, (300, 3))
    directions = generator.normal(size=(300, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    assert traced((places, directions, np.full(300, 0.9))) == []
    assert traced((np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0))) == []


def test_a_filament_is_followed_where_it_is_weak():
    curve = line((5, 5, 5), (40, 60, 90))
    places, directions, scores = ridge(curve)
    scores[60:] = 0.3
    (found,) = traced((places, directions, scores))
    assert_along(found, curve)
    ends = found.scores(curve[[10, 100]], SETTINGS.width)
    np.testing.assert_allclose(ends, [0.75, 0.3], atol=0.06)


def test_the_surest_comes_first():
    short, long = line((5, 5, 5), (5, 5, 60)), line((30, 5, 5), (30, 90, 90))
    found = traced(ridge(short, long))
    assert [round(f.curve.length) > 80 for f in found] == [True, False]


def test_one_that_ends_does_not_go_over_into_another_behind_a_gap():
    ending, other = line((0, 10, 10), (0, 60, 60)), line((0, 80, 68), (0, 180, 62))
    found = traced(ridge(ending, other))

    assert len(found) == 2
    assert_along(found[0], other)
    assert_along(found[1], ending)


def test_bands_that_run_into_each_other_where_they_cross_go_straight_on():
    """About the crossing the ridge lies between the two, and is that of neither."""
    one, other = line((0, 45, 10), (0, 115, 170)), line((0, 115, 10), (0, 45, 170))
    apart = [curve[np.abs(curve[:, 2] - 90) > 10] for curve in (one, other)]
    between = line((0, 80, 81), (0, 80, 99))
    found = trace(*ridge(*apart, between), SETTINGS, seed_score=0.5, is_flat=True)

    assert len(found) == 2
    for curve in (one, other):
        (own,) = (f for f in found if np.abs(f.places[0] - curve[0]).max() < 5)
        assert_along(own, curve)
