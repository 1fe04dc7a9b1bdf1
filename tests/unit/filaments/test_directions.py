"""Marks of filaments get the direction of the curve through them."""

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.filaments.directions import oriented_along
from etpicker_plugin.engine.orientation import from_relion_angles
from etpicker_plugin.engine.particles import make_particles

STRAIGHT = np.array([[4.0, 10, 20], [6, 14, 28], [10, 22, 44]])
ARC = np.array([[7.0, 30 + 20 * np.sin(a), 20 * np.cos(a)] for a in (0, 0.4, 0.8, 1.2)])


def points(**values):
    return make_particles(
        "T",
        np.concatenate([STRAIGHT, ARC, [[1.0, 2, 3]]]),
        class_names=["mt"] * 7 + ["ribosome"],
        optional={"filament": ["a"] * 3 + ["b"] * 4 + [""], **values},
    )


def test_z_lies_along_the_curve_and_x_turns_little():
    turned = oriented_along(points()).rotations
    way = (STRAIGHT[1] - STRAIGHT[0])[::-1]
    np.testing.assert_allclose(turned[:3, :, 2], [way / np.linalg.norm(way)] * 3)
    np.testing.assert_allclose(turned[:3], turned[[0, 0, 0]], atol=1e-12)
    # In the middle of the arc the tangent is the circle's, (-sin a, cos a, 0) on xyz.
    np.testing.assert_allclose(
        turned[4, :, 2], [-np.sin(0.4), np.cos(0.4), 0], atol=0.02
    )
    np.testing.assert_allclose(np.linalg.det(turned[:7]), 1.0)
    assert np.isnan(turned[7]).all()


def test_what_is_known_stays():
    known = from_relion_angles([[10.0, 20, 30]] * 3 + [[np.nan] * 3] * 5)
    turned = oriented_along(points(rotation=known)).rotations
    np.testing.assert_array_equal(turned[:3], known[:3])
    assert np.isfinite(turned[3:7]).all()
    particles = points(filament=[""] * 8)
    assert oriented_along(particles) is particles


def test_one_point_alone_is_refused():
    with pytest.raises(InputDataError, match="filament 'a' has one point"):
        oriented_along(points().select(np.arange(2, 8)))
