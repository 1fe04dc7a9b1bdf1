"""Tilts that the boxes contradict are told; those that they bear out are not."""

import numpy as np
import pytest

from etpicker_plugin.engine.subtomograms.wedge import missing_wedge
from etpicker_plugin.engine.subtomograms.wedge_check import (
    find_better_wedge,
    power_outside,
    whitened_power,
)


def make_boxes(tilt_range, axis, *, seed=0):
    """Return noise with a fall-off, as tilts about an axis would show it."""
    generator = np.random.default_rng(seed)
    wedge = missing_wedge(20, tilt_range=tilt_range, tilt_axis=axis)
    k = np.arange(20) - 10
    fall = np.exp(-(k[:, None, None] ** 2 + k[:, None] ** 2 + k**2) / 60)
    spectra = np.fft.fftn(generator.normal(size=(12, 20, 20, 20)), axes=(1, 2, 3))
    seen = spectra * np.fft.ifftshift(wedge * (fall + 0.05))
    return np.fft.ifftn(seen, axes=(1, 2, 3)).real.astype(np.float32)


@pytest.mark.parametrize(
    ("true_range", "true_axis", "stated_range", "stated_axis", "expected"),
    [
        ((-60, 60), "y", (-60, 60), "y", ""),
        ((-60, 60), "x", (-60, 60), "x", ""),
        ((-60, 60), "x", (-60, 60), "y", "tilt axis x, -60° to 60°"),
        ((-30, 65), "y", (-65, 30), "y", "tilt axis y, -30° to 65°"),
        ((-30, 65), "y", (-30, 65), "y", ""),
    ],
)
def test_another_wedge(true_range, true_axis, stated_range, stated_axis, expected):
    boxes = make_boxes(true_range, true_axis)

    found = find_better_wedge(boxes, tilt_range=stated_range, tilt_axis=stated_axis)

    assert found == expected


def test_boxes_that_were_filled_in_speak_for_none():
    boxes = np.random.default_rng(1).normal(size=(12, 20, 20, 20)).astype(np.float32)

    assert find_better_wedge(boxes, tilt_range=(-60, 60), tilt_axis="y") == ""
    power = whitened_power(boxes)
    wedge = missing_wedge(20, tilt_range=(-60, 60))
    assert power_outside(power, wedge) == pytest.approx(1, abs=0.1)
    assert power_outside(power, np.ones_like(wedge)) == 0.0
