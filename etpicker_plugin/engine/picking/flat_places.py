"""Picks in places that are flatter than where particles usually are score less.

Where a tomogram shows next to nothing (beyond the sample, in another compartment, in
the shadow of thick ice) there are dark specks too, of a particle's size, and a network
that knows images normalised as a whole takes some for particles.

How much flatness tells depends on the particle and on the sample: of a crowded solution
it tells nothing. So what it costs is learnt (``training.flatness``); what is usual is
found in each tomogram anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.volumes.array_volume import Readable

BOX_DIAMETERS = 1.2
"""Edge of the box around a pick: the particle and its rim, whose contrast tells."""

USUAL_SCORE = 0.01
"""Lowest score of the candidates that tell what is usual."""

FEWEST = 20
"""Candidates without which nothing is usual."""

MOST_BELOW = 4.0


@dataclass(frozen=True, kw_only=True)
class UsualContrast:
    """Contrast around a tomogram's particles of one class: median and deviation."""

    middle: float
    spread: float


def doubt_flat_places(
    peaks: Peaks,
    volume: Readable,
    species: Sequence[Species],
    *,
    voxel_size: float,
) -> Peaks:
    """Lower the scores of peaks with less contrast around them than is usual.

    What is usual is told by the peaks themselves: by all that are allowed in a
    tomogram, whichever are wanted of them. A species that flatness costs nothing, or
    of which nothing is wanted, is not looked at.

    Parameters
    ----------
    species
        In the order of the channels.
    voxel_size
        Of ``volume``, Å.
    """
    scores = peaks.scores.copy()
    for channel, one in enumerate(species):
        own = np.flatnonzero(peaks.channels == channel)
        if one.flat_log_odds > 0 and np.isfinite(one.threshold) and len(own):
            edge = box_edge(one.size_vox(voxel_size).diameter)
            contrast = contrast_around(peaks.positions_zyx[own], volume, edge=edge)
            usual = usual_contrast(contrast, scores[own])
            cost = one.flat_log_odds * how_flat(contrast, usual)
            scores[own] = take_log_odds(scores[own], cost)
    return replace(peaks, scores=scores)


def box_edge(diameter_vox: float) -> int:
    """Return the edge of the cube in which contrast is measured, voxels."""
    return max(round(BOX_DIAMETERS * diameter_vox), 3)


def usual_contrast(contrast: FloatArray, scores: FloatArray) -> UsualContrast | None:
    """Return what contrast is usual around one class's candidates, ``(N,)`` each.

    The median, each counted as much as it scores, down to ``USUAL_SCORE``: so what
    was looked for beyond that changes nothing. ``None`` if there are too few.
    """
    counted = scores >= USUAL_SCORE
    contrast, weights = contrast[counted], scores[counted]
    # The effective number of weighted observations (Kish 1965).
    if not counted.any() or weights.sum() ** 2 / np.sum(weights**2) < FEWEST:
        return None
    middle = weighted_median(contrast, weights)
    spread = 1.4826 * weighted_median(np.abs(contrast - middle), weights)
    return UsualContrast(middle=middle, spread=max(spread, 1e-6))


def how_flat(contrast: FloatArray, usual: UsualContrast | None) -> FloatArray:
    """Return how far contrast, ``(N,)``, is below the usual.

    More contrast than usual counts for nothing: that is gold, or a membrane.

    Returns
    -------
    ndarray
        ``(N,)``, in robust standard deviations, 0 to ``MOST_BELOW``; all 0 where
        nothing is usual.
    """
    if usual is None:
        return np.zeros(len(contrast))
    return np.clip((usual.middle - contrast) / usual.spread, 0.0, MOST_BELOW)


def contrast_around(
    positions_zyx: FloatArray, volume: Readable, *, edge: int
) -> FloatArray:
    """Return the standard deviation in a cube around each position, ``(N,)``.

    Of a cube that a face of the volume cuts, what is inside counts.
    """
    found = np.empty(len(positions_zyx))
    for i, start in enumerate(np.round(positions_zyx).astype(int) - edge // 2):
        low = np.maximum(start, 0).tolist()
        high = np.minimum(start + edge, volume.shape_zyx).tolist()
        found[i] = volume.read(tuple(low), tuple(high)).std(dtype=np.float64)
    return found


def weighted_median(values: FloatArray, weights: FloatArray) -> float:
    """Return the value up to which half of the weight lies."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(reached, reached[-1] / 2)]])


def take_log_odds(scores: FloatArray, cost: FloatArray) -> FloatArray:
    """Return scores of so many log-odds less."""
    # The odds of a score p are p / (1 - p); the score of odds o is o / (1 + o).
    kept = np.exp(-cost)
    return np.asarray(scores * kept / (1.0 - scores + scores * kept))
