"""The control of filaments and membranes: the same ones, moved to where none is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.verdict.places.geometry import is_clear_of_faces

TRIES = 100
FARTHEST = 6.0
"""Clearances."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """Where things may be moved to.

    Attributes
    ----------
    taken_zyx
        ``(N, 3)`` voxels: points of all sets, which the moved ones keep clear of.
    border_vox
        Least distance from a face.
    clearance_vox
        Least distance from what is taken.
    apart_vox
        Least distance from what was moved before.
    """

    shape_zyx: tuple[int, int, int]
    taken_zyx: FloatArray
    border_vox: float
    clearance_vox: float
    apart_vox: float


def move_aside(
    points_zyx: FloatArray,
    moved_before_zyx: FloatArray,
    *,
    room: Room,
    is_curve: bool,
    generator: np.random.Generator,
) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return a thing's points in their new places, and which of them have room there.

    All move alike, so that directions stay as they are; a filament across itself. Of
    the ways that are tried, the one that leaves most points wins.

    Parameters
    ----------
    points_zyx
        ``(N, 3)`` voxels, of a filament in order.
    moved_before_zyx
        ``(M, 3)`` points of the control so far.

    Returns
    -------
    places, rows
        ``(K, 3)`` and ``(K,)``, K <= N.
    """
    best = np.zeros(0, dtype=np.intp)
    places = points_zyx
    taken, before = _tree(room.taken_zyx), _tree(moved_before_zyx)
    for way in _ways(points_zyx, room, is_curve, generator):
        moved = points_zyx + way
        is_free = is_clear_of_faces(moved, room.shape_zyx, border_vox=room.border_vox)
        is_free &= _is_far(moved, taken, room.clearance_vox)
        is_free &= _is_far(moved, before, room.apart_vox)
        if np.count_nonzero(is_free) > len(best):
            best, places = np.flatnonzero(is_free), moved
        if len(best) == len(points_zyx):
            break
    return places[best], best


def _ways(
    points: FloatArray, room: Room, is_curve: bool, generator: np.random.Generator
) -> FloatArray:
    """Return ``(TRIES, 3)`` ways to move, the shortest first."""
    ways = generator.normal(size=(TRIES, 3))
    chord = points[-1] - points[0]
    length = float(np.linalg.norm(chord))
    if is_curve and length > 0:
        ways -= np.outer(ways @ chord, chord) / length**2
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    far = np.linspace(1.0, FARTHEST, TRIES) * room.clearance_vox
    return np.asarray(ways * far[:, None])


def _tree(points: FloatArray) -> cKDTree | None:
    return cKDTree(points) if len(points) else None


def _is_far(
    places: FloatArray, tree: cKDTree | None, distance: float
) -> NDArray[np.bool_]:
    if tree is None:
        return np.ones(len(places), dtype=bool)
    return np.asarray(tree.query(places)[0] >= distance)
