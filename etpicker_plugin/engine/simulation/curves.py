"""Bent curves: worm-like chains of a persistence length, with a frame along them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.geometry import lies_outside

STEP_ANG = 5.0


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Points every ``STEP_ANG`` along a curve.

    Attributes
    ----------
    points_zyx
        ``(N, 3)`` voxels.
    tangents, normals
        ``(N, 3)`` unit vectors zyx; the normals turn with the curve, not about it.
    """

    points_zyx: FloatArray
    tangents: FloatArray
    normals: FloatArray

    def part(self, chosen: slice) -> "Curve":
        """Return a part of the curve."""
        return Curve(
            points_zyx=self.points_zyx[chosen],
            tangents=self.tangents[chosen],
            normals=self.normals[chosen],
        )


def draw_curve(
    middle_zyx: FloatArray,
    direction: FloatArray,
    *,
    length_ang: float,
    persistence_ang: float,
    voxel_size: float,
    generator: np.random.Generator,
) -> Curve:
    """Draw a worm-like chain through a point, in a direction there.

    Over a length s the tangent turns by sqrt(2 s / persistence) on average
    (root mean square), as thermal bending makes it.
    """
    half = max(2, round(0.5 * length_ang / STEP_ANG))
    sd = np.sqrt(STEP_ANG / persistence_ang)
    arms = [
        _tangents(sign * direction, generator.normal(0, sd, (half, 2)))
        for sign in (1.0, -1.0)
    ]
    tangents = np.concatenate([-arms[1][::-1], direction[None], arms[0]])
    steps = 0.5 * (tangents[1:] + tangents[:-1]) * (STEP_ANG / voxel_size)
    points = np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
    points += middle_zyx - points[half]
    return Curve(points_zyx=points, tangents=tangents, normals=_transport(tangents))


def cut_to_volume(
    curve: Curve, shape_zyx: tuple[int, int, int], *, margin_ang: float
) -> tuple[Curve, slice]:
    """Return the part about the middle that lies inside, with a margin, and where.

    What comes back into the volume further on is left out. The slice tells which
    points of the part are inside.
    """
    outside = np.flatnonzero(lies_outside(curve.points_zyx, shape_zyx))
    count, middle = len(curve.points_zyx), len(curve.points_zyx) // 2
    first = int(outside[outside < middle].max(initial=-1)) + 1
    last = int(outside[outside > middle].min(initial=count))
    margin = int(np.ceil(margin_ang / STEP_ANG))
    start = max(0, first - margin)
    part = curve.part(slice(start, min(count, last + margin)))
    return part, slice(first - start, last - start)


def perpendicular(direction: FloatArray) -> FloatArray:
    """Return a unit vector across a direction, always the same one."""
    axis = np.eye(3)[np.argmin(np.abs(direction))]
    across = axis - (axis @ direction) * direction
    return np.asarray(across / np.linalg.norm(across))


def _tangents(direction: FloatArray, turns: NDArray[np.float64]) -> FloatArray:
    """Return ``(N, 3)`` tangents after one that turns by ``(N, 2)`` angles a step."""
    tangents = np.empty((len(turns), 3))
    tangent, normal = direction, perpendicular(direction)
    for i, (one, other) in enumerate(turns):
        tangent = tangent + one * normal + other * np.cross(tangent, normal)
        tangent = tangent / np.linalg.norm(tangent)
        normal = _across(normal, tangent)
        tangents[i] = tangent
    return tangents


def _transport(tangents: FloatArray) -> FloatArray:
    """Return ``(N, 3)`` normals: each is the last one, made perpendicular again."""
    normals = np.empty_like(tangents)
    normal = perpendicular(tangents[0])
    for i, tangent in enumerate(tangents):
        normal = _across(normal, tangent)
        normals[i] = normal
    return normals


def _across(normal: FloatArray, tangent: FloatArray) -> FloatArray:
    across = normal - (normal @ tangent) * tangent
    return np.asarray(across / np.linalg.norm(across))
