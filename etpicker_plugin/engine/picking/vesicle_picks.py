"""From points on membranes to a vesicle's pick: its centre, with size and form."""

import numpy as np

from etpicker_plugin.engine.columns import COMPLETENESS, DIRECTION, RESIDUAL, VESICLE
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.vesicles.axes import columns_of_surfaces
from etpicker_plugin.engine.vesicles.find import find_vesicles
from etpicker_plugin.engine.vesicles.refine import refine_on_volume
from etpicker_plugin.engine.volumes.array_volume import Readable

LEAST_SCORE = 0.4
"""Of the threshold, what a vesicle scores: the mean of its points, down to a fifth of
the threshold, times the completeness of its shell. Shells that the background makes of
such points reach 0.2 to 0.38."""


def assemble_vesicles(
    points: Peaks, species: Species, volume: Readable, *, voxel_size: float
) -> Peaks:
    """Return a row for each vesicle that the points show, the surest first.

    Parameters
    ----------
    points
        On membranes of one class, in voxels of ``volume``, down to a fifth of its
        threshold, with the column ``direction``: their normals.
    species
        The class; radii are looked for about half its diameter, and each vesicle
        reaches ``LEAST_SCORE`` of its threshold.
    volume
        In which each vesicle is refined.
    voxel_size
        Of ``volume``, Å.

    Returns
    -------
    Peaks
        Centres, which may lie outside the volume, with the columns of ``columns``
        that tell of vesicles: ``radius``, the mean of the half axes, and these with
        their orientation (see ``vesicles.axes``); ``residual`` and ``completeness`` of
        the shell that the points make; and ``vesicle``, the class's name and 1, 2 …
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
    found = [v for v in found if v.score >= LEAST_SCORE * species.threshold]
    refined = [
        refine_on_volume(vesicle.surface, volume, voxel_size=voxel_size)
        for vesicle in found
    ]
    return Peaks(
        positions_zyx=np.array([s.centre for s in refined]).reshape(-1, 3),
        scores=np.array([vesicle.score for vesicle in found]),
        channels=np.full(len(found), points.channels[0], dtype=np.intp),
        optional={
            **columns_of_surfaces(refined, voxel_size=voxel_size),
            VESICLE.name: np.array(
                [f"{species.name}_{n}" for n in range(1, len(found) + 1)], dtype=str
            ),
            RESIDUAL.name: np.array([v.residual * voxel_size for v in found]),
            COMPLETENESS.name: np.array([v.shell.completeness for v in found]),
        },
    )
