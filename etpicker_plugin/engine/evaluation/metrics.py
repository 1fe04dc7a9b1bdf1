"""Precision, recall and what is made of them. Pure NumPy.

Where nothing was picked, precision is 0, and where there is nothing to find, recall
is 0: the numbers of picks and particles stand beside them and tell why.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from etpicker_plugin.engine.arrays import FloatArray

Numbers = dict[str, float | None]
"""What is measured of a class, by name; ``None`` where it is not defined."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Precision and recall of the picks at or above each threshold.

    Attributes
    ----------
    thresholds
        ``(T,)`` the different scores, descending.
    precision, recall
        ``(T,)``.
    """

    thresholds: FloatArray
    precision: FloatArray
    recall: FloatArray


def precision_of(n_true_positive: int, n_picks: int) -> float:
    """Return the share of picks that are particles; 0 without picks."""
    return n_true_positive / n_picks if n_picks else 0.0


def recall_of(n_true_positive: int, n_truth: int) -> float:
    """Return the share of particles that were picked; 0 without particles."""
    return n_true_positive / n_truth if n_truth else 0.0


def fbeta(precision: ArrayLike, recall: ArrayLike, beta: float) -> FloatArray:
    """Return (1+β²)·P·R / (β²·P+R) in the shape of P and R; 0 where both are 0."""
    p, r = np.asarray(precision, dtype=float), np.asarray(recall, dtype=float)
    return _divide((1 + beta**2) * p * r, beta**2 * p + r)


def f_alpha_score(
    precision: ArrayLike, recall: ArrayLike, alpha: float = 3.0
) -> FloatArray:
    """Return 2·P·R^α / (P+R^α), 0 where both are 0.

    DeepETPicker's validation score (Liu et al. 2024), doubled so that it reaches 1.
    """
    p, r = np.asarray(precision, dtype=float), np.asarray(recall, dtype=float)
    return _divide(2 * p * r**alpha, p + r**alpha)


def precision_recall_curve(
    scores: ArrayLike, is_true: ArrayLike, n_truth: int
) -> Curve:
    """Return precision and recall as the threshold falls; equal scores fall together.

    Parameters
    ----------
    scores
        ``(N,)``; an unknown one (NaN) ranks last, as -inf.
    is_true
        ``(N,)`` bool, as ``greedy_hits`` gives it.
    n_truth
        Number of particles to find.
    """
    known = np.asarray(scores, dtype=np.float64)
    values = np.where(np.isnan(known), -np.inf, known)
    order = np.argsort(-values, kind="stable")
    hits = np.cumsum(np.asarray(is_true, dtype=np.int64)[order])
    ranked = values[order]
    # A threshold takes in every pick of its score: only the last of equals counts.
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)[: len(ranked)])
    return Curve(
        thresholds=ranked[last],
        precision=hits[last] / (last + 1.0),
        recall=hits[last] / float(n_truth) if n_truth else np.zeros(len(last)),
    )


def average_precision(
    scores: ArrayLike, is_true: ArrayLike, n_truth: int
) -> float | None:
    """Return Σ (Rₖ-Rₖ₋₁)·Pₖ over the curve's thresholds, without interpolation.

    ``None`` where it means nothing: no score is known, or nothing is there to find.
    ``scores`` and ``is_true`` are ``(N,)``, of the picks in any order.
    """
    if n_truth == 0 or not np.isfinite(np.asarray(scores, dtype=np.float64)).any():
        return None
    curve = precision_recall_curve(scores, is_true, n_truth)
    return float(np.sum(np.diff(curve.recall, prepend=0.0) * curve.precision))


def best_threshold(curve: Curve) -> tuple[float, float] | None:
    """Return the largest F1 on the curve and its threshold, if a score is known."""
    finite = np.isfinite(curve.thresholds)
    if not finite.any():
        return None
    f1 = fbeta(curve.precision[finite], curve.recall[finite], 1.0)
    best = int(np.argmax(f1))
    return float(f1[best]), float(curve.thresholds[finite][best])


def _divide(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return the quotient, 0 where the denominator is 0."""
    out = np.zeros(np.broadcast(numerator, denominator).shape)
    return np.divide(numerator, denominator, out=out, where=denominator > 0)
