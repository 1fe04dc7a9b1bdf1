"""An ellipsoid in space: points on it, distances from it, normals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray


@dataclass(frozen=True)
class Ellipsoid:
    """A closed surface; a sphere is one, too.

    Attributes
    ----------
    centre
        ``(3,)`` zyx.
    shape
        ``(3, 3)`` symmetric, positive: the surface is where ``|shape (x - centre)|`` is
        1. Its eigenvalues are one over the half axes.
    """

    centre: FloatArray
    shape: FloatArray

    @cached_property
    def half_axes(self) -> FloatArray:
        """Return ``(3,)``, the shortest first."""
        return np.asarray(1.0 / np.linalg.eigvalsh(self.shape)[::-1])

    @property
    def axes(self) -> FloatArray:
        """Return ``(3, 3)``: the directions (zyx) of the half axes, in its rows."""
        return np.asarray(np.linalg.eigh(self.shape)[1].T[::-1])

    @cached_property
    def radius(self) -> float:
        """Return the mean of the half axes."""
        return float(self.half_axes.mean())

    def depths(self, points: FloatArray) -> FloatArray:
        """Return how far ``(N, 3)`` points lie outside, ``(N,)``; inside is negative.

        To first order: exact for a sphere, and near the surface of any.
        """
        own = (points - self.centre) @ self.shape
        level = np.linalg.norm(own, axis=1)
        slope = np.linalg.norm(own @ self.shape, axis=1)
        return np.asarray(level * (level - 1.0) / np.maximum(slope, 1e-12))

    def normals(self, points: FloatArray) -> FloatArray:
        """Return ``(N, 3)`` outward normals of the surface through points."""
        slope = (points - self.centre) @ self.shape @ self.shape
        length = np.linalg.norm(slope, axis=1, keepdims=True)
        return np.asarray(slope / np.maximum(length, 1e-12))

    def directions(self, points: FloatArray) -> FloatArray:
        """Return ``(N, 3)``: where points fall on the unit sphere that it is of."""
        own = (points - self.centre) @ self.shape
        length = np.linalg.norm(own, axis=1, keepdims=True)
        return np.asarray(own / np.maximum(length, 1e-12))

    def surface(self, directions: FloatArray) -> FloatArray:
        """Return ``(N, 3)`` points on it, for directions on that unit sphere."""
        return self.centre + directions @ np.linalg.inv(self.shape)


def seen_from_above(outline: Ellipsoid) -> Ellipsoid:
    """Return an ellipsoid with this outline in the plane of a micrograph.

    How high it is nobody sees: as much as the mean of the half axes that are seen.
    """
    shape = np.zeros((3, 3))
    shape[1:, 1:] = outline.shape[1:, 1:]
    shape[0, 0] = 1.0 / float((1.0 / np.linalg.eigvalsh(shape[1:, 1:])).mean())
    return Ellipsoid(outline.centre, shape)


def sphere(centre: FloatArray, radius: float) -> Ellipsoid:
    """Return a sphere."""
    return Ellipsoid(np.asarray(centre, float), np.eye(3) / radius)
