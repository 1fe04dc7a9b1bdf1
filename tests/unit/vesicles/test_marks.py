"""Marks of vesicles: radii that are missing or odd, and points on a membrane."""

import logging

import numpy as np
import pytest
from scipy.spatial import cKDTree

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.vesicles.marks import radii_ang, surface_points

CENTRE = (20.25, 31.5, 40.0)


def marks(radii):
    positions = [[5.0, 6 + i, 7.5] for i in range(len(radii))]
    return make_particles(
        "TS_1", positions, class_names="liposome", optional={"radius": radii}
    )


def test_points_lie_on_the_sphere_and_leave_no_gap():
    points = surface_points(CENTRE, 12.0, 1.5)

    distances = np.linalg.norm(points - CENTRE, axis=1)
    np.testing.assert_allclose(distances, 12.0, atol=1e-9)
    np.testing.assert_allclose(points.mean(axis=0), CENTRE, atol=0.05)
    assert len(points) == int(np.ceil(4 * np.pi * 12**2 / 1.5**2))
    tree = cKDTree(points)
    nearest = tree.query(points, k=2)[0][:, 1]
    assert nearest.min() > 0.7 * 1.5
    generator = np.random.default_rng(3)
    anywhere = generator.normal(size=(5000, 3))
    anywhere *= 12.0 / np.linalg.norm(anywhere, axis=1, keepdims=True)
    assert tree.query(anywhere + CENTRE)[0].max() < 1.5


def test_only_points_in_the_volume_are_kept():
    points = surface_points((2.0, 31.5, 40.0), 12.0, 2.0, shape_zyx=(10, 50, 45))

    whole = surface_points((2.0, 31.5, 40.0), 12.0, 2.0)
    inside = ((whole > -0.5) & (whole < np.array([10, 50, 45]) - 0.5)).all(axis=1)
    assert 0 < inside.sum() < len(whole)
    np.testing.assert_array_equal(points, whole[inside])
    assert len(surface_points((99.0, 9.0, 9.0), 12.0, 2.0, shape_zyx=(10, 50, 45))) == 0


def test_a_missing_radius_is_half_the_diameter():
    found = radii_ang(marks([310.0, np.nan, 270.0]), diameter_ang=600.0)
    np.testing.assert_array_equal(found, [310, 300, 270])
    bare = make_particles("TS_1", [[1, 2, 3]], class_names="liposome")
    np.testing.assert_array_equal(radii_ang(bare, diameter_ang=600.0), [300])


@pytest.mark.parametrize("radius", [-30.0, 0.0])
def test_a_radius_that_is_none_is_refused(radius):
    with pytest.raises(InputDataError, match=r"liposome at x, y, z = 7.5, 7.0, 5.0"):
        radii_ang(marks([300.0, radius]), diameter_ang=600.0)


def test_radii_that_look_like_diameters_are_doubted(caplog):
    with caplog.at_level(logging.WARNING):
        radii_ang(marks([300.0, 320.0, 290.0, np.nan]), diameter_ang=600.0)
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        radii_ang(marks([600.0, 640.0, 580.0, np.nan]), diameter_ang=600.0)
    assert "twice what the diameter of 600 Å says" in caplog.text
    assert "TS_1, liposome" in caplog.text
