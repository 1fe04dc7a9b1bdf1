"""Pictures along filaments and round vesicles: what is planted lies where it must."""

from dataclasses import dataclass

import numpy as np
import pytest

from etpicker_plugin.window.aids.strips import (
    along_filament,
    round_vesicle,
    sample,
    shell_of_vesicle,
)

SHAPE = (37, 61, 83)


@dataclass
class Planted:
    """A volume in memory that notes what was read of it."""

    voxels: np.ndarray
    most_read: int = 0

    @property
    def shape_zyx(self):
        return self.voxels.shape

    def read(self, box):
        found = self.voxels[box]
        self.most_read = max(self.most_read, found.size)
        return found


def grid():
    return np.stack(np.indices(SHAPE), axis=-1).astype(float)


def tube(places, *, width=2.0):
    """A volume that is 1 on a line of places, and falls off beside it."""
    from scipy.spatial import cKDTree

    distance, _ = cKDTree(places).query(grid())
    return np.exp(-((distance / width) ** 2)).astype(np.float32)


def bend(count):
    """Places on an arc that rises: no axis of it is one of the volume's."""
    t = np.linspace(0, 1, count)
    return np.stack([8 + 18 * t, 12 + 30 * t**2, 10 + 62 * t], axis=1)


def test_a_right_trace_is_straight_in_both_sections():
    volume = Planted(tube(bend(2000)))
    for strip in along_filament(volume, bend(7), width_vox=6.0):
        middle = strip.values.shape[0] // 2
        inner = strip.values[:, 4:-4]
        assert (inner.argmax(axis=0) == middle).all()
        assert inner[middle].min() > 0.8
        assert strip.guides == (middle - 3, middle + 3)
        assert len(strip.ticks) == 7
        np.testing.assert_allclose(strip.columns_zyx[0], bend(7)[0], atol=0.6)
    assert volume.most_read < volume.voxels.size / 2


def test_a_trace_beside_the_filament_shows_on_which_side():
    straight = np.array([[18.0, 30, x] for x in np.linspace(10, 70, 500)])
    volume = Planted(tube(straight))
    marks = np.array([[18.0, 30, 12], [18, 30, 40], [18, 30, 68]])
    for shift, which in (((0, 4, 0), 0), ((3, 0, 0), 1)):
        strips = along_filament(volume, np.add(marks, shift), width_vox=6.0)
        rows = [s.values.argmax(axis=0) - s.values.shape[0] // 2 for s in strips]
        assert set(np.abs(rows[which]).tolist()) == {max(shift)}
        assert set(rows[1 - which].tolist()) == {0}


def test_what_lies_outside_is_no_number():
    volume = Planted(np.ones(SHAPE, np.float32))
    marks = np.array([[1.0, 30, 12], [1, 30, 60]])
    flat, upright = along_filament(volume, marks, width_vox=6.0)
    assert np.isfinite(flat.values).all()
    assert np.isnan(upright.values).any()
    found = sample(volume, np.array([[-1.0, 5, 5], [0, 5, 5], [36.4, 60.4, 82.4]]))
    np.testing.assert_equal(found, [np.nan, 1, 1])


def test_values_between_voxels():
    z, y, x = np.moveaxis(grid(), -1, 0)
    volume = Planted((z + 10 * y - 3 * x).astype(np.float32))
    places = np.array([[[3.25, 7.5, 20.75]], [[30, 2.125, 61.5]]])
    wanted = places @ [1, 10, -3]
    np.testing.assert_allclose(sample(volume, places), wanted, rtol=1e-5)


def test_round_a_right_vesicle_the_membrane_is_straight():
    centre = np.array([17.0, 29.5, 40.25])
    distance = np.linalg.norm(grid() - centre, axis=-1)
    volume = Planted(np.exp(-((distance - 10.0) ** 2)).astype(np.float32))
    for strip in round_vesicle(volume, centre, radius_vox=10.0):
        (guide,) = strip.guides
        assert np.abs(strip.values.argmax(axis=0) - guide).max() <= 0.5
        assert strip.values.shape[1] == 63
        radii = np.linalg.norm(strip.columns_zyx - centre, axis=1)
        np.testing.assert_allclose(radii, 10.0)
    moved = round_vesicle(volume, np.add(centre, (0, 2, 0)), radius_vox=10.0)[0]
    rows = moved.values.argmax(axis=0) - moved.guides[0]
    quarter = len(rows) // 4  # Towards y: the membrane is nearer there.
    assert rows[quarter] == pytest.approx(-2, abs=0.6)
    assert rows[3 * quarter] == pytest.approx(2, abs=0.6)


def test_a_spot_on_the_shell_is_at_its_longitude_and_latitude():
    centre = np.array([17.0, 29.0, 40.0])
    outwards = np.array([np.sin(0.5), np.cos(0.5) * np.sin(2), np.cos(0.5) * np.cos(2)])
    spot = centre + 13.0 * outwards
    near = np.linalg.norm(grid() - spot, axis=-1) < 2
    strip = shell_of_vesicle(Planted(near.astype(np.float32)), centre, radius_vox=13.0)
    rows, columns = np.nonzero(strip.values > 0.5)
    height, width = strip.values.shape
    assert rows.mean() / height * np.pi - np.pi / 2 == pytest.approx(0.5, abs=0.06)
    assert columns.mean() / width * 2 * np.pi == pytest.approx(2.0, abs=0.06)
