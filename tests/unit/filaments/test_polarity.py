"""Which way filaments go: told where they have one, and not where they have none."""

import numpy as np
import pytest

from etpicker_plugin.engine.filaments.curve import curve_through, frames
from etpicker_plugin.engine.filaments.polarity import (
    SURE,
    learn_section,
    tell_way,
    windows_along,
)
from etpicker_plugin.engine.filaments.straight import disc, read_along

WIDTH, PERIOD, LENGTH = 12.0, 8.5, 150


def straight(shape, *, slope, noise, phase, seed):
    """Return a volume with one filament along x, whose cones lean by ``slope``."""
    z, y, x = np.indices(shape).astype(float)
    distance = np.hypot(z - shape[0] // 2, y - shape[1] // 2)
    sleeve = np.exp(-((distance - 4.0) ** 2) / (2 * 2.0**2))
    cones = np.cos(2 * np.pi * (x - phase - slope * distance) / PERIOD)
    density = np.exp(-(distance**2) / 4) + 0.7 * sleeve * (0.5 + 0.5 * cones)
    return density + np.random.default_rng(seed).normal(0, noise, shape)


def windows_of(count, *, slope, noise=1.0, first_seed=0):
    """Return the windows of filaments that go along x, begun at any phase."""
    shape = (25, 23, LENGTH)
    found = []
    for number in range(count):
        volume = straight(
            shape,
            slope=slope,
            noise=noise,
            phase=2.3 * number,
            seed=first_seed + number,
        )
        curve = curve_through(np.array([[12.0, 11, 4], [12, 11, LENGTH - 5]]))
        found.append(
            windows_along(
                lambda low, high, volume=volume: padded(volume, low, high),
                curve,
                width_vox=WIDTH,
            )
        )
    return found


def padded(volume, low, high):
    """Return a box, 0 outside the volume."""
    beyond = [
        (max(0, -a), max(0, b - n))
        for a, b, n in zip(low, high, volume.shape, strict=True)
    ]
    inside = tuple(slice(max(a, 0), max(b, 0)) for a, b in zip(low, high, strict=True))
    return np.pad(volume[inside], beyond)


def turned(windows):
    """Return a filament's windows, seen the other way."""
    return windows[::-1, ::-1]


@pytest.fixture(scope="module")
def section():
    found = learn_section(windows_of(8, slope=0.9))
    assert found is not None
    return found


def test_a_straight_reading_keeps_the_places_across_a_curve():
    z, y, x = np.indices((31, 33, 41)).astype(float)
    volume = 100 * z + 10 * y + x
    curve = curve_through(np.array([[8.0, 20, 6], [14, 17, 20], [21, 15, 33]]))
    rows = read_along(lambda low, high: padded(volume, low, high), curve, radius_vox=4)
    lengths = np.arange(int(curve.length) + 1.0)
    points, tangents = curve.points(lengths), curve.tangents(lengths)
    across = frames(points, tangents)[:, ::-1, :2]
    places = points[:, :, None] + across @ disc(4)
    wanted = np.array([100.0, 10, 1]) @ places
    np.testing.assert_allclose(rows, wanted, atol=1e-9)


def test_the_way_of_others_is_told_both_ways_round(section):
    for windows in windows_of(4, slope=0.9, first_seed=50):
        assert tell_way(windows, section) >= SURE
        assert tell_way(turned(windows), section) <= 1 - SURE


def test_a_filament_without_a_way_teaches_none_and_is_told_none(section):
    assert learn_section(windows_of(8, slope=0.0)) is None
    told = [tell_way(w, section) for w in windows_of(8, slope=0.0, first_seed=90)]
    assert sum(1 - SURE < one < SURE for one in told) >= 7


def test_marks_in_no_order_teach_nothing():
    mixed = windows_of(8, slope=0.9)
    mixed[1::2] = [turned(windows) for windows in mixed[1::2]]
    mixed = [mixed[n] for n in (0, 1, 3, 2, 4, 6, 5, 7)]
    assert learn_section(mixed) is None


def test_few_or_short_ones_tell_nothing(section):
    assert learn_section(windows_of(3, slope=0.9, noise=0.1)) is None
    (windows,) = windows_of(1, slope=0.9, noise=0.1)
    assert np.isnan(tell_way(windows[:2], section))
