"""Where labels are painted: at centres, along filaments, and on membranes.

A label is a ball. Balls in a row make a tube, and balls on a sphere a shell: so a
filament or a vesicle is learnt as particles are, from the points that it is made of.
In a micrograph discs make a band, and a ring where a vesicle's rim is seen.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.filaments.curve import curve_through, equidistant
from etpicker_plugin.engine.filaments.marks import filaments_of
from etpicker_plugin.engine.geometry import lies_outside
from etpicker_plugin.engine.kinds import FILAMENT, VESICLE
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.vesicles.axes import surfaces_of
from etpicker_plugin.engine.vesicles.marks import radii_ang
from etpicker_plugin.engine.vesicles.surface import even_points
from etpicker_plugin.engine.volumes.working_volume import WorkingVolume

SPACING_VOX = 2.0
"""Working voxels between points: a voxel of the default network's output."""


def support_of(
    marks: Particles, volume: WorkingVolume, species: Sequence[Species]
) -> tuple[FloatArray, NDArray[np.intp], NDArray[np.intp]]:
    """Return points ``(N, 3)``, zyx working voxels, their channels and marks ``(N,)``.

    Points of one filament or vesicle are of one mark.

    Parameters
    ----------
    marks
        In the tomogram's own voxels.
    species
        In the order of the channels; marks of other classes are left out.

    Raises
    ------
    InputDataError
        If the marks of a filament or vesicle are none.
    """
    parts = [
        (points, channel)
        for channel, one in enumerate(species)
        for points in _support(marks, volume, one)
    ]
    lengths = np.array([len(points) for points, _ in parts], dtype=np.intp)
    return (
        np.concatenate([np.zeros((0, 3)), *(points for points, _ in parts)]),
        np.repeat(np.array([c for _, c in parts], dtype=np.intp), lengths),
        np.repeat(np.arange(len(parts), dtype=np.intp), lengths),
    )


def _support(marks: Particles, volume: WorkingVolume, one: Species) -> list[FloatArray]:
    """Return the points of each mark of a class."""
    own = marks.of_class(one.name)
    if one.kind == FILAMENT:
        curves = (
            curve_through(volume.to_working(filament.points_zyx))
            for filament in filaments_of(marks, one.name)
        )
        return [c.points(equidistant(c.length, SPACING_VOX)) for c in curves]
    if one.kind == VESICLE:
        voxel_size = volume.scale * volume.tomogram.voxel_size
        radii = radii_ang(own, diameter_ang=one.diameter_ang)
        there = replace(own, positions_zyx=volume.to_working(own.positions_zyx))
        membranes = (
            even_points(surface, SPACING_VOX, is_flat=volume.shape_zyx[0] == 1)
            for surface in surfaces_of(there, radii, voxel_size=voxel_size)
        )
        return [m[~lies_outside(m, volume.shape_zyx)] for m in membranes]
    return list(volume.to_working(own.positions_zyx)[:, None])
