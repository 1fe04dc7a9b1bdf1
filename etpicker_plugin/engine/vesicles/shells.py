"""How much of a vesicle's surface is there, of what a tomogram can show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from etpicker_plugin.engine.arrays import FloatArray, Shape
from etpicker_plugin.engine.geometry import lies_outside
from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid
from etpicker_plugin.engine.vesicles.marks import directions_of

PATCHES = directions_of(400, is_flat=False)
RIM_PATCHES = directions_of(60, is_flat=True)
PATCH_REACH = 0.24
"""From the middle of a patch, how far the points lie that show it, as an angle."""
RIM_REACH_VOX = 3.5
"""The same along a rim, which has a point in nearly each voxel."""

STEEPEST = 0.6
"""z of a normal: where it is more, the missing wedge may have taken the membrane."""

FEWEST_EXPECTED = 0.1
"""Share of the patches. Where fewer stand upright in the volume, all in it count."""


@dataclass(frozen=True)
class Shell:
    """How much of a vesicle is there.

    Attributes
    ----------
    completeness
        Share of what can be expected, in the volume and outside the missing wedge.
    share
        Of the whole surface.
    """

    completeness: float
    share: float


def patches_of(*, is_flat: bool) -> FloatArray:
    """Return the middles of a surface's patches: all around, or along its outline."""
    return RIM_PATCHES if is_flat else PATCHES


def judge_shell(vesicle: Ellipsoid, points: FloatArray, shape_zyx: Shape) -> Shell:
    """Return how much of a vesicle its own points ``(N, 3)`` show."""
    is_flat = shape_zyx[0] == 1
    patches = patches_of(is_flat=is_flat)
    reach = RIM_REACH_VOX / vesicle.radius if is_flat else PATCH_REACH
    surface = vesicle.surface(patches)
    inside = ~lies_outside(surface, shape_zyx)
    upright = np.abs(vesicle.normals(surface)[:, 0]) <= STEEPEST
    expected = inside & upright
    if expected.mean() < FEWEST_EXPECTED:
        expected = inside
    if len(points) == 0 or not expected.any():
        return Shell(0.0, 0.0)
    tree = cKDTree(vesicle.directions(points))
    shown = np.isfinite(tree.query(patches, distance_upper_bound=reach)[0])
    return Shell(float(shown[expected].mean()), float(shown.mean()))
