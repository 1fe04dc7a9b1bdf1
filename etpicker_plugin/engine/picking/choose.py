"""From candidates to picks: the one way, for picking, validation and learning.

What is kept depends on what is asked for; what a pick scores does not.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.picking.flat_places import doubt_flat_places
from etpicker_plugin.engine.picking.followed import lowest_followed
from etpicker_plugin.engine.picking.nms import (
    Peaks,
    join_peaks,
    keep_best,
    remove_duplicates,
)
from etpicker_plugin.engine.picking.second_look import SecondLook
from etpicker_plugin.engine.picking.unbiased import merge_classes
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.volumes.array_volume import Readable

MIN_DISTANCE_SHARE = 0.5
"""Of a particle's diameter: how far apart two picks of its class are at the least."""


def choose(
    candidates: Peaks,
    volume: Readable,
    species: Sequence[Species],
    *,
    allowed: NDArray[np.bool_],
    voxel_size: float,
    second_look: SecondLook | None = None,
    min_distance_ang: float | None = None,
    unbiased: bool = False,
    most: int | None = None,
) -> Peaks:
    """Return the picks among candidates, by class and from the highest score down.

    In this order: what lies outside or is masked is left out; scores in flat places
    fall; what the maps of the classes say changes scores and centres; of neighbours the
    best stays; the lowest score and the number decide. So a pick scores the same
    whatever thresholds, classes or number are asked for. Points of filaments and
    membranes, which are picks only together, have no number and no distance to keep.

    Parameters
    ----------
    candidates
        Peaks of all species, in voxels of ``volume``, down to
        ``flat_places.USUAL_SCORE`` or lower, or what is usual cannot be told.
    volume
        The voxels, ``(Z, Y, X)``, around the candidates.
    species
        In the order of the channels; each with the lowest score that is wanted of it.
    allowed
        ``(N,)``: which candidates lie inside, off the borders and in the mask.
    voxel_size
        Of ``volume``, Å.
    second_look
        Compares candidates with maps, if the model has any.
    min_distance_ang
        Between picks of a class; without it, half the particle's diameter.
    unbiased
        Let the species compete for each place (see ``merge_classes``).
    most
        Picks of each class, at most.
    """
    peaks = candidates.select(allowed)
    peaks = doubt_flat_places(peaks, volume, species, voxel_size=voxel_size)
    if second_look is not None:
        peaks = second_look.judge(peaks, volume, species)
    lowest = np.array([s.threshold for s in species])
    is_particle = np.array([s.kind == PARTICLE for s in species])[peaks.channels]
    followed = np.array([lowest_followed(s) for s in species])[peaks.channels]
    points = peaks.select(~is_particle & (peaks.scores >= followed))
    peaks = peaks.select(is_particle)
    if unbiased:
        diameters = [s.size_vox(voxel_size).diameter for s in species]
        peaks = merge_classes(peaks, diameters)
    least = [min_distance_ang or MIN_DISTANCE_SHARE * s.diameter_ang for s in species]
    peaks = remove_duplicates(peaks, [distance / voxel_size for distance in least])
    peaks = peaks.select(peaks.scores >= lowest[peaks.channels])
    if most is not None:
        peaks = keep_best(peaks, most)
    return join_peaks([peaks, points]) if len(points) else peaks
