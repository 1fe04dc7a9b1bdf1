"""The wedge against tilted planes, and against a tilt series of our own."""

import numpy as np
import pytest

from etpicker_plugin.engine.simulation.imaging import (
    detector_width,
    projection_matrix,
)
from etpicker_plugin.engine.subtomograms.wedge import missing_wedge


def at(wedge, *, x=0, y=0, z=0):
    centre = wedge.shape[0] // 2
    return wedge[centre + z, centre + y, centre + x]


def test_planes_of_a_lopsided_range():
    wedge = missing_wedge(20, tilt_range=(-30, 50))

    assert wedge.shape == (20, 20, 20)
    assert wedge.dtype == np.float32
    assert set(np.unique(wedge)) == {0.0, 1.0}
    # tan 45° = 1 is measured on one side alone; both directions of a plane agree.
    assert at(wedge, x=5, z=5) == at(wedge, x=-5, z=-5) == 1
    assert at(wedge, x=5, z=-5) == at(wedge, x=-5, z=5) == 0
    # tan 30° = 0.577, tan 50° = 1.19
    assert at(wedge, x=7, z=-4) == 1
    assert at(wedge, x=7, z=-5) == 0
    assert at(wedge, x=6, z=7) == 1
    assert at(wedge, x=6, z=8) == 0
    assert at(wedge, y=9) == at(wedge) == at(wedge, x=1, y=8) == 1
    assert at(wedge, z=3) == at(wedge, y=4, z=1) == 0


def test_axis_x_exchanges_x_and_y():
    about_y = missing_wedge(16, tilt_range=(-40, 60), tilt_axis="y")
    about_x = missing_wedge(16, tilt_range=(-40, 60), tilt_axis="x")

    np.testing.assert_array_equal(about_x, about_y.transpose(0, 2, 1))
    assert (about_x != about_y).any()


def test_share_of_fourier_space():
    wedge = missing_wedge(64, tilt_range=(-60, 60))
    k = np.arange(64) - 32
    ball = (k[:, None, None] ** 2 + k[None, :, None] ** 2 + k**2) < 30**2

    assert wedge[ball].mean() == pytest.approx(120 / 180, abs=0.01)
    assert missing_wedge(16, tilt_range=(-90, 90)).all()


def test_tilt_series_fills_what_the_wedge_says():
    # Back-projections of a point from +20° to +50° alone: power only in that wedge.
    n = 33
    width = detector_width(n, n)
    point = np.zeros((n, n))
    point[16, 16] = 1
    volume = np.zeros(n * n)
    for tilt in np.deg2rad(np.arange(20, 51, 2.0)):
        project = projection_matrix(n, n, width, tilt)
        volume += project.T @ (project @ point.ravel())
    plane = np.zeros((32, 32))
    plane[:] = volume.reshape(n, n)[:32, :32]
    power = np.abs(np.fft.fftshift(np.fft.fft2(plane))) ** 2
    wedge = missing_wedge(32, tilt_range=(20, 50))[:, 16, :]
    mirrored = missing_wedge(32, tilt_range=(-50, -20))[:, 16, :]

    k = np.arange(32) - 16
    ring = (np.hypot(k[:, None], k) > 3) & (np.hypot(k[:, None], k) < 10)
    inside, beside = (power[ring & (w > 0)].mean() for w in (wedge, mirrored))
    assert inside > 20 * beside
