"""From ridge points to a filament's picks: points a step apart, in order."""

import numpy as np

from etpicker_plugin.engine.columns import DIRECTION, FILAMENT, ROTATION
from etpicker_plugin.engine.filaments.curve import equidistant, frames
from etpicker_plugin.engine.filaments.settings import TraceSettings, trace_settings
from etpicker_plugin.engine.filaments.trace import TracedFilament, trace
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks
from etpicker_plugin.engine.species import Species

FOLLOWED = 0.5
"""Of the threshold: the lowest score that a filament is followed through."""


SPACING_VOX = 2.0
"""Working voxels between ridge points: a voxel of the default network's output."""


def assemble_filaments(
    points: Peaks,
    species: Species,
    *,
    voxel_size: float,
    spacing: float = SPACING_VOX,
    settings: TraceSettings | None = None,
) -> Peaks:
    """Return points a step apart on each filament, one filament after the other.

    Parameters
    ----------
    points
        Ridge points of one class, in voxels, down to half its threshold or lower, with
        the column ``direction``.
    species
        The class: each filament reaches its threshold somewhere, and is followed down
        to half of it.
    voxel_size
        Å.
    spacing
        Between ridge points, voxels: the stride of the network's output.
    settings
        Without them, what suits the diameter.

    Returns
    -------
    Peaks
        With columns ``filament`` (the class's name and 1, 2 … from the surest on: no
        two classes share an id) and ``rotation``, whose z axis lies along the
        filament; which way is not known.
    """
    settings = settings or trace_settings(
        species.diameter_ang, voxel_size, spacing=spacing
    )
    points = points.select(points.scores >= FOLLOWED * species.threshold)
    if len(points) == 0:
        return points
    found = trace(
        points.positions_zyx,
        points.optional[DIRECTION.name],
        points.scores,
        settings,
        seed_score=species.threshold,
    )
    channel = int(points.channels[0])
    return join_peaks(
        [
            _picks(filament, f"{species.name}_{number}", channel, settings)
            for number, filament in enumerate(found, 1)
        ]
    )


def _picks(
    filament: TracedFilament, name: str, channel: int, settings: TraceSettings
) -> Peaks:
    at = equidistant(filament.curve.length, settings.step)
    places, tangents = filament.curve.points(at), filament.curve.tangents(at)
    return Peaks(
        positions_zyx=places,
        scores=filament.scores(places, settings.width),
        channels=np.full(len(at), channel, dtype=np.intp),
        optional={
            FILAMENT.name: np.full(len(at), name),
            ROTATION.name: frames(places, tangents),
        },
    )
