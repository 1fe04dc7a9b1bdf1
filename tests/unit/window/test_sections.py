import numpy as np
import pytest

from etpicker_plugin.window.drawing.sections import cut_spheres
from etpicker_plugin.window.drawing.slices import X, Y, Z

POSITIONS = np.array([[10.0, 20.0, 30.0], [14.0, 5.0, 6.0], [40.0, 20.5, 33.0]])
RADII = np.array([5.0, 5.0, 9.0])
ALL = np.arange(3)


@pytest.mark.parametrize(
    ("axis", "index", "ids", "centres", "radii"),
    [
        # Pick 1 is 4 above the slice: a 3-4-5 triangle.
        (Z, 10, [0, 1], [[30, 20], [6, 5]], [5, 3]),
        # xz: rightwards x, upwards z.
        (Y, 20.5, [0, 2], [[30, 10], [33, 40]], [np.sqrt(24.75), 9]),
        # zy: rightwards z, upwards y.
        (X, 30, [0, 2], [[10, 20], [40, 20.5]], [5, np.sqrt(72)]),
    ],
)
def test_circles_by_hand(axis, index, ids, centres, radii):
    found = cut_spheres(POSITIONS, RADII, ALL, axis=axis, index=index)
    assert found.ids.tolist() == ids
    np.testing.assert_allclose(found.centres, centres)
    np.testing.assert_allclose(found.radii, radii)
    np.testing.assert_allclose(found.heights, POSITIONS[ids, axis] - index)


def test_only_those_asked_for():
    some = np.array([1, 2])
    found = cut_spheres(POSITIONS[some], RADII[some], some, axis=Z, index=10)
    assert found.ids.tolist() == [1]
    assert found.centres.tolist() == [[6, 5]]


def test_a_touched_pole_is_left_out():
    at = cut_spheres(POSITIONS, RADII, ALL, axis=Z, index=10 - 4.84)
    beyond = cut_spheres(POSITIONS, RADII, ALL, axis=Z, index=10 - 4.85)
    assert (at.ids.tolist(), beyond.ids.tolist()) == ([0], [])


def test_the_nearest_circle_that_holds_the_point():
    found = cut_spheres(
        np.array([[0, 0, 0], [0, 0, 6.0]]),
        np.array([5.0, 5.0]),
        ALL[:2],
        axis=Z,
        index=0,
    )
    assert found.nearest((2.9, 0), slack=0) == 0
    assert found.nearest((3.1, 0), slack=0) == 1
    assert found.nearest((0, 5.1), slack=0) is None
    assert found.nearest((0, 5.1), slack=6) == 0
    nothing = cut_spheres(POSITIONS[:0], RADII[:0], ALL[:0], axis=Z, index=0)
    assert nothing.nearest((0, 0), slack=9) is None
