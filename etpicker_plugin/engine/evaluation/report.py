"""The report: tables and pictures in one HTML file, and the pictures as PNG."""

import html
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.evaluation.metrics import precision_recall_curve
from etpicker_plugin.engine.evaluation.reliability import (
    HOW_TO_READ,
    measure_reliability,
)
from etpicker_plugin.engine.evaluation.scoring import ClassScores, Comparison
from etpicker_plugin.engine.evaluation.table import Measured, tables_of
from etpicker_plugin.engine.html_page import page, picture, table, write_pictures

HISTOGRAM_BINS = 30
DOT = 12.0
"""Square points of a single pick, in the picture of reliability."""


def write_report(
    classes: Measured,
    tomograms: Mapping[str, Measured],
    comparisons: Mapping[str, Comparison],
    out_dir: Path,
    *,
    more: Mapping[str, tuple[Figure, str]] | None = None,
) -> None:
    """Write report.html (nothing outside it is needed) and its pictures as PNG.

    Parameters
    ----------
    comparisons
        Those of the particles; without any there are no curves.
    more
        File name to another picture, and how to read it.
    """
    particles = {n: s for n, s in classes.items() if isinstance(s, ClassScores)}
    pictures = {}
    if particles:
        pictures["precision_recall.png"] = draw_curves(particles, comparisons)
        pictures["scores.png"] = draw_histograms(particles, comparisons)
        pictures["reliability.png"] = draw_reliability(comparisons)
    notes = {"reliability.png": HOW_TO_READ}
    notes |= {name: note for name, (_, note) in (more or {}).items()}
    pictures |= {name: figure for name, (figure, _) in (more or {}).items()}
    encoded = write_pictures(pictures, out_dir)
    with write_whole(out_dir / "report.html") as temporary:
        temporary.write_text(
            _page(classes, tomograms, encoded, notes), encoding="utf-8"
        )


def draw_curves(
    classes: Mapping[str, ClassScores], comparisons: Mapping[str, Comparison]
) -> Figure:
    """Draw precision against recall, one curve per class, with all picks as a dot."""
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    axes = figure.add_subplot()
    for number, (name, comparison) in enumerate(comparisons.items()):
        colour = f"C{number % 10}"
        scores = classes[name]
        if scores.average_precision is not None:
            curve = precision_recall_curve(
                comparison.scores, comparison.is_hit, comparison.n_truth
            )
            axes.plot(
                np.concatenate([[0.0], curve.recall]),
                np.concatenate([curve.precision[:1], curve.precision]),
                color=colour,
                label=f"{name} (AP {scores.average_precision:.3f})",
            )
        else:
            axes.plot([], [], color=colour, label=f"{name} (no curve)")
        axes.plot(scores.recall, scores.precision, "o", color=colour, clip_on=False)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.set_title("Precision and recall; dots: all picks", fontsize="medium")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    return figure


def draw_histograms(
    classes: Mapping[str, ClassScores], comparisons: Mapping[str, Comparison]
) -> Figure:
    """Draw the scores of true and false picks, one panel per class."""
    columns = min(3, len(comparisons))
    rows = -(-len(comparisons) // columns)
    figure = Figure(figsize=(1 + 4.2 * columns, 0.4 + 3.2 * rows), layout="constrained")
    for number, (name, comparison) in enumerate(comparisons.items(), 1):
        axes = figure.add_subplot(rows, columns, number)
        _draw_scores(axes, comparison)
        best = classes[name].best_threshold
        if best is not None:
            axes.axvline(best, color="0.3", linestyle="--", label="best F1")
        axes.set_title(name, fontsize="medium")
        axes.set(xlabel="score", ylabel="picks")
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
    return figure


def draw_reliability(comparisons: Mapping[str, Comparison]) -> Figure:
    """Draw the share of true picks over their score, one line per class."""
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1)
    for number, (name, comparison) in enumerate(comparisons.items()):
        colour = f"C{number % 10}"
        found = measure_reliability(comparison)
        if found is None:
            axes.plot([], [], color=colour, label=f"{name} (scores no probabilities)")
            continue
        scores = [b.mean_score for b in found.bins]
        shares = [b.share_true for b in found.bins]
        axes.plot(
            scores,
            shares,
            color=colour,
            label=f"{name} (ECE {found.expected_calibration_error:.3f})",
        )
        sizes = [DOT * np.sqrt(b.n_picks) for b in found.bins]
        axes.scatter(scores, shares, s=sizes, color=colour, clip_on=False)
    axes.set(xlabel="score", ylabel="share of picks that are true")
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.set_title("Reliability; dashed: a score is a probability", fontsize="medium")
    axes.grid(alpha=0.3)
    axes.legend(loc="best")
    return figure


def _draw_scores(axes: Axes, comparison: Comparison) -> None:
    known = np.isfinite(comparison.scores)
    if not known.any():
        axes.text(
            0.5, 0.5, "no scores", ha="center", va="center", transform=axes.transAxes
        )
        return
    scores, is_hit = comparison.scores[known], comparison.is_hit[known]
    axes.hist(
        [scores[is_hit], scores[~is_hit]],
        bins=HISTOGRAM_BINS,
        stacked=True,
        color=["C0", "C1"],
        label=["true", "false"],
    )


def _page(
    classes: Measured,
    tomograms: Mapping[str, Measured],
    pictures: Mapping[str, bytes],
    notes: Mapping[str, str],
) -> str:
    parts = _tables(classes)
    parts += [
        picture(name, data, how_to_read=notes.get(name, ""))
        for name, data in pictures.items()
    ]
    parts.append("<h2>Tomograms</h2>")
    for name, scores in tomograms.items():
        parts.append(f"<h3>{html.escape(name)}</h3>")
        parts += _tables(scores)
    return page("Picks against truth", parts)


def _tables(classes: Measured) -> list[str]:
    return [table(head, rows) for head, *rows in tables_of(classes)]
