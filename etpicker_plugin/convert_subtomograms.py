"""Scipion's subtomograms <-> the engine's tables of boxes.

Beside what every subtomogram has, ours carry the file of their missing wedge and
their particle's diameter, so that a subset or a join of sets can still be averaged.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pwem.objects import FSC, Transform
from pyworkflow.object import Float, Integer, String
from tomo.constants import BOTTOM_LEFT_CORNER
from tomo.objects import (
    AverageSubTomogram,
    Coordinate3D,
    SetOfCoordinates3D,
    SetOfSubTomograms,
    SubTomogram,
    TomoAcquisition,
)

from etpicker_plugin.convert import engine_rotations, scipion_matrix, tomograms_by_id
from etpicker_plugin.convert_kinds import NUMBERED, SURFACE, tell_kind, told_kind
from etpicker_plugin.engine.kinds import FILAMENT
from etpicker_plugin.engine.newer_python import without_end, zip_strict
from etpicker_plugin.engine.orientation import from_relion_angles
from etpicker_plugin.engine.particles import Particles, make_particles
from etpicker_plugin.engine.relion.poses import ANGLES, alignment_matrices
from etpicker_plugin.engine.subtomograms.star import (
    BoxSet,
    Optics,
    write_particles_star,
)
from etpicker_plugin.engine.volumes.tomogram import copy_map

if TYPE_CHECKING:
    import pandas as pd

ORIGINS = ("rlnOriginXAngst", "rlnOriginYAngst", "rlnOriginZAngst")
SCORES = ("rlnLogLikeliContribution", "rlnMaxValueProbDistribution")
WEDGE = "_wedge"
DIAMETER = "_diameter"
WITH_PRIORS = (FILAMENT, SURFACE)
"""What boxes lie on that knows how they are turned, but for the turn about z."""


def coordinates_by_place(
    coordinates: SetOfCoordinates3D,
) -> dict[tuple[str, ...], Coordinate3D]:
    """Return a copy of every coordinate by tsId and position, as CSV rounds it."""
    tomograms = tomograms_by_id(coordinates.getPrecedents())
    found = {}
    for item in coordinates.iterCoordinates():
        place = place_key(item.getTomoId(), item.getPosition(BOTTOM_LEFT_CORNER))
        copy = Coordinate3D()
        copy.copy(item, ignoreAttrs=["_volumeName"])  # a point of a mesh has it
        copy.setVolume(tomograms[item.getTomoId()])
        found[place] = copy
    return found


def place_key(ts_id: str, xyz) -> tuple[str, ...]:
    """Return a tsId and a position to 0.001 voxel."""
    return (ts_id, *(f"{float(value) + 0.0:.3f}" for value in xyz))


def tomogram_of_row(row) -> str:
    """Return the tsId of a row of a table of boxes."""
    return without_end(str(row.rlnMicrographName), ".mrc")


def make_subtomograms(
    folder: str,
    table: pd.DataFrame,
    *,
    boxes_folder: str,
    coordinates,
    voxel_size: float,
    diameters: dict[str, float],
    acquisition: TomoAcquisition,
    kind: str,
) -> SetOfSubTomograms:
    """Return the set of a table that 'extract' wrote; ``coordinates`` is a pointer.

    A subtomogram is turned as its coordinate is: not at all for most pickers. ``kind``
    says what its group id numbers (see ``convert_kinds``).
    """
    subtomograms = SetOfSubTomograms.create(folder, template="subtomograms%s.sqlite")
    subtomograms.setSamplingRate(voxel_size)
    subtomograms.setCoordinates3D(coordinates)
    subtomograms.setAcquisition(acquisition)
    places = coordinates_by_place(coordinates.get())
    for row in table.itertuples():
        ts_id = tomogram_of_row(row)
        xyz = (row.rlnCoordinateX, row.rlnCoordinateY, row.rlnCoordinateZ)
        coordinate = places[place_key(ts_id, xyz)]
        if kind == FILAMENT:  # marks get their orientation when boxes are cut
            (rotation,) = from_relion_angles([[getattr(row, name) for name in ANGLES]])
            coordinate.setMatrix(scipion_matrix(rotation))
        item = SubTomogram()
        item.setFileName(os.path.join(boxes_folder, row.rlnImageName))
        item.setSamplingRate(voxel_size)
        item.setCoordinate3D(coordinate)
        tell_kind(item, kind)
        item.setVolName(ts_id)
        item.setTransform(Transform(coordinate.getMatrix()))
        item.setClassId(coordinate.getGroupId())
        setattr(item, WEDGE, String(os.path.join(boxes_folder, row.rlnCtfImage)))
        setattr(item, DIAMETER, Float(diameters[row.etpickerClassName]))
        subtomograms.append(item)
    subtomograms.write()
    return subtomograms


def make_acquisition(tilt_range, *, tilt_axis: str, voltage: float, aberration: float):
    """Return what an extraction knows of the microscope."""
    acquisition = TomoAcquisition()
    acquisition.setAngleMin(float(tilt_range[0]))
    acquisition.setAngleMax(float(tilt_range[1]))
    acquisition.setTiltAxisAngle(0.0 if tilt_axis == "y" else 90.0)
    acquisition.setVoltage(voltage)
    acquisition.setSphericalAberration(aberration)
    acquisition.setAmplitudeContrast(0.1)
    acquisition.setMagnification(1)
    return acquisition


def has_wedges(subtomograms: SetOfSubTomograms) -> bool:
    """Tell whether a set is of ours: every item has its wedge."""
    first = subtomograms.getFirstItem()
    return first is not None and bool(getattr(first, WEDGE, None))


def are_on_filaments(subtomograms: SetOfSubTomograms) -> bool:
    """Tell whether a set of ours was cut along filaments."""
    return told_kind(subtomograms.getFirstItem()) == FILAMENT


def largest_diameter(subtomograms: SetOfSubTomograms) -> float | None:
    """Return the largest particle diameter of a set of ours in Å."""
    found = [value for value in subtomograms.getUniqueValues(DIAMETER) if value]
    return max(map(float, found), default=None)


def write_boxes(subtomograms: SetOfSubTomograms, star: Path) -> None:
    """Write a set of ours, or a subset of one, as the engine's table of boxes."""
    rows = defaultdict(list)
    for item in subtomograms.iterSubtomos():
        coordinate = item.getCoordinate3D()
        wedge = os.path.abspath(getattr(item, WEDGE).get())
        tomogram = coordinate.getVolume()
        key = (item.getVolName(), wedge, tomogram.getSamplingRate())
        xyz = coordinate.getPosition(BOTTOM_LEFT_CORNER)
        rows[key].append(
            (
                xyz[::-1],
                os.path.abspath(item.getFileName()),
                coordinate.getGroupId(),
                np.array(coordinate.getMatrix(), dtype=np.float64),
            )
        )
    kind = told_kind(subtomograms.getFirstItem())
    sets = [
        BoxSet(
            particles=_placed(ts_id, found, kind=kind),
            images=[row[1] for row in found],
            wedge=wedge,
            voxel_size=voxel_size,
        )
        for (ts_id, wedge, voxel_size), found in rows.items()
    ]
    acquisition = subtomograms.getAcquisition()
    optics = Optics(
        box=subtomograms.getFirstItem().getDim()[0],
        voxel_size=subtomograms.getSamplingRate(),
        voltage=acquisition.getVoltage() or 300.0,
        spherical_aberration=acquisition.getSphericalAberration() or 2.7,
    )
    write_particles_star(sets, star, optics=optics)


def _placed(ts_id: str, rows: list[tuple], *, kind: str) -> Particles:
    """Return the places of boxes; on filaments and membranes with what these tell."""
    positions = [row[0] for row in rows]
    if kind not in WITH_PRIORS:
        return make_particles(ts_id, positions)
    return make_particles(
        ts_id,
        positions,
        rotations=engine_rotations([row[3] for row in rows]),
        optional={NUMBERED[kind].name: [str(row[2]) for row in rows]},
    )


def align_subtomograms(
    aligned: SetOfSubTomograms, subtomograms: SetOfSubTomograms, table: pd.DataFrame
) -> None:
    """Append the subtomograms with the poses, classes and scores of a table."""
    voxel_size = subtomograms.getSamplingRate()
    matrices = alignment_matrices(
        table[list(ANGLES)], table[list(ORIGINS)], voxel_size=voxel_size
    )
    rows = {row.rlnImageName: row for row in table.itertuples()}
    poses = dict(zip_strict(table["rlnImageName"], matrices))
    for item in subtomograms.iterItems():
        name = os.path.abspath(item.getFileName())
        matrix, row = poses[name], rows[name]
        item.setTransform(Transform(np.asarray(matrix)))
        item.setClassId(int(row.rlnClassNumber))
        for name in SCORES:
            setattr(item, f"_{name}", Float(float(getattr(row, name))))
        if hasattr(row, "rlnRandomSubset"):
            item._rlnRandomSubset = Integer(int(row.rlnRandomSubset))
        aligned.append(item)


def make_average(
    path: str, *, voxel_size: float, halves: list[str] | None = None
) -> AverageSubTomogram:
    """Return a map as Scipion's average, with its half maps."""
    average = AverageSubTomogram()
    average.setFileName(path)
    average.setSamplingRate(voxel_size)
    if halves:
        average.setHalfMaps(halves)
    return average


def make_fsc(label: str, frequencies, values) -> FSC:
    """Return one curve over spatial frequencies (1/Å)."""
    curve = FSC(objLabel=label)
    curve.setData(list(frequencies), list(values))
    return curve


def export_map(volume, path):
    """Write a Scipion map as an MRC file whose header holds its sampling rate.

    Raises
    ------
    InputDataError
        If the file cannot be read, or its header states another voxel size.
    """
    copy_map(map_file(volume), path, volume.getSamplingRate())


def map_file(volume):
    """Return a map's file without a reader's suffix (``file.mrc:mrc``)."""
    return Path(volume.getFileName().split(":")[0])
