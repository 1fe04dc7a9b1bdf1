"""How a filament is traced: lengths that follow from its width."""

from __future__ import annotations

import math
from dataclasses import dataclass

STEP_DIAMETERS = 1 / 3
"""About a subunit: 83 Å of a microtubule of 250 Å, 27 Å of an actin filament of 80."""

GAP_DIAMETERS = 5.0
LENGTH_DIAMETERS = 3.0
BEND_DIAMETERS = 10.0

POINT_SPACING = 2.0
"""Working voxels between ridge points: one voxel of the default network's output."""

SCATTER_SPACINGS = 10.0
"""Fewer ridge points in a row do not tell a bend from their scatter."""


TURN_IN_GAP = math.radians(45.0)
TURN_IN_FLAT_GAP = math.radians(20.0)
"""Where they lie in a plane many filaments cross, and their directions scatter less."""


@dataclass(frozen=True, kw_only=True)
class TraceSettings:
    """Lengths in voxels.

    Attributes
    ----------
    voxel_size
        Å.
    width
        Of the tube: what lies nearer to a traced filament than half of it, and along
        it, is that filament's own.
    spacing
        Between neighbouring ridge points: one voxel of the probability. They scatter
        about the filament by less.
    step
        Between the points that a filament is handed on as.
    gap
        The longest piece without ridge points that a filament goes on through.
    min_length
        What is shorter is no filament.
    min_radius
        Of curvature: what bends more is cut in two.
    turn_in_gap
        How much the direction behind a gap may differ from that of the arc that leads
        there, radians.
    twist
        Degrees by which the frame of a point is turned about the filament, for each
        voxel of the way; right-handed if positive.
    """

    voxel_size: float
    width: float
    spacing: float
    step: float
    gap: float
    min_length: float
    min_radius: float
    turn_in_gap: float = TURN_IN_GAP
    twist: float = 0.0

    @property
    def stiffness(self) -> float:
        """Return the length over which a bend is measured: what bends in less scatters.

        Half the least radius of curvature, in which a filament turns by 29° at most.
        """
        return max(self.min_radius / 2, SCATTER_SPACINGS * self.spacing)


def trace_settings(
    diameter_ang: float,
    voxel_size: float,
    *,
    spacing: float = POINT_SPACING,
    step_ang: float | None = None,
    gap_ang: float | None = None,
    min_length_ang: float | None = None,
    min_radius_ang: float | None = None,
    twist_per_ang: float = 0.0,
) -> TraceSettings:
    """Return the lengths in voxels: those given (Å), or what suits the diameter.

    ``spacing`` is in voxels.
    """

    def length(given: float | None, diameters: float) -> float:
        return (given or diameters * diameter_ang) / voxel_size

    return TraceSettings(
        voxel_size=voxel_size,
        width=diameter_ang / voxel_size,
        spacing=spacing,
        step=length(step_ang, STEP_DIAMETERS),
        gap=length(gap_ang, GAP_DIAMETERS),
        min_length=length(min_length_ang, LENGTH_DIAMETERS),
        min_radius=length(min_radius_ang, BEND_DIAMETERS),
        twist=twist_per_ang * voxel_size,
    )
