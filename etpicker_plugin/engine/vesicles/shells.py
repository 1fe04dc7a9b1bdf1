"""How much of a vesicle's surface is there, of what a tomogram can show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from etpicker_plugin.engine.arrays import FloatArray, Shape
from etpicker_plugin.engine.geometry import lies_outside
from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid
from etpicker_plugin.engine.vesicles.marks import sphere_directions

PATCHES = sphere_directions(400)
PATCH_REACH = 0.24
"""From the middle of a patch, how far the points lie that show it, as an angle."""

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


def judge_shell(vesicle: Ellipsoid, points: FloatArray, shape_zyx: Shape) -> Shell:
    """Return how much of a vesicle its own points ``(N, 3)`` show."""
    surface = vesicle.surface(PATCHES)
    inside = ~lies_outside(surface, shape_zyx)
    upright = np.abs(vesicle.normals(surface)[:, 0]) <= STEEPEST
    expected = inside & upright
    if expected.mean() < FEWEST_EXPECTED:
        expected = inside
    if len(points) == 0 or not expected.any():
        return Shell(0.0, 0.0)
    tree = cKDTree(vesicle.directions(points))
    shown = np.isfinite(tree.query(PATCHES, distance_upper_bound=PATCH_REACH)[0])
    return Shell(float(shown[expected].mean()), float(shown.mean()))
