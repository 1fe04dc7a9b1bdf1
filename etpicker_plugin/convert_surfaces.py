"""Points on vesicles' membranes as Scipion's meshes.

A mesh is what has one group id, the number that its vesicle has among the picks of its
tomogram. The z axis of a point's matrix is the outward normal.
"""

from __future__ import annotations

from typing import Any

from tomo.constants import BOTTOM_LEFT_CORNER
from tomo.objects import MeshPoint, SetOfMeshes, Tomogram

from etpicker_plugin.convert import scipion_matrix
from etpicker_plugin.convert_kinds import SURFACE, tell_kind, vesicle_numbers
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles


def create_meshes(
    folder: str,
    suffix: str,
    *,
    precedents: Any,
    sampling_rate: float,
    box_size: int,
    label: str,
) -> SetOfMeshes:
    """Create an empty set; ``label`` is the vesicles' class."""
    meshes = SetOfMeshes.create(folder, prefix="meshes", suffix=suffix)
    meshes.setPrecedents(precedents)
    meshes.setSamplingRate(sampling_rate)
    meshes.setBoxSize(box_size)
    meshes.setObjLabel(label)
    meshes.setNumberOfMeshes(0)
    tell_kind(meshes, SURFACE)
    return meshes


def is_mesh(coordinates: Any) -> bool:
    """Tell whether a set is of points on surfaces, and not of picks."""
    return isinstance(coordinates, SetOfMeshes)


def append_surfaces(
    meshes: SetOfMeshes, tomogram: Tomogram, vesicles: Particles, points: Particles
) -> None:
    """Add the points on vesicles of one tomogram, both of one class."""
    numbers = vesicle_numbers(points, of=vesicles)
    rotations = points.rotations
    for position, number, rotation in zip_strict(
        points.positions_zyx,
        numbers,
        [None] * len(points) if rotations is None else rotations,
    ):
        z, y, x = (float(value) for value in position)
        point = MeshPoint()
        point.setVolume(tomogram)
        point.setPosition(x, y, z, BOTTOM_LEFT_CORNER)
        point.setMatrix(scipion_matrix(rotation))
        point.setGroupId(number)
        point.setVolumeName(tomogram.getTsId())
        tell_kind(point, SURFACE)
        meshes.append(point)
    meshes.setNumberOfMeshes(meshes.getNumberOfMeshes() + len(set(numbers)))
