"""One class of one or more tomograms: compared, pooled, and turned into numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.evaluation.matching import greedy_hits, match_picks
from etpicker_plugin.engine.evaluation.metrics import (
    average_precision,
    best_threshold,
    fbeta,
    precision_of,
    precision_recall_curve,
    recall_of,
)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Picks of one class matched with their truth.

    Attributes
    ----------
    n_truth
        Number of true particles.
    scores
        ``(N,)`` of the picks; NaN where unknown.
    is_paired
        ``(N,)`` bool: in the best one-to-one pairing of all picks.
    is_hit
        ``(N,)`` bool: found a particle when taken in order of score.
    distances
        ``(K,)`` Å, of the pairs.
    offsets_zyx
        ``(K, 3)`` Å, pick minus particle.
    """

    n_truth: int
    scores: FloatArray
    is_paired: NDArray[np.bool_]
    is_hit: NDArray[np.bool_]
    distances: FloatArray
    offsets_zyx: FloatArray


@dataclass(frozen=True, kw_only=True)
class ClassScores:
    """The numbers of one class; ``None`` where one is not defined.

    ``precision``, ``recall``, ``f1`` and ``f_beta`` are those of all picks given;
    ``best_f1`` is the largest at any threshold, reached at ``best_threshold``.
    """

    precision: float
    recall: float
    f1: float
    f_beta: float
    mean_distance_voxels: float | None
    mean_distance_ang: float | None
    mean_offset_voxels_xyz: list[float] | None
    average_precision: float | None
    n_picks: int
    n_truth: int
    n_true_positive: int
    best_f1: float | None
    best_threshold: float | None


def compare(
    picks_ang: FloatArray,
    truth_ang: FloatArray,
    *,
    scores: FloatArray,
    max_distance: float,
) -> Comparison:
    """Match ``(N, 3)`` picks with ``(M, 3)`` particles of one tomogram, all in Å."""
    matching = match_picks(picks_ang, truth_ang, max_distance=max_distance)
    is_paired = np.zeros(len(picks_ang), dtype=bool)
    is_paired[matching.pick_indices] = True
    return Comparison(
        n_truth=len(truth_ang),
        scores=scores,
        is_paired=is_paired,
        is_hit=greedy_hits(picks_ang, scores, truth_ang, max_distance=max_distance),
        distances=matching.distances,
        offsets_zyx=picks_ang[matching.pick_indices]
        - truth_ang[matching.truth_indices],
    )


def pool(comparisons: Sequence[Comparison]) -> Comparison:
    """Put the comparisons of several tomograms together."""
    return Comparison(
        n_truth=sum(c.n_truth for c in comparisons),
        scores=np.concatenate([c.scores for c in comparisons]),
        is_paired=np.concatenate([c.is_paired for c in comparisons]),
        is_hit=np.concatenate([c.is_hit for c in comparisons]),
        distances=np.concatenate([c.distances for c in comparisons]),
        offsets_zyx=np.concatenate([c.offsets_zyx for c in comparisons]),
    )


def score(comparison: Comparison, *, voxel_size: float, beta: float) -> ClassScores:
    """Turn a comparison into numbers."""
    n_picks, n_truth = len(comparison.scores), comparison.n_truth
    n_true = int(np.count_nonzero(comparison.is_paired))
    precision, recall = precision_of(n_true, n_picks), recall_of(n_true, n_truth)
    curve = precision_recall_curve(comparison.scores, comparison.is_hit, n_truth)
    best = best_threshold(curve) if n_truth else None
    distance = float(comparison.distances.mean()) if n_true else None
    return ClassScores(
        precision=precision,
        recall=recall,
        f1=float(fbeta(precision, recall, 1.0)),
        f_beta=float(fbeta(precision, recall, beta)),
        mean_distance_voxels=None if distance is None else distance / voxel_size,
        mean_distance_ang=distance,
        mean_offset_voxels_xyz=_mean_offset(comparison.offsets_zyx, voxel_size),
        average_precision=average_precision(
            comparison.scores, comparison.is_hit, n_truth
        ),
        n_picks=n_picks,
        n_truth=n_truth,
        n_true_positive=n_true,
        best_f1=None if best is None else best[0],
        best_threshold=None if best is None else best[1],
    )


def _mean_offset(offsets_zyx: FloatArray, voxel_size: float) -> list[float] | None:
    """Return the mean of pick minus particle in voxels, as x, y, z."""
    if not len(offsets_zyx):
        return None
    return [float(v) for v in offsets_zyx.mean(axis=0)[::-1] / voxel_size]
