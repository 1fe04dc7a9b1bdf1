"""From points to things: curves from points on lines, vesicles from those on sheets."""

from collections.abc import Sequence

import numpy as np

from etpicker_plugin.engine.kinds import FILAMENT
from etpicker_plugin.engine.picking.filament_picks import assemble_filaments
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.volumes.array_volume import Readable


def assemble(
    chosen: Peaks, volume: Readable, species: Sequence[Species], *, voxel_size: float
) -> Peaks:
    """Return picks: particles as they are, points of other kinds put together.

    A row is a particle, a point of a filament, in order along it, or a vesicle.

    Parameters
    ----------
    chosen
        As from ``choose``, in voxels of ``volume``.
    species
        In the order of the channels.
    voxel_size
        Of ``volume``, Å.
    """
    parts = []
    for channel, one in enumerate(species):
        own = chosen.select(np.flatnonzero(chosen.channels == channel))
        if one.kind == FILAMENT:
            own = assemble_filaments(own, one, voxel_size=voxel_size)
        parts.append(own)
    return join_peaks(parts)
