"""A species: what a model knows of one class of particles."""

from __future__ import annotations

from dataclasses import dataclass, field

from etpicker_plugin.engine.kinds import PARTICLE, VESICLE

MEMBRANE_ANG = 70.0
"""Thickness of a bilayer as a tomogram shows it."""


@dataclass(frozen=True)
class SizeVox:
    """Across what is marked, and across its weak label, in voxels."""

    diameter: float
    label_diameter: float


@dataclass(frozen=True)
class Species:
    """One class of particles; its place among others is its channel.

    Attributes
    ----------
    diameter_ang, label_diameter_ang
        Of the particle, and of the weak label at its centre, Å. Of a filament: of the
        tube, and of the label along its centreline. Of a vesicle: a usual diameter, and
        the thickness of the label on its membrane.
    threshold
        Lowest score of a pick; 0 before one is chosen, infinite where none is wanted.
    flat_log_odds
        What a pick's score loses for each deviation that the contrast around it is
        below the usual (``picking.flat_places``).
    metrics
        What was measured on held-out particles: precision, recall, f1; and how many
        particles there were.
    kind
        One of ``engine.kinds``.
    section
        Of filaments of which the way is told: density along the axis and beside it, as
        marked ones run (``filaments.polarity``).
    """

    name: str
    diameter_ang: float
    label_diameter_ang: float
    threshold: float = 0.0
    flat_log_odds: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    kind: str = PARTICLE
    section: tuple[tuple[float, ...], ...] = ()

    @property
    def across_ang(self) -> float:
        """Across a particle, a filament, or the membrane of a vesicle, Å."""
        return across_ang(self.diameter_ang, self.kind)

    def size_vox(self, voxel_size: float) -> SizeVox:
        """Return the sizes in voxels of this size (Å)."""
        return SizeVox(
            diameter=self.across_ang / voxel_size,
            label_diameter=self.label_diameter_ang / voxel_size,
        )


def across_ang(diameter_ang: float, kind: str) -> float:
    """Return what is across a thing of this kind, Å: of a vesicle, its membrane."""
    return MEMBRANE_ANG if kind == VESICLE else diameter_ang
