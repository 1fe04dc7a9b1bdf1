"""Where labels are painted: at centres, along filaments, and on membranes.

A label is a ball. Balls in a row make a tube, and balls on a sphere a shell: so a
filament or a vesicle is learnt as particles are, from the points that it is made of.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.filaments.curve import curve_through, equidistant
from etpicker_plugin.engine.filaments.marks import filaments_of
from etpicker_plugin.engine.kinds import FILAMENT, VESICLE
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.vesicles.marks import radii_ang, surface_points
from etpicker_plugin.engine.volumes.working_volume import WorkingVolume

SPACING_VOX = 2.0
"""Working voxels between points: a voxel of the default network's output."""


def support_of(
    marks: Particles, volume: WorkingVolume, species: Sequence[Species]
) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return points ``(N, 3)``, zyx working voxels, and their channels ``(N,)``.

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
    positions = [np.zeros((0, 3))]
    channels = [np.zeros(0, np.intp)]
    for channel, one in enumerate(species):
        points = _support(marks, volume, one)
        positions.append(points)
        channels.append(np.full(len(points), channel, np.intp))
    return np.concatenate(positions), np.concatenate(channels)


def _support(marks: Particles, volume: WorkingVolume, one: Species) -> FloatArray:
    own = marks.of_class(one.name)
    parts = [np.zeros((0, 3))]
    if one.kind == FILAMENT:
        for filament in filaments_of(marks, one.name):
            curve = curve_through(volume.to_working(filament.points_zyx))
            parts.append(curve.points(equidistant(curve.length, SPACING_VOX)))
    elif one.kind == VESICLE:
        voxel_size = volume.scale * volume.tomogram.voxel_size
        radii = radii_ang(own, diameter_ang=one.diameter_ang) / voxel_size
        centres = volume.to_working(own.positions_zyx)
        parts += [
            surface_points(centre, radius, SPACING_VOX, shape_zyx=volume.shape_zyx)
            for centre, radius in zip(centres, radii, strict=True)
        ]
    else:
        parts.append(volume.to_working(own.positions_zyx))
    return np.concatenate(parts)
