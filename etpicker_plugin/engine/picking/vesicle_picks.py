"""From points on membranes to a vesicle's pick: its centre, with its radius."""

import numpy as np

from etpicker_plugin.engine.columns import DIRECTION, RADIUS
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.vesicles.find import find_vesicles
from etpicker_plugin.engine.vesicles.refine import refine_on_volume
from etpicker_plugin.engine.volumes.array_volume import Readable


def assemble_vesicles(
    points: Peaks, species: Species, volume: Readable, *, voxel_size: float
) -> Peaks:
    """Return a row for each vesicle that the points show, the surest first.

    Parameters
    ----------
    points
        On membranes of one class, in voxels of ``volume``, with the column
        ``direction``: their normals.
    species
        The class; radii are looked for about half its diameter.
    volume
        In which each vesicle is refined.
    voxel_size
        Of ``volume``, Å.

    Returns
    -------
    Peaks
        Centres, which may lie outside the volume, with the column ``radius``: the mean
        of the half axes, Å.
    """
    if len(points) == 0:
        return join_peaks([])
    found = find_vesicles(
        points.positions_zyx,
        points.optional[DIRECTION.name],
        points.scores,
        diameter_vox=species.diameter_ang / voxel_size,
        shape_zyx=volume.shape_zyx,
    )
    refined = [
        refine_on_volume(vesicle.surface, volume, voxel_size=voxel_size)
        for vesicle in found
    ]
    return Peaks(
        positions_zyx=np.array([s.centre for s in refined]).reshape(-1, 3),
        scores=np.array([vesicle.score for vesicle in found]),
        channels=np.full(len(found), points.channels[0], dtype=np.intp),
        optional={RADIUS.name: np.array([s.radius * voxel_size for s in refined])},
    )
