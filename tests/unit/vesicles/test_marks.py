"""Marks of vesicles: radii that are missing or odd, and points on a membrane."""

import logging

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.vesicles.marks import radii_ang

CENTRE = (20.25, 31.5, 40.0)


def marks(radii):
    positions = [[5.0, 6 + i, 7.5] for i in range(len(radii))]
    return make_particles(
        "TS_1", positions, class_names="liposome", optional={"radius": radii}
    )


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
