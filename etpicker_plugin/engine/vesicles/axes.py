"""A vesicle's half axes and orientation, as the columns of a pick, and back.

The orientation is that of ``engine.orientation``: its x, y and z axes lie along the
half axes a, b and c, the shortest first. What is nearly a sphere lies in no direction:
its three half axes are the radius, and its orientation is not known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.columns import HALF_AXES, RADIUS, ROTATION, Values
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid, sphere
from etpicker_plugin.engine.vesicles.marks import known_radii

ROUND = 1.03
"""Longest half axis over the shortest, up to which a vesicle is a sphere. A fit leaves
about as much of a sphere."""


def columns_of_surfaces(
    surfaces: Sequence[Ellipsoid], *, voxel_size: float
) -> dict[str, Values]:
    """Return radii and half axes (Å) and orientations of surfaces in voxels."""
    radii = np.array([s.radius for s in surfaces])
    axes = np.array([s.half_axes for s in surfaces]).reshape(-1, 3)
    turned = np.array([_turned(s) for s in surfaces]).reshape(-1, 3, 3)
    is_round = axes[:, 2] <= ROUND * axes[:, 0]
    axes[is_round] = radii[is_round, None]
    turned[is_round] = np.nan
    return {
        RADIUS.name: radii * voxel_size,
        HALF_AXES.name: axes * voxel_size,
        ROTATION.name: turned,
    }


def surfaces_of(
    vesicles: Particles, radii_ang: FloatArray, *, voxel_size: float
) -> list[Ellipsoid]:
    """Return the surface of each vesicle, in voxels of the tomogram.

    The radius is its size, half axes and orientation its form: where somebody has
    changed a radius, the half axes grow with it. Without either it is a sphere.

    Parameters
    ----------
    vesicles
        Their centres.
    radii_ang
        ``(N,)``, as from ``vesicles.marks.radii_ang``.
    """
    count = len(vesicles)
    axes = vesicles.optional.get(HALF_AXES.name, HALF_AXES.unknown(count))
    turned = vesicles.optional.get(ROTATION.name, ROTATION.unknown(count))
    known = HALF_AXES.known(axes) & ROTATION.known(turned)
    return [
        _ellipsoid(centre, own * radius / own.mean() / voxel_size, rotation)
        if has_form
        else sphere(centre, radius / voxel_size)
        for centre, radius, own, rotation, has_form in zip(
            vesicles.positions_zyx, radii_ang, axes, turned, known, strict=True
        )
    ]


def known_surfaces(vesicles: Particles, *, voxel_size: float) -> list[Ellipsoid]:
    """Return the surface of each vesicle of a known radius, in voxels (see above)."""
    return surfaces_of(vesicles, known_radii(vesicles), voxel_size=voxel_size)


def _ellipsoid(
    centre: FloatArray, half_axes: FloatArray, rotation: FloatArray
) -> Ellipsoid:
    axes_zyx = rotation[::-1]
    return Ellipsoid(np.asarray(centre), (axes_zyx / half_axes) @ axes_zyx.T)


def _turned(surface: Ellipsoid) -> FloatArray:
    """Return R on xyz; of the four that are one ellipsoid, always the same.

    c points up, and b to the side of y.
    """
    _, b, c = surface.axes[:, ::-1]
    c = c * _sign(c[::-1])
    b = b * _sign(b[[1, 0, 2]])
    return np.stack([np.cross(b, c), b, c], axis=1)


def _sign(components: FloatArray) -> float:
    """Return the sign of the first component that is not 0."""
    told = components[np.abs(components) > 1e-9]
    return float(np.sign(told[0]))
