"""Joining several sets of picks: which picks of different sets are one particle."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.evaluation.matching import match_picks

IndexArray = NDArray[np.intp]
NOT_PICKED = -1


def join_sets(positions: Sequence[FloatArray], *, max_distance: float) -> IndexArray:
    """Return ``(P, S)``: the pick of each set at each particle, or -1.

    The sets are taken in order. The picks of one are paired with the particles known
    so far, one to one and at most ``max_distance`` from the mean of their picks (see
    ``match_picks``); those left over are new particles. So no particle has two picks
    of a set, every pick belongs to one particle, and for two sets this is the best
    pairing there is. With more sets the order matters only where particles lie
    nearer to one another than ``max_distance``.

    Parameters
    ----------
    positions
        ``(N, 3)`` of each set, in one frame and unit.
    """
    members = np.full((0, len(positions)), NOT_PICKED, dtype=np.intp)
    for number, points in enumerate(positions):
        centres = _centres(members, positions)
        matching = match_picks(points, centres, max_distance=max_distance)
        members[matching.truth_indices, number] = matching.pick_indices
        alone = np.setdiff1d(np.arange(len(points)), matching.pick_indices)
        added = np.full((len(alone), len(positions)), NOT_PICKED, dtype=np.intp)
        added[:, number] = alone
        members = np.concatenate([members, added])
    return members


def _centres(members: IndexArray, positions: Sequence[FloatArray]) -> FloatArray:
    """Return ``(P, 3)``: the mean of each particle's picks."""
    total = np.zeros((len(members), 3))
    for number, points in enumerate(positions):
        has = members[:, number] != NOT_PICKED
        total[has] += points[members[has, number]]
    counts = (members != NOT_PICKED).sum(axis=1, keepdims=True)
    return total / np.maximum(counts, 1)


def subsets_of(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return every combination of sets, the single ones first."""
    return [
        chosen
        for size in range(1, len(names) + 1)
        for chosen in combinations(names, size)
    ]


def in_subset(
    members: IndexArray, subset: Sequence[str], names: Sequence[str]
) -> NDArray[np.bool_]:
    """Return ``(P,)``: the particles that just these sets have, and no other."""
    wanted = np.array([name in subset for name in names])
    return np.asarray(((members != NOT_PICKED) == wanted).all(axis=1))


def subset_label(subset: Sequence[str], names: Sequence[str]) -> str:
    """Return ``A only``, ``A∩B``, or ``A∩B only`` where there is a third set."""
    return "∩".join(subset) + ("" if len(subset) == len(names) else " only")


def subset_file_name(subset: Sequence[str], names: Sequence[str]) -> str:
    """Return the label in characters that every file system takes."""
    return "_and_".join(subset) + ("" if len(subset) == len(names) else "_only")


def count_subsets(members: IndexArray, names: Sequence[str]) -> Mapping[str, int]:
    """Return how many particles of ``(P, S)`` every subset has, by its label."""
    return {
        subset_label(subset, names): int(in_subset(members, subset, names).sum())
        for subset in subsets_of(names)
    }
