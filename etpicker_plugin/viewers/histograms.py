"""Score histograms with the threshold, and bars of the metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from etpicker_plugin.constants import METRICS
from etpicker_plugin.engine.literal_text import literal

MOST_IN_ONE_COLUMN = 3


def draw_scores(
    figure: Figure,
    scores: Mapping[str, Sequence[float]],
    thresholds: Mapping[str, float],
) -> None:
    """Draw one histogram for each class, its threshold as a line."""
    figure.clear()
    columns = 1 if len(scores) < MOST_IN_ONE_COLUMN else 2
    rows = -(-len(scores) // columns)
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (name, values) in zip(places, scores.items()):
        _draw_histogram(axes, name, values, thresholds.get(name))
    for axes in places[len(scores) :]:
        axes.set_visible(False)
    literal(figure).tight_layout()


def _draw_histogram(
    axes: Axes, name: str, values: Sequence[float], threshold: float | None
) -> None:
    title = f"{name}: {len(values)} picks"
    bins = np.linspace(0, max(max(values, default=0.0), 1e-6), 41)
    axes.hist(values, bins=bins, color="tab:blue", edgecolor="white")
    if threshold is not None:
        axes.axvline(threshold, color="tab:red", ls="--")
        title += f", threshold {threshold:.3f}"
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("score")
    axes.set_ylabel("picks")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))


def draw_metrics(figure: Figure, metrics: Mapping[str, Mapping[str, float]]) -> None:
    """Draw those of ``METRICS`` that any class has as bars, class by class."""
    figure.clear()
    axes = figure.subplots()
    names = list(metrics)
    keys = [key for key in METRICS if any(key in found for found in metrics.values())]
    width = 0.8 / max(1, len(keys))
    for i, key in enumerate(keys):
        places = np.arange(len(names)) + (i - (len(keys) - 1) / 2) * width
        values = [metrics[name].get(key) or 0.0 for name in names]
        bars = axes.bar(places, values, width, label=METRICS[key])
        axes.bar_label(bars, fmt="%.2f", fontsize=7)
    axes.set_xticks(range(len(names)), names)
    axes.set_ylim(0, 1.12)
    axes.legend(ncols=max(1, len(keys)), fontsize=8, loc="upper center", frameon=False)
    literal(figure).tight_layout()
