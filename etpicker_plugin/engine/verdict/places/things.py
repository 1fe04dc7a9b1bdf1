"""Picks of filaments and vesicles as points on them, each with its direction."""

import logging
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.columns import FILAMENT, RADIUS, ROTATION, VESICLE, Column
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.filaments.curve import path_lengths
from etpicker_plugin.engine.filaments.directions import oriented_along
from etpicker_plugin.engine.filaments.marks import SAME_PLACE_VOX
from etpicker_plugin.engine.kinds import FILAMENT as FILAMENT_KIND
from etpicker_plugin.engine.kinds import VESICLE as VESICLE_KIND
from etpicker_plugin.engine.particles import Particles, join_particles
from etpicker_plugin.engine.vesicles.axes import surfaces_of
from etpicker_plugin.engine.vesicles.marks import radii_ang
from etpicker_plugin.engine.vesicles.surface import surface_of_vesicles
from etpicker_plugin.engine.volumes.tomogram import Tomogram

logger = logging.getLogger(__name__)

THING_OF = {FILAMENT_KIND: FILAMENT, VESICLE_KIND: VESICLE}
"""The column that says which filament, or vesicle, a point lies on."""

SPACING_WIDTHS = 0.5
"""Of points along a filament: nearer ones show nothing more of it."""

MEMBRANE_SPACING_ANG = 150.0


def named_kinds(sets: PickSets) -> list[str]:
    """Return the kinds whose things some of the picks name."""
    every = [p for found in sets.picks.values() for p in found.values()]
    return [
        kind for kind, c in THING_OF.items() if any(c.name in p.optional for p in every)
    ]


def points_on_things(sets: PickSets, kind: str, *, diameter_ang: float) -> PickSets:
    """Return the sets as points on filaments or membranes, with their directions.

    Filaments' own orientations are kept, or laid along the curve where there are none;
    of points that stand nearer than half a width every second, third … is taken. Of
    vesicles, points are spread over the membranes.

    Parameters
    ----------
    diameter_ang
        Width of the filaments; of vesicles, that of one whose radius is not known.

    Raises
    ------
    InputDataError
        If points do not say which thing they lie on, or how they are turned.
    """
    picks = {
        name: {
            t: _points(particles, sets.tomograms[t], kind, diameter_ang, name)
            for t, particles in found.items()
        }
        for name, found in sets.picks.items()
    }
    return replace(sets, picks=picks)


def _points(
    particles: Particles,
    tomogram: Tomogram,
    kind: str,
    diameter_ang: float,
    set_name: str,
) -> Particles:
    if kind == FILAMENT_KIND:
        oriented = oriented_along(particles)
        _check(oriented, FILAMENT, set_name)
        spacing = SPACING_WIDTHS * diameter_ang / tomogram.voxel_size
        return _along_filaments(oriented, spacing)
    points = _on_membranes(particles, tomogram, diameter_ang, set_name)
    _check(points, VESICLE, set_name)
    return points


def _check(particles: Particles, column: Column, set_name: str) -> None:
    """Refuse points that name no thing, or know no orientation."""
    where = f"Set {set_name}, {particles.tomogram_id}"
    count = len(particles)
    names = particles.optional.get(column.name, column.unknown(count))
    unnamed = np.count_nonzero(names == column.missing)
    if unnamed:
        raise InputDataError(
            f"{where}: {unnamed} of {count} points name no {column.name}. Say in the "
            f"column '{column.name}' which one each point lies on."
        )
    turned = particles.optional.get(ROTATION.name, ROTATION.unknown(count))
    unturned = np.count_nonzero(~ROTATION.known(turned))
    if unturned:
        raise InputDataError(
            f"{where}: {unturned} of {count} points have no orientation, and others of "
            "the same thing have one. Give rot, tilt and psi of all points or of none."
        )


def _along_filaments(particles: Particles, spacing_vox: float) -> Particles:
    """Return every filament's points, about a spacing apart or more."""
    names = particles.optional.get(FILAMENT.name)
    if names is None:
        return particles
    rows = [
        _thinned(particles, np.flatnonzero(names == n), spacing_vox)
        for n in dict.fromkeys(names.tolist())
    ]
    return particles.select(np.sort(np.concatenate([np.zeros(0, np.intp), *rows])))


def _thinned(
    particles: Particles, rows: NDArray[np.intp], spacing_vox: float
) -> NDArray[np.intp]:
    """Return the rows of one filament that are judged: none twice in one place."""
    points = particles.positions_zyx[rows]
    moved = np.linalg.norm(np.diff(points, axis=0), axis=1) > SAME_PLACE_VOX
    rows = rows[np.concatenate([[True], moved])]
    if len(rows) < 2:
        return rows
    step = path_lengths(particles.positions_zyx[rows])[-1] / (len(rows) - 1)
    return rows[:: max(1, round(spacing_vox / step))]


def _on_membranes(
    particles: Particles, tomogram: Tomogram, diameter_ang: float, set_name: str
) -> Particles:
    """Return points on membranes: as they are given, and those of whole vesicles."""
    count = len(particles)
    named = particles.optional.get(VESICLE.name, VESICLE.unknown(count))
    radii = particles.optional.get(RADIUS.name, RADIUS.unknown(count))
    turned = particles.optional.get(ROTATION.name, ROTATION.unknown(count))
    is_point = (named != VESICLE.missing) & np.isnan(radii) & ROTATION.known(turned)
    vesicles = particles.select(~is_point)
    unsized = int(np.count_nonzero(np.isnan(radii[~is_point])))
    if unsized:
        logger.warning(
            "Set %s, %s: %d of %d vesicles have no radius, and their membranes are "
            "looked for %.0f Å from the centres, half the class's diameter. Elsewhere "
            "they are not judged: give a column 'radius' (Å).",
            set_name,
            particles.tomogram_id,
            unsized,
            len(vesicles),
            diameter_ang / 2,
        )
    surface = surface_of_vesicles(
        vesicles,
        surfaces_of(
            vesicles,
            radii_ang(vesicles, diameter_ang=diameter_ang),
            voxel_size=tomogram.voxel_size,
        ),
        spacing_vox=MEMBRANE_SPACING_ANG / tomogram.voxel_size,
        shape_zyx=tomogram.shape_zyx,
    )
    return join_particles(particles.tomogram_id, [particles.select(is_point), surface])
