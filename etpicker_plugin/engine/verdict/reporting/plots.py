"""The report's pictures."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.comparison.diagram import draw_subsets
from etpicker_plugin.engine.comparison.joining import (
    IndexArray,
    count_subsets,
    subset_label,
    subsets_of,
)
from etpicker_plugin.engine.config.pick_sets import CONTROL
from etpicker_plugin.engine.verdict.reporting.result import Verdict

CONTROL_COLOUR = "0.55"
SMOOTHING_VOX = 0.7


def colours_of(verdict: Verdict) -> dict[str, str]:
    """Return each group's colour; the control is grey."""
    names = [n for n in verdict.groups if n != CONTROL]
    return {n: f"C{i % 10}" for i, n in enumerate(names)} | {CONTROL: CONTROL_COLOUR}


def draw_sets(names: Sequence[str], members: Mapping[str, IndexArray]) -> Figure:
    """Draw what sets share; ``members`` are per tomogram those of ``join_sets``."""
    counts: dict[str, int] = dict.fromkeys(
        [subset_label(s, names) for s in subsets_of(names)], 0
    )
    for table in members.values():
        for label, count in count_subsets(table, names).items():
            counts[label] += count
    by_subset = {s: counts[subset_label(s, names)] for s in subsets_of(names)}
    return draw_subsets(by_subset, names)


def draw_likelihoods(verdict: Verdict) -> Figure:
    """Draw the distributions of ratio and of raw log-likelihood side by side."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    ratio, raw = _two_panels(figure)
    colours = colours_of(verdict)
    values = {
        "log-likelihood ratio": (ratio, verdict.boxes.ratio),
        "log-likelihood as RELION gives it": (raw, verdict.boxes.log_likelihood),
    }
    for label, (axes, numbers) in values.items():
        for name in verdict.judged:
            _draw_density(axes, numbers[verdict.groups[name]], name, colours[name])
        axes.set(xlabel=label, ylabel="share of picks below")
        axes.grid(alpha=0.3)
    ratio.legend()
    return figure


def _two_panels(figure: Figure, widths: tuple[int, int] = (1, 1)) -> tuple[Axes, Axes]:
    grid = figure.add_gridspec(1, 2, width_ratios=widths)
    return figure.add_subplot(grid[0]), figure.add_subplot(grid[1])


def _draw_density(
    axes: Axes, values: NDArray[np.float64], name: str, colour: str
) -> None:
    """Draw a cumulative distribution: no bins to choose, any number of picks."""
    ordered = np.sort(values)
    share = (np.arange(len(ordered)) + 1) / max(len(ordered), 1)
    axes.step(
        ordered, share, where="post", color=colour, label=f"{name} ({len(ordered)})"
    )


def _lying(axes: Axes) -> dict[str, Any]:
    """Return how a box plot is told to lie down, by old Matplotlib or new."""
    is_new = "orientation" in inspect.signature(axes.boxplot).parameters
    return {"orientation": "horizontal"} if is_new else {"vert": False}


def draw_groups(verdict: Verdict) -> Figure:
    """Draw the ratio's median and quartiles of every group, whole sets first."""
    names = [n for n in verdict.groups if len(verdict.groups[n])]
    figure = Figure(figsize=(8, 1.2 + 0.45 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    drawn = axes.boxplot(
        [verdict.ratios(n) for n in names],
        **_lying(axes),
        showfliers=False,
        patch_artist=True,
        medianprops={"color": "k"},
    )
    colours = colours_of(verdict)
    for name, patch in zip(names, drawn["boxes"], strict=True):
        patch.set_facecolor(colours[name])
        patch.set_alpha(0.6)
    axes.set_yticks(
        range(1, len(names) + 1), [f"{n} ({len(verdict.groups[n])})" for n in names]
    )
    axes.invert_yaxis()
    limit = float(np.quantile(verdict.ratios(CONTROL), 0.95))
    axes.axvline(limit, color="0.4", linestyle="--")
    axes.set(xlabel="log-likelihood ratio")
    return figure


def draw_probabilities(verdict: Verdict) -> Figure:
    """Draw the cumulative distributions of the best probability and of the shifts."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    best, shifts = _two_panels(figure)
    colours = colours_of(verdict)
    lengths = np.linalg.norm(verdict.boxes.origins_vox, axis=1) * (
        verdict.geometry.box_voxel_size
    )
    for name in verdict.judged:
        rows = verdict.groups[name]
        _draw_density(best, verdict.boxes.best_probability[rows], name, colours[name])
        _draw_density(shifts, lengths[rows], name, colours[name])
    best.set(xlabel="maximum-value probability", ylabel="share of picks below")
    shifts.set(xlabel="shift found by the alignment (Å)")
    for axes in (best, shifts):
        axes.grid(alpha=0.3)
    best.legend()
    return figure


def draw_fsc(verdict: Verdict) -> Figure:
    """Draw the shell correlation of every set, and resolutions at equal numbers."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    curves, matched = _two_panels(figure, (3, 2))
    colours = colours_of(verdict)
    for name in verdict.judged:
        average = verdict.averages[name]
        shells = np.arange(1, len(average.curve))
        curves.plot(
            shells / verdict.geometry.box_ang * 1000,
            average.curve[1:],
            color=colours[name],
            label=f"{name} ({average.n})",
        )
    for threshold in (0.143, 0.5):
        curves.axhline(threshold, color="0.6", linewidth=0.8, linestyle="--")
    curves.axvspan(0, 1000 / verdict.geometry.join_ang, color="0.93")
    curves.axvline(1000 / verdict.geometry.lowpass_ang, color="0.4", linestyle=":")
    curves.set(xlabel="spatial frequency (1/1000 Å)", ylabel="FSC", ylim=(-0.3, 1.02))
    _label_in_angstrom(curves)
    curves.legend()
    for number, name in enumerate(verdict.judged):
        found = verdict.matched_resolutions(name)
        matched.plot([number] * len(found), found, "o", color=colours[name], alpha=0.6)
    matched.set_xticks(range(len(verdict.judged)), verdict.judged)
    drawn = f"{verdict.matched_n} boxes of each, redrawn"
    matched.set(
        ylabel="resolution (Å)",
        title=drawn if verdict.matched_n else "too few boxes for equal numbers",
    )
    matched.invert_yaxis()
    matched.grid(alpha=0.3, axis="y")
    return figure


def _label_in_angstrom(curves: Axes) -> None:
    """Write the resolution in Å above an axis of 1/1000 Å."""
    _, highest = curves.get_xlim()
    curves.set_xlim(0, highest)
    labels = curves.secondary_xaxis("top")
    shown = [d for d in (400, 200, 100, 70, 50, 40, 30, 20) if 1000 / d < highest]
    labels.set_xticks([1000 / d for d in shown], [str(d) for d in shown])
    labels.set_xlabel("resolution (Å)")


def draw_rosenthal(verdict: Verdict) -> Figure:
    """Draw 1/d² over ln N with the fitted lines."""
    figure = Figure(figsize=(7.5, 4.8), layout="constrained")
    axes = figure.add_subplot()
    colours = colours_of(verdict)
    for name in verdict.judged:
        points = [p for p in verdict.growth[name] if p.resolution_ang is not None]
        axes.plot(
            [p.n for p in points],
            [1e4 / (p.resolution_ang or 1) ** 2 for p in points],
            "o",
            color=colours[name],
            alpha=0.5,
            label=name,
        )
        fit = verdict.fits[name]
        if fit is not None and points:
            ends = np.array(sorted({p.n for p in points}), dtype=float)
            line = fit.slope * np.log(ends) + fit.intercept
            axes.plot(ends, 1e4 * line, color=colours[name])
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.set(xlabel="particles", ylabel="1/d² (10⁻⁴ Å⁻²)")
    low, high = axes.get_ylim()
    labels = axes.secondary_yaxis(
        "right",
        functions=(
            lambda v: np.sqrt(1e4 / np.maximum(v, 1e-6)),
            lambda d: 1e4 / np.maximum(d, 1e-6) ** 2,
        ),
    )
    labels.set_ylabel("d (Å)")
    shown = [d for d in (30, 40, 50, 60, 80, 100, 150, 200) if low < 1e4 / d**2 < high]
    labels.set_yticks(shown)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def draw_averages(
    verdict: Verdict, volumes: Mapping[str, NDArray[np.float32]]
) -> Figure:
    """Draw three middle slices of every ``(B, B, B)`` average, on one grey scale."""
    figure = Figure(figsize=(1.6 * len(volumes) + 0.8, 5.2), layout="constrained")
    panels = figure.subplots(3, len(volumes), squeeze=False)
    middle = verdict.geometry.box // 2
    shown = {n: ndimage.gaussian_filter(v, SMOOTHING_VOX) for n, v in volumes.items()}
    low, high = np.percentile(shown[verdict.best_set], [1, 99.7])
    for column, (name, volume) in enumerate(shown.items()):
        for row, axis in enumerate("zyx"):
            axes = panels[row, column]
            axes.imshow(
                np.take(volume, middle, axis=row),
                cmap="gray",
                vmin=low,
                vmax=high,
                origin="lower",
            )
            axes.set_xticks([])
            axes.set_yticks([])
            if not row:
                n = len(verdict.groups[name])
                axes.set_title(f"{name}\n{n} boxes", fontsize="small")
            if not column:
                axes.set_ylabel(f"across {axis}")
    return figure


def draw_origins(verdict: Verdict) -> Figure:
    """Draw each set's offset from the particles."""
    figure = Figure(
        figsize=(6.4, 1.4 + 0.9 * len(verdict.origins.offsets)), layout="constrained"
    )
    axes = figure.add_subplot()
    axes.axvspan(-0.7, 0.7, color="0.93")
    axes.axvline(0, color="0.6", linewidth=0.8)
    rows = []
    for number, (name, offset) in enumerate(verdict.origins.offsets.items()):
        for i, axis in enumerate("xyz"):
            row = 4 * number + i
            rows.append((row, f"{name}  {axis}"))
            axes.errorbar(
                offset.mean_xyz[i],
                row,
                xerr=offset.standard_error_xyz[i],
                fmt="o",
                capsize=3,
                color="C3" if axis in verdict.origins.alarming_axes(name) else "C0",
            )
    axes.set_yticks([r for r, _ in rows], [t for _, t in rows])
    axes.invert_yaxis()
    low, high = axes.get_xlim()
    axes.set(
        xlabel="pick minus particle (voxels)", xlim=(min(low, -1.2), max(high, 1.2))
    )
    return figure
