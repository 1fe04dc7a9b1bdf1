"""The pictures of a report on micrographs."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from etpicker_plugin.engine.config.pick_sets import CONTROL
from etpicker_plugin.engine.verdict.flat.result import FlatVerdict
from etpicker_plugin.engine.verdict.flat.shares import ClassVerdict
from etpicker_plugin.engine.verdict.reporting.plots import CONTROL_COLOUR

COLUMNS = 7
GOOD, OTHER = "#1a7f37", "0.6"


def draw_classes(found: ClassVerdict) -> Figure:
    """Draw every class average, those that look like particles first."""
    order = found.order
    rows = -(-len(order) // COLUMNS)
    figure = Figure(figsize=(1.55 * COLUMNS, 2.0 * rows), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, number in zip(panels, order, strict=False):
        one = found.judged[number]
        resolution = one.model.resolution_ang
        known = "no resolution" if resolution is None else f"{resolution:.0f} Å"
        axes.set_axis_on()
        _show(axes, found.classification.averages[number])
        axes.set_title(f"{number + 1}", fontsize="small")
        axes.set_xlabel(
            f"{one.n_picks} : {one.n_control}\n{known}",
            fontsize="small",
        )
        for side in axes.spines.values():
            side.set(
                color=GOOD if one.is_of_particles else OTHER,
                linewidth=3 if one.is_of_particles else 1,
            )
    return figure


def draw_shares(verdict: FlatVerdict) -> Figure:
    """Draw every group's share in classes that look like particles."""
    names = [n for n in verdict.groups if len(verdict.groups[n])]
    figure = Figure(figsize=(8, 1.2 + 0.45 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    for place, name in enumerate(names):
        share = verdict.share(name)
        if share is None:
            continue
        low, high = share.interval
        axes.errorbar(
            100 * share.share,
            place,
            xerr=[[100 * (share.share - low)], [100 * (high - share.share)]],
            fmt="o",
            capsize=4,
            color=CONTROL_COLOUR if name == CONTROL else "C0",
        )
    axes.set_yticks(
        range(len(names)), [f"{n} ({len(verdict.groups[n])})" for n in names]
    )
    axes.invert_yaxis()
    axes.set(xlabel="in classes that look like particles (%)", xlim=(-2, 102))
    axes.grid(alpha=0.3, axis="x")
    return figure


def draw_means(verdict: FlatVerdict) -> Figure:
    """Draw the mean of every set's boxes, not turned, on one grey scale."""
    names = verdict.judged
    figure = Figure(figsize=(1.8 * len(names) + 0.4, 2.4), layout="constrained")
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    low, high = np.percentile(np.stack([verdict.means[n] for n in names]), [1, 99.9])
    for axes, name in zip(panels, names, strict=True):
        _show(axes, verdict.means[name], limits=(float(low), float(high)))
        axes.set_title(f"{name}\n{len(verdict.groups[name])} boxes", fontsize="small")
    return figure


def draw_profiles(verdict: FlatVerdict) -> Figure:
    """Draw the distributions of the rotational means' likelihood ratios."""
    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for place, name in enumerate(verdict.judged):
        ordered = np.sort(verdict.profile_ratio[verdict.groups[name]])
        axes.step(
            ordered,
            (np.arange(len(ordered)) + 1) / max(len(ordered), 1),
            where="post",
            color=CONTROL_COLOUR if name == CONTROL else f"C{place % 10}",
            label=f"{name} ({len(ordered)})",
        )
    axes.set(xlabel="log-likelihood ratio", ylabel="share of picks below")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def _show(
    axes: Axes,
    image: NDArray[np.floating],
    *,
    limits: tuple[float, float] | None = None,
) -> None:
    low, high = limits or (float(image.min()), float(image.max()))
    axes.imshow(
        image, cmap="gray", vmin=low, vmax=high, origin="lower", interpolation="bicubic"
    )
    axes.set_xticks([])
    axes.set_yticks([])
