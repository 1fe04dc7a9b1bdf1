"""The pictures of a report that only filaments and membranes have."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from etpicker_plugin.engine.verdict.curved.found import Curved
from etpicker_plugin.engine.verdict.curved.off_axis import OffAxis


def draw_sections(curved: Curved) -> Figure:
    """Draw each set's mean section as its points lie."""
    count = len(curved.off_axis)
    figure = Figure(figsize=(2.6 * count + 0.8, 3.0), layout="constrained")
    panels = figure.subplots(1, count, squeeze=False)[0]
    for axes, (name, found) in zip(panels, curved.off_axis.items(), strict=True):
        _draw_section(axes, found, curved.section_voxel_size)
        axes.set_title(name, fontsize="small")
    return figure


def _draw_section(axes: Axes, found: OffAxis, voxel_size: float) -> None:
    size = found.section.shape[-1]
    places = (np.arange(size) - size // 2) * voxel_size
    if found.section.ndim == 1:
        axes.plot(places, found.section)
        axes.axvline(0, color="0.6", linewidth=0.8)
        axes.set(xlabel="along the normal (Å)", ylabel="density")
        return
    low, high = places[0] - voxel_size / 2, places[-1] + voxel_size / 2
    axes.imshow(
        found.section, cmap="gray", origin="lower", extent=(low, high, low, high)
    )
    axes.plot(0, 0, "+", color="C3", markersize=12)
    axes.set(xlabel="x of the average (Å)", ylabel="y (Å)")
