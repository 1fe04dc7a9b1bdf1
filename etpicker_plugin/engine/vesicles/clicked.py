"""Vesicles that are marked by points on their membranes: a sphere through each one's.

A row that names its vesicle and has no radius is such a point; one with a radius, or
without a name, is a centre.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.columns import RADIUS, VESICLE
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.particles import Particles, join_particles, make_particles
from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid
from etpicker_plugin.engine.vesicles.fit import sphere_of_clicks

CLICK_ERROR_VOX = 0.5
"""How far from a membrane a point usually lies that a person marks."""

MOST_UNSURE = 0.15
"""Of the radius: what so many errors leave open of centre and radius, at the most."""

MOST_OFF = 0.15
"""Of the radius, r.m.s. Vesicles are no spheres; but what is farther off is no vesicle,
or of two."""


def with_fitted_vesicles(
    marks: Particles, classes: Collection[str], *, voxel_size: float
) -> Particles:
    """Return marks where each vesicle of these classes is one row, its centre.

    Parameters
    ----------
    marks
        Of one tomogram.
    classes
        Those of the kind ``vesicle``: points of others stay as they are.
    voxel_size
        Of the tomogram, Å: radii are in Å.

    Raises
    ------
    InputDataError
        If a vesicle's points are too few, do not tell a sphere, or lie off it; or if a
        name stands for two.
    """
    names = marks.optional.get(VESICLE.name, VESICLE.unknown(len(marks)))
    radii = marks.optional.get(RADIUS.name, RADIUS.unknown(len(marks)))
    named = (names != VESICLE.missing) & np.isin(marks.class_names, list(classes))
    on_membrane = named & np.isnan(radii)
    if not on_membrane.any():
        return marks
    rows: list[tuple[int, Particles]] = [
        (int(row), marks.select(np.array([row])))
        for row in np.flatnonzero(~on_membrane)
    ]
    for name in np.unique(names[on_membrane]):
        own = np.flatnonzero(named & (names == name))
        _check_one(marks, own, on_membrane, str(name))
        rows.append((int(own[0]), _fitted(marks.select(own), str(name), voxel_size)))
    rows.sort(key=lambda row: row[0])
    return join_particles(marks.tomogram_id, [particles for _, particles in rows])


def sphere_through(points: FloatArray) -> Ellipsoid:
    """Return the sphere through three or more points on a membrane, ``(N, 3)`` voxels.

    Points of a few neighbouring slices tell no sphere, but for one that they pass
    through the middle of: as those of one slice do (``sphere_of_clicks``).

    Raises
    ------
    InputDataError
        If they are too few, do not tell it, or lie off it.
    """
    surface = sphere_of_clicks(points)
    if not _is_told(surface, points):
        flat = _in_their_plane(points)
        surface = sphere_of_clicks(flat)
        if not _is_told(surface, flat) or _off(surface, flat) > MOST_OFF:
            raise InputDataError(
                f"the {len(points)} points on its membrane lie on one side of it, or "
                "too near to each other, to tell a sphere. Mark points all around it, "
                "in the section where it is largest or in several that are far apart."
            )
    off = _off(surface, points)
    if off > MOST_OFF:
        raise InputDataError(
            f"the {len(points)} points on its membrane lie {off:.0%} of the radius off "
            f"the sphere through them, which has {surface.radius:.1f} voxels. Are they "
            "of two vesicles? Give each its own name."
        )
    return surface


def _in_their_plane(points: FloatArray) -> FloatArray:
    """Return points moved into the plane that is nearest to all."""
    middle = points.mean(axis=0)
    across = np.linalg.svd(points - middle)[2][2]
    return np.asarray(points - np.outer((points - middle) @ across, across))


def _off(surface: Ellipsoid, points: FloatArray) -> float:
    """Return how far points lie off a sphere, r.m.s., of its radius."""
    return float(np.sqrt((surface.depths(points) ** 2).mean())) / surface.radius


def _is_told(surface: Ellipsoid, points: FloatArray) -> bool:
    """Tell whether points that are a little off would be on much the same sphere."""
    moved = CLICK_ERROR_VOX * _spread(points - surface.centre)
    return moved <= MOST_UNSURE * surface.radius


def _check_one(
    marks: Particles, own: NDArray[np.intp], on_membrane: NDArray[np.bool_], name: str
) -> None:
    """Refuse a name that stands for several vesicles, or for a centre and points."""
    where = f"{marks.tomogram_id}: vesicle '{name}'"
    classes = sorted(set(marks.class_names[own].tolist()))
    if len(classes) > 1:
        raise InputDataError(
            f"{where} stands in the classes {' and '.join(classes)}. Give each vesicle "
            "a name of its own."
        )
    if not on_membrane[own].all():
        raise InputDataError(
            f"{where} has a centre with a radius, and points without. Keep one of "
            "both, or give the points another name."
        )


def _fitted(points: Particles, name: str, voxel_size: float) -> Particles:
    try:
        surface = sphere_through(points.positions_zyx)
    except InputDataError as error:
        first = ", ".join(f"{p:.1f}" for p in points.positions_zyx[0][::-1])
        raise InputDataError(
            f"{points.tomogram_id}: vesicle '{name}', first point at x, y, z = "
            f"{first}: {error}"
        ) from error
    return make_particles(
        points.tomogram_id,
        [surface.centre],
        class_names=points.class_names[0],
        optional={RADIUS.name: surface.radius * voxel_size, VESICLE.name: name},
    )


def _spread(offsets: FloatArray) -> float:
    """Return by how much a point's error moves centre or radius, at the worst.

    Of points in a plane through the centre, across which it is taken to be known.
    """
    outward = offsets / np.linalg.norm(offsets, axis=1, keepdims=True)
    _, extents, axes = np.linalg.svd(outward, full_matrices=False)
    seen = extents > 1e-6 * extents[0]
    table = np.column_stack([outward @ axes[seen].T, np.ones(len(outward))])
    smallest = np.linalg.svd(table, compute_uv=False)[-1]
    return float(1.0 / max(smallest, 1e-9))
