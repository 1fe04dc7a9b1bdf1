"""How well vesicles are picked: found one to one, and how far off centre and radius."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.evaluation.metrics import (
    Numbers,
    fbeta,
    precision_of,
    recall_of,
)
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.vesicles.marks import known_radii

NEVER = 1e6
"""The cost of a pair that is none; more than those of all others together."""


@dataclass(frozen=True)
class Pairs:
    """The vesicles of one tomogram that were found.

    Attributes
    ----------
    centre_errors
        ``(N,)`` Å, of each pair.
    radius_errors
        ``(M,)`` share of the true radius, of the pairs of which both are known.
    n_picks, n_truth
        Vesicles, paired or not.
    """

    centre_errors: FloatArray
    radius_errors: FloatArray
    n_picks: int
    n_truth: int


def judge_vesicles(
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
        The vesicles of the class in each tomogram, in voxels.
    diameter_ang
        Twice the radius of those true ones whose radius nobody knows.
    match_distance
        In true radii: a vesicle is found by a centre that is nearer. Of several
        vesicles about one centre, a pick takes the one whose radius is most like its
        own.

    Raises
    ------
    InputDataError
        If a radius is not above 0.
    """
    pairs = [
        _compare(
            picked,
            true,
            diameter_ang=diameter_ang,
            voxel_size=voxel_size,
            match_distance=match_distance,
        )
        for picked, true in zip(picks, truth, strict=True)
    ]
    centres = np.concatenate([np.zeros(0), *(p.centre_errors for p in pairs)])
    radii = np.concatenate([np.zeros(0), *(p.radius_errors for p in pairs)])
    n_picks, n_truth = sum(p.n_picks for p in pairs), sum(p.n_truth for p in pairs)
    precision = precision_of(len(centres), n_picks)
    recall = recall_of(len(centres), n_truth)
    return {
        "f1": float(fbeta(precision, recall, 1.0)),
        "precision": precision,
        "recall": recall,
        "centre_error_ang": float(np.median(centres)) if len(centres) else None,
        "radius_error": float(np.median(radii)) if len(radii) else None,
        "n_picks": n_picks,
        "n_truth": n_truth,
        "n_found": len(centres),
    }


def _compare(
    picks: Particles,
    truth: Particles,
    *,
    diameter_ang: float,
    voxel_size: float,
    match_distance: float,
) -> Pairs:
    """Pair the vesicles of one tomogram: the most pairs, and of those the nearest."""
    known, picked = known_radii(truth), known_radii(picks)
    radii = np.where(np.isnan(known), 0.5 * diameter_ang, known)
    offsets = picks.positions_zyx[:, None] - truth.positions_zyx[None]
    distances = np.linalg.norm(offsets, axis=2) * voxel_size
    unlike = np.abs(picked[:, None] / known - 1.0)  # NaN where one is not known
    costs = distances / radii + np.nan_to_num(unlike)
    costs[distances > match_distance * radii] = NEVER
    rows, columns = linear_sum_assignment(costs)
    matched = costs[rows, columns] < NEVER
    rows, columns = rows[matched], columns[matched]
    errors = unlike[rows, columns]
    return Pairs(
        centre_errors=distances[rows, columns],
        radius_errors=errors[np.isfinite(errors)],
        n_picks=len(picks),
        n_truth=len(truth),
    )
