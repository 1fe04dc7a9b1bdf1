"""Score histograms with the threshold, and bars of the metrics."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

METRICS = ("precision", "recall", "f1", "average_precision")


def draw_scores(
    figure: Figure,
    scores: Mapping[str, Sequence[float]],
    thresholds: Mapping[str, float],
) -> None:
    """Draw one histogram for each class, its threshold as a line."""
    figure.clear()
    rows = figure.subplots(len(scores), 1, squeeze=False, sharex=True)[:, 0]
    highest = max((max(s, default=1.0) for s in scores.values()), default=1.0)
    bins = np.linspace(0, max(highest, 1e-6), 41)
    for axes, (name, values) in zip(rows, scores.items(), strict=True):
        axes.hist(values, bins=bins, color="tab:blue", edgecolor="white")
        axes.set_title(f"{name}: {len(values)} picks", fontsize=10)
        axes.set_ylabel("picks")
        if name in thresholds:
            axes.axvline(thresholds[name], color="tab:red", ls="--")
            axes.annotate(
                f"threshold {thresholds[name]:.3f}",
                (thresholds[name], 0.95),
                xycoords=("data", "axes fraction"),
                xytext=(4, 0),
                textcoords="offset points",
                color="tab:red",
                fontsize=8,
                va="top",
            )
    rows[-1].set_xlabel("score")
    figure.tight_layout()


def draw_metrics(figure: Figure, metrics: Mapping[str, Mapping[str, float]]) -> None:
    """Draw precision, recall, F1 and average precision of each class as bars."""
    figure.clear()
    axes = figure.subplots()
    names = list(metrics)
    width = 0.8 / len(METRICS)
    for i, key in enumerate(METRICS):
        places = np.arange(len(names)) + (i - (len(METRICS) - 1) / 2) * width
        values = [metrics[name].get(key) or 0.0 for name in names]
        bars = axes.bar(places, values, width, label=key.replace("_", " "))
        axes.bar_label(bars, fmt="%.2f", fontsize=7)
    axes.set_xticks(range(len(names)), names)
    axes.set_ylim(0, 1.12)
    axes.legend(ncols=len(METRICS), fontsize=8, loc="upper center", frameon=False)
    figure.tight_layout()
