"""Picked filaments against true ones: by length, and filament by filament.

Lengths and distances are in Å. Points are joined by straight lines and these sampled,
so that it does not matter how many points a filament is given by.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.evaluation.metrics import (
    Numbers,
    fbeta,
    precision_of,
    recall_of,
)
from etpicker_plugin.engine.filaments.curve import path_lengths
from etpicker_plugin.engine.filaments.marks import filaments_of
from etpicker_plugin.engine.particles import Particles

SAMPLES_ACROSS = 40
"""Samples in a width: what lies beside a sample is measured to 1 % of the width."""

FOUND = 0.8
"""Of a filament's length, on one other: found, and a true pick."""

MOSTLY = 0.5
"""Of a filament's length, on one other: a piece of it."""


@dataclass(frozen=True)
class Sampled:
    """All filaments of a tomogram, sampled evenly: places, tangents and owners.

    Attributes
    ----------
    places, tangents
        ``(N, 3)`` Å and unit vectors.
    owners
        ``(N,)`` which of the filaments.
    weights
        ``(N,)`` Å that a sample stands for.
    count
        Of filaments.
    """

    places: FloatArray
    tangents: FloatArray
    owners: NDArray[np.intp]
    weights: FloatArray
    count: int


@dataclass(frozen=True)
class Overlap:
    """What one tomogram adds to the numbers.

    Attributes
    ----------
    covered, length_truth
        Length of the true filaments that a pick lies on, and in all, Å.
    on_truth, length_picks
        Length of the picked filaments that lies on a true one, and in all, Å.
    distances, angles, weights
        ``(N,)`` of what lies on a true one: Å and degrees off it, and Å of length.
    n_found, n_truth, n_picks
        Filaments: paired one to one, and in all.
    n_splits, n_merges
        Picks beyond the first on one true filament; and the other way.
    """

    covered: float
    length_truth: float
    on_truth: float
    length_picks: float
    distances: FloatArray
    angles: FloatArray
    weights: FloatArray
    n_found: int
    n_truth: int
    n_picks: int
    n_splits: int
    n_merges: int


def judge_filaments(
    picks: Sequence[Particles],
    truth: Sequence[Particles],
    *,
    diameter_ang: float,
    voxel_size: float,
    match_distance: float,
) -> Numbers:
    """Return the numbers of one class over tomograms, ``None`` where undefined.

    Parameters
    ----------
    picks, truth
        The points of the class in each tomogram, in voxels.
    diameter_ang
        Width of the filament.
    match_distance
        In widths: what is nearer to a centreline lies on it.

    Raises
    ------
    InputDataError
        If points do not make filaments (see ``filaments.marks``).
    """
    overlaps = [
        compare_filaments(
            _curves(picked, voxel_size),
            _curves(true, voxel_size),
            width=diameter_ang,
            within=match_distance * diameter_ang,
        )
        for picked, true in zip(picks, truth, strict=True)
    ]
    return summarise(overlaps)


def _curves(particles: Particles, voxel_size: float) -> list[FloatArray]:
    """Return the points of each filament, of the one class that is given, in Å."""
    return [
        f.points_zyx * voxel_size
        for name in np.unique(particles.class_names)
        for f in filaments_of(particles, str(name))
    ]


def compare_filaments(
    picks: Sequence[FloatArray],
    truth: Sequence[FloatArray],
    *,
    width: float,
    within: float,
) -> Overlap:
    """Compare the filaments of one tomogram, each ``(N, 3)`` points in order, in Å."""
    step = width / SAMPLES_ACROSS
    picked, true = sample(picks, step), sample(truth, step)
    from_pick, nearest = _nearest(picked, true)
    from_truth, _ = _nearest(true, picked)
    on_truth = from_pick <= within
    covers = _shares(true, picked, within)  # (truth, picks)
    lies_on = _shares(picked, true, within).T
    angles = _angles(picked.tangents[on_truth], true.tangents[nearest[on_truth]])
    return Overlap(
        covered=float(true.weights[from_truth <= within].sum()),
        length_truth=float(true.weights.sum()),
        on_truth=float(picked.weights[on_truth].sum()),
        length_picks=float(picked.weights.sum()),
        distances=from_pick[on_truth],
        angles=angles,
        weights=picked.weights[on_truth],
        n_found=_count_pairs(np.minimum(covers, lies_on)),
        n_truth=true.count,
        n_picks=picked.count,
        n_splits=_beyond_the_first(lies_on >= MOSTLY),
        n_merges=_beyond_the_first((covers >= MOSTLY).T),
    )


def sample(curves: Sequence[FloatArray], step: float) -> Sampled:
    """Sample the straight lines through each curve's points, about a step apart."""
    places, tangents, owners, weights = [], [], [], []
    for owner, points in enumerate(curves):
        lengths = path_lengths(points)
        count = max(1, round(float(lengths[-1]) / step))
        # In the middle of equal pieces, so that each stands for as much length.
        at = (np.arange(count) + 0.5) * lengths[-1] / count
        segment = np.clip(np.searchsorted(lengths, at) - 1, 0, len(points) - 2)
        ways = np.diff(points, axis=0)[segment]
        units = ways / np.linalg.norm(ways, axis=1, keepdims=True)
        places.append(points[segment] + (at - lengths[segment])[:, None] * units)
        tangents.append(units)
        owners.append(np.full(count, owner, dtype=np.intp))
        weights.append(np.full(count, lengths[-1] / count))
    return Sampled(
        places=np.concatenate([np.zeros((0, 3)), *places]),
        tangents=np.concatenate([np.zeros((0, 3)), *tangents]),
        owners=np.concatenate([np.zeros(0, np.intp), *owners]),
        weights=np.concatenate([np.zeros(0), *weights]),
        count=len(curves),
    )


def summarise(overlaps: Sequence[Overlap]) -> Numbers:
    """Return the numbers of several tomograms together."""

    def total(name: str) -> float:
        return sum(getattr(overlap, name) for overlap in overlaps)

    distances, angles, weights = (
        np.concatenate([np.zeros(0), *(getattr(o, name) for o in overlaps)])
        for name in ("distances", "angles", "weights")
    )
    n_found, n_truth, n_picks = (
        int(total(name)) for name in ("n_found", "n_truth", "n_picks")
    )
    f1 = fbeta(precision_of(n_found, n_picks), recall_of(n_found, n_truth), 1.0)
    return {
        "recall_length": _share(total("covered"), total("length_truth")),
        "precision_length": _share(total("on_truth"), total("length_picks")),
        "mean_distance_ang": _mean(distances, weights),
        "distance_95_ang": _percentile(distances, weights, 0.95),
        "tangent_error_deg": _mean(angles, weights),
        "filament_f1": float(f1),
        "splits_per_filament": total("n_splits") / n_truth if n_truth else 0.0,
        "merges_per_filament": total("n_merges") / n_picks if n_picks else 0.0,
        "n_picks": n_picks,
        "n_truth": n_truth,
        "n_found": n_found,
        "length_picks_ang": total("length_picks"),
        "length_truth_ang": total("length_truth"),
    }


def _nearest(places: Sampled, others: Sampled) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return how far each sample is from any of the others, and from which."""
    if not len(others.places):
        nobody = np.zeros(len(places.places), dtype=np.intp)
        return np.full(len(places.places), np.inf), nobody
    distances, nearest = cKDTree(others.places).query(places.places)
    return np.asarray(distances), np.asarray(nearest, dtype=np.intp)


def _shares(places: Sampled, others: Sampled, within: float) -> FloatArray:
    """Return ``(count, other count)``: which share of each lies on each other one."""
    shares = np.zeros((places.count, others.count))
    lengths = np.bincount(places.owners, places.weights, minlength=places.count)
    for number in range(others.count):
        own = others.places[others.owners == number]
        low, high = own.min(axis=0) - within, own.max(axis=0) + within
        beside = np.flatnonzero(
            ((places.places >= low) & (places.places <= high)).all(axis=1)
        )
        distances, _ = cKDTree(own).query(
            places.places[beside], distance_upper_bound=within
        )
        near = beside[np.isfinite(distances)]
        shares[:, number] = np.bincount(
            places.owners[near], places.weights[near], minlength=places.count
        )
    return shares / lengths[:, None]


def _count_pairs(shares: FloatArray) -> int:
    """Return how many pairs share enough, each filament in one pair at the most."""
    enough = np.where(shares >= FOUND, shares, 0.0)
    rows, columns = linear_sum_assignment(enough, maximize=True)
    return int(np.count_nonzero(enough[rows, columns]))


def _beyond_the_first(on: NDArray[np.bool_]) -> int:
    """Return how many of a row are true beyond its first, summed over the rows."""
    return int(np.maximum(on.sum(axis=1) - 1, 0).sum())


def _angles(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return degrees between unit vectors of either sign."""
    cosines = np.abs(np.sum(first * second, axis=1))
    return np.asarray(np.degrees(np.arccos(np.clip(cosines, 0.0, 1.0))))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _mean(values: FloatArray, weights: FloatArray) -> float | None:
    return float(np.average(values, weights=weights)) if len(values) else None


def _percentile(values: FloatArray, weights: FloatArray, share: float) -> float | None:
    """Return the value that this share of the length does not exceed."""
    if not len(values):
        return None
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, share * reached[-1])])
