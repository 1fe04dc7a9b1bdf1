"""Ridge points: places on filaments, each with a direction of either sign."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from etpicker_plugin.engine.arrays import FloatArray

ALIGNED = np.cos(np.radians(45.0))
"""Of two directions: what is less alike belongs to filaments that cross."""


@dataclass(frozen=True)
class RidgePoints:
    """``(N, 3)`` positions and unit vectors zyx, and ``(N,)`` scores.

    From the highest score down, ties by position, so that nothing made of them
    depends on the order in which they were found.
    """

    positions: FloatArray
    directions: FloatArray
    scores: FloatArray

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.scores)

    @cached_property
    def tree(self) -> cKDTree:
        """Return the points by their places."""
        return cKDTree(self.positions)

    def near(self, place: FloatArray, reach: float) -> NDArray[np.intp]:
        """Return the indices within reach of a place, ascending."""
        found = self.tree.query_ball_point(place, reach, return_sorted=True)
        return np.asarray(found, dtype=np.intp)


def make_ridge_points(
    positions_zyx: FloatArray, directions_zyx: FloatArray, scores: FloatArray
) -> RidgePoints:
    """Put points in their order."""
    order = np.lexsort((*positions_zyx.T[::-1], -scores))
    return RidgePoints(positions_zyx[order], directions_zyx[order], scores[order])


def with_mean_directions(points: RidgePoints, reach: float) -> RidgePoints:
    """Return the points with the main direction of all that are alike around each.

    The sign of a direction means nothing, so the mean is the first axis of the mean
    of v vᵀ, weighted by score.
    """
    first, second = _alike(points, reach)
    tensors = np.einsum("ni,nj->nij", points.directions, points.directions)
    tensors *= points.scores[:, None, None]
    total = tensors.copy()
    np.add.at(total, first, tensors[second])
    np.add.at(total, second, tensors[first])
    main = np.linalg.eigh(total)[1][:, :, 2]
    return replace(points, directions=main)


def count_alike(points: RidgePoints, reach: float) -> NDArray[np.intp]:
    """Return ``(N,)``: how many others of like direction are within reach."""
    pairs = np.concatenate(_alike(points, reach))
    return np.bincount(pairs, minlength=len(points))


def _alike(
    points: RidgePoints, reach: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the two ends of each pair within reach and of like direction."""
    pairs = points.tree.query_pairs(reach, output_type="ndarray")
    pairs = pairs[np.lexsort(pairs.T[::-1])]
    ends = points.directions[pairs]
    alike = np.abs(np.sum(ends[:, 0] * ends[:, 1], axis=1)) >= ALIGNED
    return pairs[alike, 0], pairs[alike, 1]
