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
    steps = np.diff(points, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    still = np.flatnonzero(lengths <= SAME_PLACE_VOX)
    if len(still):
        raise InputDataError(
            f"{where}: filament '{name}' has two points after each other in one "
            f"place, x y z {_place(particles, rows[still[0]])}. Delete one of them."
        )
    turns = np.sum(steps[1:] * steps[:-1], axis=1) / (lengths[1:] * lengths[:-1])
    back = np.flatnonzero(turns < np.cos(np.radians(SHARPEST_TURN_DEG)))
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
