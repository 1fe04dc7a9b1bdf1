"""The page's pictures: slices with picks and truth, and what the viewers draw."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from etpicker_plugin.engine.evaluation.matching import match_picks
from etpicker_plugin.engine.literal_text import literal
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.viewers.slices import class_colours, sections_at, slab_mean

FALSE_COLOUR = "#ff3030"
MISSED_COLOUR = "white"
SLAB_VOX = 5
SMOOTHING_VOX = 1.0
SLICES = 3


@dataclass(frozen=True, kw_only=True)
class Found:
    """One class of a tomogram: ``(N, 3)`` zyx picks and particles, and which pair."""

    picks_zyx: NDArray[np.float64]
    truth_zyx: NDArray[np.float64]
    is_true: NDArray[np.bool_]
    is_found: NDArray[np.bool_]
    radius_vox: float


def find_pairs(
    picks: Particles, truth: Particles, radii_vox: Mapping[str, float]
) -> dict[str, Found]:
    """Pair picks and particles of each class, at most a radius apart."""
    found = {}
    for name, radius in radii_vox.items():
        picked = picks.of_class(name).positions_zyx
        true = truth.of_class(name).positions_zyx
        pairs = match_picks(picked, true, max_distance=radius)
        is_true = np.zeros(len(picked), dtype=bool)
        is_found = np.zeros(len(true), dtype=bool)
        is_true[pairs.pick_indices] = True
        is_found[pairs.truth_indices] = True
        found[name] = Found(
            picks_zyx=picked,
            truth_zyx=true,
            is_true=is_true,
            is_found=is_found,
            radius_vox=radius,
        )
    return found


def draw_slices(data: NDArray[np.generic], found: Mapping[str, Found]) -> Figure:
    """Draw slices at several heights: as they are, and with picks and truth."""
    heights = choose_heights(data.shape[0], [f.truth_zyx for f in found.values()])
    wide = data.shape[2] / data.shape[1]
    figure = Figure(
        figsize=(9.2 * min(wide, 1.6), 4.4 * len(heights) + 0.4), layout="constrained"
    )
    places = figure.subplots(len(heights), 2, squeeze=False, sharex=True, sharey=True)
    for z, (plain, marked) in zip(heights, places, strict=True):
        image = gaussian_filter(slab_mean(data, z, SLAB_VOX), SMOOTHING_VOX)
        low, high = np.percentile(image, (0.5, 99.5))
        for axes in (plain, marked):
            axes.imshow(image, cmap="gray", vmin=low, vmax=high, origin="lower")
            axes.set_xlim(-0.5, image.shape[1] - 0.5)
            axes.set_ylim(-0.5, image.shape[0] - 0.5)
        draw_marks(marked, found, z)
        plain.set_ylabel(f"z = {z}        y [voxels]")
    places[0, 0].set_title("tomogram", fontsize="medium")
    places[0, 1].set_title("picks and truth", fontsize="medium")
    for axes in places[-1]:
        axes.set_xlabel("x [voxels]")
    figure.legend(handles=_legend(found), loc="outside lower center", ncols=5)
    return figure


def choose_heights(depth: int, truth: Sequence[NDArray[np.float64]]) -> list[int]:
    """Return heights near the most centres, at least a fifth of the depth apart."""
    centres = np.concatenate([t[:, 0] for t in truth]) if truth else np.zeros(0)
    nearness = [np.exp(-(((centres - z) / SLAB_VOX) ** 2)).sum() for z in range(depth)]
    heights: list[int] = []
    for z in np.argsort(-np.asarray(nearness), kind="stable"):
        if all(abs(z - other) >= depth / 5 for other in heights):
            heights.append(int(z))
        if len(heights) == SLICES:
            break
    return sorted(heights)


def draw_marks(axes: Axes, found: Mapping[str, Found], z: int) -> None:
    """Draw picks as circles, true centres as crosses, misses dashed."""
    colours = class_colours(list(found))
    for name, one in found.items():
        radius = one.radius_vox
        groups = (
            (one.picks_zyx[one.is_true], colours[name], "-"),
            (one.picks_zyx[~one.is_true], FALSE_COLOUR, "-"),
            (one.truth_zyx[~one.is_found], MISSED_COLOUR, "--"),
        )
        for positions, colour, line in groups:
            centres, radii = sections_at(positions, z, radius)
            _draw_circles(axes, centres, radii, colour, line)
        centres, _ = sections_at(one.truth_zyx, z, radius)
        axes.plot(*centres.T, "+", color=colours[name], ms=7, mew=1.2)


def _draw_circles(axes, centres, radii, colour, line) -> None:
    angles = np.linspace(0, 2 * np.pi, 61)
    for (x, y), radius in zip(centres, radii, strict=True):
        axes.plot(
            x + radius * np.cos(angles),
            y + radius * np.sin(angles),
            line,
            color=colour,
            lw=1.4,
        )


def _legend(found: Mapping[str, Found]) -> list[Line2D]:
    def ring(colour, label, line="-"):
        return Line2D([], [], color=colour, ls=line, label=label)

    rings = [ring(c, f"{n}, found") for n, c in class_colours(list(found)).items()]
    cross = Line2D([], [], ls="", marker="+", color="0.4", ms=8, label="true centre")
    return [
        *rings,
        cross,
        ring(FALSE_COLOUR, "false pick"),
        ring("0.6", "missed (white)", "--"),
    ]


def to_data_url(figure: Figure) -> str:
    """Return a figure as the source of an ``<img>``."""
    FigureCanvasAgg(literal(figure))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return encode_png(buffer.getvalue())


def encode_png(data: bytes) -> str:
    """Return a PNG as the source of an ``<img>``."""
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")
