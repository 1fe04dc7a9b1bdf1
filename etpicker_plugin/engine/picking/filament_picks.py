"""From ridge points to a filament's picks: points a step apart, in order."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from etpicker_plugin.engine import kinds
from etpicker_plugin.engine.columns import (
    CURVATURE,
    DIRECTION,
    FILAMENT,
    POLARITY,
    ROTATION,
    ColumnValues,
)
from etpicker_plugin.engine.filaments.curve import (
    Curve,
    equidistant,
    frames,
    twisted,
)
from etpicker_plugin.engine.filaments.polarity import SURE, tell_way, windows_along
from etpicker_plugin.engine.filaments.settings import TraceSettings
from etpicker_plugin.engine.filaments.trace import TracedFilament, trace
from etpicker_plugin.engine.picking.followed import lowest_followed
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.volumes.array_volume import Readable

IN_A_WALL = 0.5
"""Of a filament's length, within a wider one: that one's wall, and no filament."""


def assemble_filaments(
    points: Peaks,
    species: Species,
    settings: TraceSettings,
    volume: Readable | None = None,
) -> Peaks:
    """Return points a step apart on each filament, one filament after the other.

    Parameters
    ----------
    points
        Ridge points of one class, in voxels, down to a fifth of its threshold or
        lower, with the column ``direction``.
    species
        The class: each filament reaches its threshold somewhere, and is followed down
        to a fifth of it.
    volume
        In which they are. In a tomogram the way of each is looked for, if the model
        can tell it.

    Returns
    -------
    Peaks
        With columns ``filament`` (the class's name and 1, 2 … from the surest on: no
        two classes share an id), ``curvature`` and ``rotation``, whose z axis lies
        along the filament, to the next point. Where the density tells which way that
        is in marked filaments, they stand that way, and ``polarity`` says how surely.
        A micrograph does not show how a filament is turned about itself: there they
        have no ``rotation``.
    """
    is_flat = volume is not None and volume.shape_zyx[0] == 1
    points = points.select(points.scores >= lowest_followed(species))
    if len(points) == 0:
        return points
    found = trace(
        points.positions_zyx,
        points.optional[DIRECTION.name],
        points.scores,
        settings,
        seed_score=species.threshold,
        is_flat=is_flat,
    )
    channel = int(points.channels[0])
    return join_peaks(
        [
            _picks(
                filament,
                f"{species.name}_{number}",
                channel,
                settings,
                forward=_forward(filament.curve, volume, species, settings),
                is_flat=is_flat,
            )
            for number, filament in enumerate(found, 1)
        ]
    )


def _forward(
    curve: Curve, volume: Readable | None, species: Species, settings: TraceSettings
) -> float:
    """Return the probability that a filament goes as it was traced; NaN if unknown."""
    if volume is None or not species.section:
        return math.nan
    windows = windows_along(volume.read, curve, width_vox=settings.width)
    return tell_way(windows, species.section)


def _picks(
    filament: TracedFilament,
    name: str,
    channel: int,
    settings: TraceSettings,
    *,
    forward: float,
    is_flat: bool,
) -> Peaks:
    at = equidistant(filament.curve.length, settings.step)
    places, tangents = filament.curve.points(at), filament.curve.tangents(at)
    curvatures = filament.curve.curvatures(at)
    if forward <= 1 - SURE:
        places, tangents, curvatures = places[::-1], -tangents[::-1], curvatures[::-1]
    turned: ColumnValues = {}
    if not is_flat:
        made = twisted(frames(places, tangents), settings.twist * at)
        turned = {ROTATION.name: made}
    surely = max(forward, 1 - forward)
    told = {POLARITY.name: surely} if surely >= SURE else {}
    return Peaks(
        positions_zyx=places,
        scores=filament.scores(places, settings.width),
        channels=np.full(len(at), channel, dtype=np.intp),
        optional={
            FILAMENT.name: np.full(len(at), name),
            **turned,
            CURVATURE.name: curvatures / settings.voxel_size,
            **{column: np.full(len(at), value) for column, value in told.items()},
        },
    )


def without_walls(
    picks: Sequence[Peaks], species: Sequence[Species], *, voxel_size: float
) -> list[Peaks]:
    """Return each class's picks without filaments that lie in wider ones.

    The wall of a microtubule is a line too, about as wide as actin.

    Parameters
    ----------
    picks
        Of each species; those of other kinds stay as they are.
    voxel_size
        Of their positions, Å.
    """
    widths = [
        one.diameter_ang if one.kind == kinds.FILAMENT and len(part) else 0.0
        for part, one in zip(picks, species, strict=True)
    ]
    kept = []
    for part, width in zip(picks, widths, strict=True):
        inside = np.zeros(len(part), dtype=bool)
        for other, other_width in zip(picks, widths, strict=True):
            if other_width > width > 0:
                distances, _ = cKDTree(other.positions_zyx).query(part.positions_zyx)
                inside |= distances <= other_width / 2 / voxel_size
        kept.append(part.select(~_of_filaments_mostly(inside, part)))
    return kept


def _of_filaments_mostly(inside: NDArray[np.bool_], part: Peaks) -> NDArray[np.bool_]:
    """Return ``(N,)``: which points are of filaments that are inside for the most."""
    if not inside.any():
        return inside
    _, number = np.unique(part.optional[FILAMENT.name], return_inverse=True)
    shares = np.bincount(number, inside) / np.bincount(number)
    return np.asarray(shares[number] >= IN_A_WALL)
