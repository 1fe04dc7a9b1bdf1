"""The engine's picks of micrographs as Scipion's sets of coordinates.

Scipion's coordinate holds whole pixels, so a pick goes to the nearest pixel: pixel *i*
is centred at *i* in both. Scipion counts from the first pixel of the first row as it is
stored (see ``convert_micrographs``). What else is known of a pick is kept beside it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import numpy as np
from pwem.objects import Coordinate, Micrograph, SetOfCoordinates
from pyworkflow.object import Float

from etpicker_plugin.convert import tell_diameters
from etpicker_plugin.convert_columns import (
    extra_cells,
    known_columns,
    set_extras,
    storable_columns,
)
from etpicker_plugin.convert_kinds import tell_kind
from etpicker_plugin.convert_micrographs import SCORE, turned_over
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles


def create_micrograph_coordinates(
    folder: str,
    suffix: str,
    *,
    micrographs: object,
    box_size: int,
    label: str,
    kind: str = PARTICLE,
    diameters: Mapping[str, float] | None = None,
) -> SetOfCoordinates:
    """Create an empty set; ``label`` says which class it holds.

    Parameters
    ----------
    suffix
        Of the file's name, to tell sets of one run apart.
    micrographs
        Pointer to the set of micrographs.
    box_size
        Pixels: what other plugins take for the particle's size.
    diameters
        Å, by class; they go with the set, for later forms, as ``kind`` does.
    """
    coordinates = SetOfCoordinates.create(
        folder, prefix="coordinates", suffix=suffix, indexes=["_micId"]
    )
    tell_kind(coordinates, kind)
    tell_diameters(coordinates, diameters or {})
    coordinates.setMicrographs(micrographs)
    coordinates.setBoxSize(box_size)
    coordinates.setObjLabel(label)
    return coordinates


def append_micrograph_picks(
    coordinates: SetOfCoordinates,
    micrograph: Micrograph,
    particles: Particles,
    *,
    classes: Collection[str],
) -> None:
    """Add the picks of these classes in one micrograph to a set.

    A score that is unknown is left empty.
    """
    particles = particles.select(np.isin(particles.class_names, list(classes)))
    particles = turned_over(particles, micrograph)
    # No place of Scipion's stands for a filament's or a vesicle's name here.
    columns = storable_columns(coordinates, known_columns([particles], kind=PARTICLE))
    for position, score, extras in zip_strict(
        particles.positions_zyx, particles.scores, extra_cells(particles)
    ):
        _, y, x = position
        coordinate = Coordinate(x=nearest_pixel(x), y=nearest_pixel(y))
        coordinate.setMicrograph(micrograph)
        setattr(coordinate, SCORE, Float(None if math.isnan(score) else float(score)))
        set_extras(coordinate, extras, columns)
        coordinates.append(coordinate)


def nearest_pixel(position: float) -> int:
    """Return the pixel in which a position lies; the later where two meet."""
    return math.floor(position + 0.5)
