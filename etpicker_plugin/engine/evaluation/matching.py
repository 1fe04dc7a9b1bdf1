"""Which pick is which true particle."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

from etpicker_plugin.engine.arrays import FloatArray

IndexArray = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Matching:
    """One-to-one pairs of picks and particles.

    Attributes
    ----------
    pick_indices, truth_indices
        ``(K,)`` indices of the pairs' members, ascending by pick.
    distances
        ``(K,)`` in the unit of the positions.
    n_picks, n_truth
        How many there were, paired or not.
    """

    pick_indices: IndexArray
    truth_indices: IndexArray
    distances: FloatArray
    n_picks: int
    n_truth: int


def match_picks(picks: ArrayLike, truth: ArrayLike, *, max_distance: float) -> Matching:
    """Pair picks with particles at most ``max_distance`` apart, each at most once.

    Of all pairings the one with the most pairs is returned and, among those, the one
    with the least sum of distances. Pairing the nearest first would do worse: a pick
    between two particles can take the one that another pick needs.

    Parameters
    ----------
    picks, truth
        ``(N, 3)`` and ``(M, 3)`` in one frame and unit.
    """
    pick_points, truth_points = _as_points(picks), _as_points(truth)
    candidates = cKDTree(pick_points).sparse_distance_matrix(
        cKDTree(truth_points), max_distance, output_type="ndarray"
    )
    rows, columns = _cheapest_pairs(
        candidates["i"], candidates["j"], candidates["v"], max_distance=max_distance
    )
    offsets = pick_points[rows] - truth_points[columns]
    return Matching(
        pick_indices=rows,
        truth_indices=columns,
        distances=np.linalg.norm(offsets, axis=1),
        n_picks=len(pick_points),
        n_truth=len(truth_points),
    )


def greedy_hits(
    picks: ArrayLike, scores: ArrayLike, truth: ArrayLike, *, max_distance: float
) -> NDArray[np.bool_]:
    """Return ``(N,)`` bool: which picks hit (see ``match_by_score``)."""
    return match_by_score(picks, scores, truth, max_distance=max_distance) >= 0


def match_by_score(
    picks: ArrayLike, scores: ArrayLike, truth: ArrayLike, *, max_distance: float
) -> IndexArray:
    """Return ``(N,)``: the particle that each pick takes, or -1, from the best score.

    Each pick takes the nearest particle within ``max_distance`` that none before it
    has taken. What a pick is does then not depend on the picks below it, so one walk
    gives the whole precision-recall curve. Unknown scores (NaN) come last.
    """
    pick_points, truth_points = _as_points(picks), _as_points(truth)
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    near = cKDTree(truth_points).query_ball_point(pick_points, max_distance)
    free = np.ones(len(truth_points), dtype=bool)
    taken = np.full(len(pick_points), -1, dtype=np.intp)
    for pick in order:
        open_ones = [t for t in near[pick] if free[t]]
        if open_ones:
            offsets = truth_points[open_ones] - pick_points[pick]
            taken[pick] = open_ones[int(np.argmin((offsets**2).sum(axis=1)))]
            free[taken[pick]] = False
    return taken


def _as_points(positions: ArrayLike) -> FloatArray:
    return np.asarray(positions, dtype=np.float64).reshape(-1, 3)


def _cheapest_pairs(
    picks: IndexArray, truth: IndexArray, distances: FloatArray, *, max_distance: float
) -> tuple[IndexArray, IndexArray]:
    """Return the pairs of the best one-to-one choice among candidate pairs.

    Every pick may also stay alone, at a price above any possible sum of distances.
    The cheapest choice for all picks (Jonker-Volgenant on a sparse graph) then has
    the most pairs first and the least distance second. A sparse graph drops weights
    of 0, so all are raised by ``max_distance``, which changes no comparison because
    every choice has one weight per pick.
    """
    if not len(picks):
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    pick_names, rows = np.unique(picks, return_inverse=True)
    truth_names, columns = np.unique(truth, return_inverse=True)
    n_picks, n_truth = len(pick_names), len(truth_names)
    alone = np.full(n_picks, max_distance * (min(n_picks, n_truth) + 1))
    graph = csr_matrix(
        (
            np.concatenate([distances, alone]) + max_distance,
            (
                np.concatenate([rows, np.arange(n_picks)]),
                np.concatenate([columns, n_truth + np.arange(n_picks)]),
            ),
        ),
        shape=(n_picks, n_truth + n_picks),
    )
    chosen_rows, chosen_columns = min_weight_full_bipartite_matching(graph)
    paired = chosen_columns < n_truth
    return pick_names[chosen_rows[paired]], truth_names[chosen_columns[paired]]
