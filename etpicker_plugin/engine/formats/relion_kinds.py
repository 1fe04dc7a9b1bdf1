"""Which columns of RELION's a table has beside positions and angles: by kind.

RELION has one kind of particle in a table: on filaments, on membranes, or others.
"""

from __future__ import annotations

from collections.abc import Sequence

from etpicker_plugin.engine import kinds
from etpicker_plugin.engine.columns import Values
from etpicker_plugin.engine.formats.relion_helices import are_helical, helical_columns
from etpicker_plugin.engine.formats.relion_priors import (
    are_on_membranes,
    membrane_columns,
)
from etpicker_plugin.engine.particles import Particles


def kind_of(sets: Sequence[Particles]) -> str:
    """Return the kind that all particles have, else that of a particle."""
    if are_helical(sets):
        return kinds.FILAMENT
    return kinds.VESICLE if are_on_membranes(sets) else kinds.PARTICLE


def columns_of_kind(
    particles: Particles, *, kind: str, voxel_size: float, version: str
) -> dict[str, Values]:
    """Return label -> ``(N,)``; angles among them, which take the place of others."""
    if kind == kinds.FILAMENT:
        return helical_columns(particles, voxel_size=voxel_size, version=version)
    if kind == kinds.VESICLE:
        return membrane_columns(particles, version=version)
    return {}
