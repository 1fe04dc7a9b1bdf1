"""From points to things: curves from points on lines, vesicles from those on sheets."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.columns import DIRECTION
from etpicker_plugin.engine.filaments.settings import TraceSettings
from etpicker_plugin.engine.geometry import lies_outside
from etpicker_plugin.engine.kinds import FILAMENT, VESICLE
from etpicker_plugin.engine.names import image_word
from etpicker_plugin.engine.picking.filament_picks import (
    assemble_filaments,
    without_walls,
)
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks
from etpicker_plugin.engine.picking.vesicle_picks import assemble_vesicles
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.volumes.array_volume import Readable

logger = logging.getLogger(__name__)


def assemble(
    chosen: Peaks,
    volume: Readable,
    species: Sequence[Species],
    *,
    image_shape_zyx: Shape,
    voxel_size: float,
    filaments: Mapping[str, TraceSettings],
) -> Peaks:
    """Return picks: particles as they are, points of other kinds put together.

    A row is a particle, a point of a filament, in order along it, or a vesicle.

    Parameters
    ----------
    chosen
        As from ``choose``, in voxels of ``volume``.
    species
        In the order of the channels.
    image_shape_zyx
        Of the tomogram or micrograph, in its own voxels, which place its faces.
    voxel_size
        Of ``volume``, Å.
    filaments
        How those of each class are traced.
    """
    parts = []
    for channel, one in enumerate(species):
        own = chosen.select(np.flatnonzero(chosen.channels == channel))
        if one.kind == FILAMENT:
            own = assemble_filaments(own, one, filaments[one.name], volume=volume)
        elif one.kind == VESICLE:
            own = _inside(
                assemble_vesicles(own, one, volume, voxel_size=voxel_size),
                image_shape_zyx,
                scale=volume.scale,
                name=one.name,
            )
        parts.append(own)
    parts = without_walls(parts, species, voxel_size=voxel_size)
    return join_peaks([_without_direction(part) for part in parts])


def _without_direction(part: Peaks) -> Peaks:
    """Leave out the column that the points were put together by."""
    kept = {n: v for n, v in part.optional.items() if n != DIRECTION.name}
    return replace(part, optional=kept)


def _inside(
    vesicles: Peaks, image_shape_zyx: Shape, *, scale: float, name: str
) -> Peaks:
    """Leave out, and count, vesicles whose centre no other program would find."""
    # Coarser working voxels reach beyond the faces of the image's own.
    outside = lies_outside(vesicles.positions_zyx * scale, image_shape_zyx)
    if outside.any():
        logger.info(
            "%s: of %d vesicles %d have their centre outside the %s, and are left out.",
            name,
            len(vesicles),
            np.count_nonzero(outside),
            image_word(image_shape_zyx[0] == 1),
        )
    return vesicles.select(~outside)
