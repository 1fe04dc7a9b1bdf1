"""The filaments that a tomogram's points lie on, each in its order."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine import columns
from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.particles import Particles

logger = logging.getLogger(__name__)

SAME_PLACE_VOX = 1e-6
SHARPEST_TURN_DEG = 120.0
"""A filament does not turn back between three points: they are not in order."""


@dataclass(frozen=True, kw_only=True)
class Filament:
    """One filament of a tomogram.

    Attributes
    ----------
    name
        Its id, as the points have it.
    rows
        ``(N,)`` which of the tomogram's particles its points are, in order along it.
    points_zyx
        ``(N, 3)`` voxels, two or more.
    """

    name: str
    rows: NDArray[np.intp]
    points_zyx: FloatArray


def filaments_of(particles: Particles, class_name: str) -> list[Filament]:
    """Return the filaments of one class, by their first points.

    Parameters
    ----------
    particles
        All of a tomogram, or an id that two classes have stays unseen.

    Raises
    ------
    InputDataError
        If a point names no filament, an id stands in two classes, or a filament has
        one point alone or two in one place.
    """
    own = np.flatnonzero(particles.class_names == class_name)
    where = f"{particles.tomogram_id}, class {class_name}"
    ids = _ids(particles)
    unnamed = np.flatnonzero(ids[own] == columns.FILAMENT.missing)
    if len(unnamed):
        raise InputDataError(
            f"{where}: {len(unnamed)} of {len(own)} points name no filament, the first "
            f"at x y z {_place(particles, own[unnamed[0]])}. Say in the column "
            f"'{columns.FILAMENT.name}' which filament each point lies on, or leave "
            "out that the class is of filaments."
        )
    shared = np.intersect1d(ids[own], np.delete(ids, own))
    if len(shared):
        raise InputDataError(
            f"{where}: filament '{shared[0]}' stands in another class too. Give each "
            "filament an id of its own."
        )
    _, first, number = np.unique(ids[own], return_index=True, return_inverse=True)
    rows = [own[number == n] for n in np.argsort(first)]
    return [_filament(particles, str(ids[r[0]]), r, where) for r in rows]


def doubts_of(particles: Particles) -> list[str]:
    """Return what is odd of filaments that are handed on: a sentence for each.

    What a filament must be to be learnt is asked by ``filaments_of``.
    """
    ids = _ids(particles)
    named = ids != columns.FILAMENT.missing
    doubts = []
    for name in np.unique(ids[named]):
        rows = np.flatnonzero(ids == name)
        doubts += _doubts_of_one(particles, str(name), rows)
    return doubts


def _doubts_of_one(
    particles: Particles, name: str, rows: NDArray[np.intp]
) -> list[str]:
    where = f"{particles.tomogram_id}: filament '{name}'"
    if len(rows) == 1:
        place = _place(particles, rows[0])
        return [f"{where} has one point, at x y z {place}, and so no direction."]
    points = particles.positions_zyx[rows]
    still, back = _still(points), _turning_back(points)
    doubts = []
    if len(still):
        place = _place(particles, rows[still[0]])
        doubts.append(f"{where} has two points in one place, x y z {place}.")
    elif len(back):
        doubts.append(
            f"{where} turns back at {len(back)} of {len(rows)} points, first at x y z "
            f"{_place(particles, rows[back[0] + 1])}: its points should stand in order "
            "along it, or lengths along it are wrong."
        )
    return doubts


def _still(points: FloatArray) -> NDArray[np.intp]:
    """Return after which points the next one is in the same place."""
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.flatnonzero(lengths <= SAME_PLACE_VOX)


def _turning_back(points: FloatArray) -> NDArray[np.intp]:
    """Return before which inner points, no two the same, a filament turns back."""
    steps = np.diff(points, axis=0)
    lengths = np.maximum(np.linalg.norm(steps, axis=1), SAME_PLACE_VOX)
    turns = np.sum(steps[1:] * steps[:-1], axis=1) / (lengths[1:] * lengths[:-1])
    return np.flatnonzero(turns < np.cos(np.radians(SHARPEST_TURN_DEG)))


def _ids(particles: Particles) -> NDArray[np.str_]:
    missing = columns.FILAMENT.unknown(len(particles))
    return np.asarray(particles.optional.get(columns.FILAMENT.name, missing))


def _filament(
    particles: Particles, name: str, rows: NDArray[np.intp], where: str
) -> Filament:
    """Return a filament whose points make a curve."""
    points = particles.positions_zyx[rows]
    if len(points) == 1:
        raise InputDataError(
            f"{where}: filament '{name}' has one point, at x y z "
            f"{_place(particles, rows[0])}; two or more are needed. Mark its course, "
            "or delete the point."
        )
    still = _still(points)
    if len(still):
        raise InputDataError(
            f"{where}: filament '{name}' has two points after each other in one "
            f"place, x y z {_place(particles, rows[still[0]])}. Delete one of them."
        )
    back = _turning_back(points)
    if len(back):
        logger.warning(
            "%s: filament '%s' turns back at %d of %d points, first at x y z %s. Its "
            "points should stand in order along it.",
            where,
            name,
            len(back),
            len(points),
            _place(particles, rows[back[0] + 1]),
        )
    return Filament(name=name, rows=rows, points_zyx=points)


def _place(particles: Particles, row: int) -> str:
    return " ".join(f"{v:.1f}" for v in particles.positions_zyx[row][::-1])
