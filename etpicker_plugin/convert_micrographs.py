"""Scipion's micrographs and their coordinates, as the engine reads them.

A micrograph is called by its ``micName`` without the ending: several sets of the same
micrographs (aligned, denoised, imported again) keep that name, their ids may differ.

Scipion counts x and y of a coordinate from the first pixel of the first row of the
image as it is stored, in whole pixels, and means the particle's centre: x, y is read as
``(0, y, x)``, with nothing added or scaled. So does the engine in MRC; of TIFF it reads
the last row first, as RELION does, and Scipion and Xmipp the first one. So what goes to
the engine beside an image, or comes from it, is ``turned_over`` for TIFF.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pwem.objects import (
    Coordinate,
    Micrograph,
    SetOfCoordinates,
    SetOfMicrographs,
)

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.names import require_file_name
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.volumes.mrc_file import open_mrc
from etpicker_plugin.engine.volumes.tiff_file import is_tiff, tiff_shape

SCORE = "_etpickerScore"
"""Attribute of a coordinate that holds a pick's score."""

SCORES = (SCORE, "_cryoloScore", "_topazScore", "_rlnAutopickFigureOfMerit")
"""Where pickers put their scores; Scipion has no place of its own for it."""

NO_SCORE = -999.0
"""What RELION writes of a particle that a human has picked."""


class Pick(NamedTuple):
    """A coordinate of Scipion: where it is, what a picker thought of it, and more.

    ``item`` is the set's own object, which the next coordinate takes over.
    """

    micrograph: str
    position_zyx: tuple[float, float, float]
    score: float
    item: Coordinate


def micrograph_name(item: Micrograph | Coordinate) -> str:
    """Return the name of a micrograph, or of the one that a coordinate is of.

    Raises
    ------
    InputDataError
        If a file of ours cannot be called so.
    """
    name = item.getMicName()
    if not name and isinstance(item, Micrograph):
        name = item.getFileName()
    return _stem(name) if name else ""


def micrographs_by_name(micrographs: SetOfMicrographs) -> dict[str, Micrograph]:
    """Return a copy of every micrograph by its name, in the order of the names.

    Raises
    ------
    InputDataError
        If two of them have one name.
    """
    found: dict[str, Micrograph] = {}
    for item in micrographs.iterItems():
        name = micrograph_name(item)
        if name in found:
            raise InputDataError(
                f"Two micrographs are called '{name}': {found[name].getFileName()} and "
                f"{item.getFileName()}. Import them again under names of their own."
            )
        found[name] = item.clone()
    return dict(sorted(found.items()))


def micrograph_file(micrograph: Micrograph) -> str:
    """Return the file of a micrograph.

    Raises
    ------
    InputDataError
        If it is one of a stack.
    """
    index, file = micrograph.getLocation()
    if index > 1:
        raise InputDataError(
            f"Micrograph {micrograph_name(micrograph)} is image {index} of a stack, "
            f"{file}. Expected a file for each micrograph. Split the stack, and import "
            "the files."
        )
    return str(file)


def micrograph_link(micrograph: Micrograph) -> str:
    """Return what a link to a micrograph is called: the ending tells TIFF from MRC."""
    ending = ".tif" if is_tiff(micrograph_file(micrograph)) else ".mrc"
    return micrograph_name(micrograph) + ending


def micrograph_shape(micrograph: Micrograph) -> tuple[int, int, int]:
    """Return the size in pixels, zyx, by the header of its file.

    Raises
    ------
    InputDataError
        If that cannot be read.
    """
    file = Path(micrograph_file(micrograph))
    if is_tiff(file):
        return tiff_shape(file)
    return open_mrc(file, what=f"Micrograph {file}").header.shape_zyx


def turned_over(particles: Particles, image: Any) -> Particles:
    """Return particles with y as the engine counts it in an image's file, or back.

    But for micrographs in TIFF these are the same, and the particles stay as they are.
    """
    if not isinstance(image, Micrograph) or not is_tiff(micrograph_file(image)):
        return particles
    positions = particles.positions_zyx.copy()
    positions[:, 1] = micrograph_shape(image)[1] - 1 - positions[:, 1]
    return dataclasses.replace(particles, positions_zyx=positions)


def picks_of(coordinates: SetOfCoordinates) -> Iterator[Pick]:
    """Yield every coordinate of a set; a score is NaN where no picker gave one.

    A coordinate that does not name its micrograph is of the one of its id, among the
    set's own.

    Raises
    ------
    InputDataError
        If there is none of that id.
    """
    names: dict[int, str] = {}
    for item in coordinates.iterItems():
        name = micrograph_name(item)
        if not name:
            names = names or _names_by_id(coordinates)
            name = names.get(item.getMicId(), "")
        if not name:
            raise InputDataError(
                f"{item.getClassName()} {item.getObjId()} is of micrograph "
                f"{item.getMicId()}, which the coordinates' set of micrographs does "
                "not have. Give coordinates with the micrographs they were picked in."
            )
        position_zyx = (0.0, float(item.getY()), float(item.getX()))
        yield Pick(name, position_zyx, _score(item), item)


def picked_micrographs(coordinates: SetOfCoordinates) -> list[str]:
    """Return the names of the micrographs that have a coordinate, sorted."""
    if not coordinates.getSize():
        return []
    said = coordinates.getUniqueValues("_micName")
    if all(said):  # Reading every coordinate takes seconds where there are many.
        return sorted({_stem(name) for name in said})
    return sorted({pick.micrograph for pick in picks_of(coordinates)})


def _stem(name: str) -> str:
    stem = os.path.splitext(os.path.basename(name))[0]
    return require_file_name(stem, what="Micrograph")


def _names_by_id(coordinates: SetOfCoordinates) -> dict[int, str]:
    micrographs = coordinates.getMicrographs()
    return {item.getObjId(): micrograph_name(item) for item in micrographs.iterItems()}


def _score(coordinate: Coordinate) -> float:
    for name in SCORES:
        value = getattr(coordinate, name, None)
        if value is not None and value.hasValue() and value.get() != NO_SCORE:
            return float(value.get())
    return float("nan")
