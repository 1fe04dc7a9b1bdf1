"""Drawing boxes, averages and the FSC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from etpicker_plugin.engine.literal_text import literal
from etpicker_plugin.engine.newer_python import zip_strict

CRITERION = 0.143
CURVES = {
    "corrected": ("corrected for the mask", "black", 2.0),
    "masked": ("masked", "tab:blue", 1.0),
    "unmasked": ("unmasked", "tab:green", 1.0),
    "randomised": ("phases randomised, masked", "tab:red", 1.0),
}
MONTAGE_COLUMNS = 8
SLAB_SHARE = 8
"""A slab is this part of the box thick: noise averages out, the particle stays."""


def draw_fsc(figure: Figure, fsc: Mapping[str, Any]) -> None:
    """Draw the curves over spatial frequency, and where the corrected one falls."""
    figure.clear()
    axes = figure.subplots()
    frequencies = fsc["curve"]["frequency_per_ang"]
    for name, (label, colour, width) in CURVES.items():
        values = np.array(fsc["curve"][name], dtype=float)
        axes.plot(frequencies, values, color=colour, lw=width, label=label)
    axes.axhline(CRITERION, color="grey", ls=":")
    axes.axvline(1 / fsc["resolution_ang"], color="grey", ls="--")
    ticks = axes.get_xticks()
    ticks = ticks[(ticks > 0) & (ticks <= frequencies[-1])]
    axes.set_xticks(ticks, [f"{1 / t:.0f}" for t in ticks])
    axes.set_xlabel("resolution [Å]")
    axes.set_ylabel("Fourier shell correlation")
    axes.set_xlim(0, frequencies[-1])
    axes.set_ylim(-0.1, 1.05)
    limit = ", the voxel size's limit" if fsc["at_nyquist"] else ""
    axes.set_title(f"{fsc['resolution_ang']:.1f} Å at FSC {CRITERION}{limit}")
    axes.legend(fontsize=8, frameon=False)
    literal(figure).tight_layout()


def draw_sections(figure: Figure, maps: Mapping[str, NDArray[np.floating]]) -> None:
    """Draw each map's three central slabs, one row for each: along z, y and x."""
    figure.clear()
    places = figure.subplots(len(maps), 3, squeeze=False)
    for row, (name, volume) in zip_strict(places, maps.items()):
        low, high = np.percentile(volume, (1, 99.8))
        for axes, axis, letter in zip_strict(row, range(3), "zyx"):
            slab = central_slab(volume, axis)
            axes.imshow(slab, cmap="gray", origin="lower", vmin=low, vmax=high)
            axes.set_title(f"{name}, along {letter}", fontsize=9)
            axes.axis("off")
    literal(figure).tight_layout()


def draw_montage(
    figure: Figure, boxes: Sequence[NDArray[np.floating]], names: Sequence[str]
) -> None:
    """Draw the central slab along z of each box."""
    figure.clear()
    rows = max(1, -(-len(boxes) // MONTAGE_COLUMNS))
    places = figure.subplots(rows, MONTAGE_COLUMNS, squeeze=False).ravel()
    for axes in places:
        axes.axis("off")
    for axes, box, name in zip(places, boxes, names):
        axes.imshow(central_slab(box, 0), cmap="gray", origin="lower")
        axes.set_title(name, fontsize=7)
    literal(figure).tight_layout()


def central_slab(volume: NDArray[np.floating], axis: int) -> NDArray[np.floating]:
    """Return the mean of the central slices along an axis."""
    size = volume.shape[axis]
    half = max(size // SLAB_SHARE // 2, 1)
    slices = range(size // 2 - half, size // 2 + half + 1)
    return np.asarray(np.take(volume, slices, axis=axis).mean(axis=axis))
