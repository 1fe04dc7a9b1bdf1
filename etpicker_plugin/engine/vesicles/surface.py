"""Points spread evenly over vesicles' membranes, each with its outward normal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray, Shape
from etpicker_plugin.engine.columns import ROTATION, VESICLE
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.geometry import lies_outside
from etpicker_plugin.engine.orientation import along_axes
from etpicker_plugin.engine.particles import Particles, join_particles, make_particles
from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid
from etpicker_plugin.engine.vesicles.marks import directions_of

GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
HEIGHTS, TURNS = 513, 256
"""Of the table that the area is added up in: along the longest axis and around it."""

MOST = 1_000_000


def even_points(
    surface: Ellipsoid, spacing: float, *, is_flat: bool = False
) -> FloatArray:
    """Return points on an ellipsoid, one for each square of the spacing.

    Of one that is seen in a micrograph, points on its outline, about the spacing apart.

    ``(N, 3)`` zyx, in the unit of the ellipsoid. They stand on a Fibonacci lattice that
    is carried to the ellipsoid by a map that keeps areas: each stands for the same one.

    Raises
    ------
    InputDataError
        If there would be more than a million.
    """
    if is_flat:
        around = max(1, round(2.0 * np.pi * surface.radius / spacing))
        return surface.surface(directions_of(around, is_flat=True))
    half_axes = surface.half_axes
    height, share, area = _area_above(half_axes)
    count = max(1, round(area / spacing**2))
    if count > MOST:
        raise InputDataError(
            f"{count} points on a membrane, a step of {spacing:.2g} voxels apart: more "
            f"than {MOST}. Give a longer step, in Å."
        )
    number = np.arange(count)
    at_height = np.interp((number + 0.5) / count, share, height)
    turns = _turns_with(np.mod(number * GOLDEN, 1.0), at_height, half_axes)
    across = np.sqrt(1.0 - at_height**2)
    directions = np.stack(
        [across * np.cos(turns), across * np.sin(turns), at_height], axis=1
    )
    return np.asarray(surface.centre + (directions * half_axes) @ surface.axes)


def _area_above(half_axes: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Return heights on the unit sphere, the share of the area up to them, and all."""
    height = np.linspace(-1.0, 1.0, HEIGHTS)
    turn = np.arange(TURNS) * (2.0 * np.pi / TURNS)
    band = _growth(height[:, None], turn, half_axes).mean(axis=1) * 2.0 * np.pi
    pieces = (band[1:] + band[:-1]) / 2.0 * np.diff(height)
    summed = np.concatenate([[0.0], np.cumsum(pieces)])
    return height, summed / summed[-1], float(summed[-1])


def _growth(height: FloatArray, turn: FloatArray, half_axes: FloatArray) -> FloatArray:
    """Return by how much a piece of the unit sphere grows on the ellipsoid."""
    across = np.sqrt(np.maximum(1.0 - height**2, 0.0))
    a, b, c = half_axes
    normal = np.sqrt(
        (across * np.cos(turn) / a) ** 2
        + (across * np.sin(turn) / b) ** 2
        + (height / c) ** 2
    )
    return np.asarray(a * b * c * normal)


def _turns_with(
    shares: FloatArray, heights: FloatArray, half_axes: FloatArray
) -> FloatArray:
    """Return ``(N,)`` turns, up to which lies such a share of the area of a ring."""
    edges = np.linspace(0.0, 2.0 * np.pi, TURNS + 1)
    middles = (edges[1:] + edges[:-1]) / 2.0
    turns = np.empty_like(heights)
    for i, (share, height) in enumerate(zip(shares, heights, strict=True)):
        summed = np.cumsum(_growth(height, middles, half_axes))
        turns[i] = np.interp(share, np.append(0.0, summed) / summed[-1], edges)
    return turns


def surface_of_vesicles(
    vesicles: Particles,
    surfaces: Sequence[Ellipsoid],
    *,
    spacing_vox: float,
    shape_zyx: Shape,
) -> Particles:
    """Return points on vesicles' membranes, those outside the tomogram left out.

    Parameters
    ----------
    vesicles
        Centres in one tomogram.
    surfaces
        Of each, in voxels.
    spacing_vox
        There is a point for each square of it.

    Returns
    -------
    Particles
        With the vesicle's class, score and name (``CLASS_NUMBER`` where it has none),
        and an orientation whose z axis is the outward normal; how it is turned about
        that nothing says.
    """
    names = vesicle_names(vesicles)
    parts = []
    for row, (surface, name) in enumerate(zip(surfaces, names, strict=True)):
        points = even_points(surface, spacing_vox, is_flat=shape_zyx[0] == 1)
        points = points[~lies_outside(points, shape_zyx)]
        parts.append(
            make_particles(
                vesicles.tomogram_id,
                points,
                class_names=vesicles.class_names[row],
                scores=vesicles.scores[row],
                optional={
                    ROTATION.name: along_axes(surface.normals(points)[:, ::-1]),
                    VESICLE.name: name,
                },
            )
        )
    empty = vesicles.select(np.zeros(len(vesicles), dtype=bool))
    return join_particles(vesicles.tomogram_id, parts or [empty])


def vesicle_names(vesicles: Particles) -> list[str]:
    """Return the name of each vesicle, ``CLASS_NUMBER`` where it has none."""
    known = vesicles.optional.get(VESICLE.name, VESICLE.unknown(len(vesicles)))
    classes = vesicles.class_names
    numbers = [np.count_nonzero(classes[: i + 1] == c) for i, c in enumerate(classes)]
    return [
        str(name) or f"{c}_{number}"
        for name, c, number in zip(known, classes, numbers, strict=True)
    ]
