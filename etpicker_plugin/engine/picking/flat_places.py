"""Picks in places that are flatter than where particles usually are score less.

Where a tomogram shows next to nothing (beyond the sample, in another compartment, in
the shadow of thick ice) there are dark specks too, of a particle's size, and a network
that knows images normalised as a whole takes some for particles.

How much flatness tells depends on the particle and on the sample: of a crowded solution
it tells nothing. So what it costs is learnt (``training.flatness``); what is usual is
found in each tomogram anew.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.volumes.array_volume import Readable

BOX_DIAMETERS = 1.2
"""Edge of the box around a pick: the particle and its rim, whose contrast tells."""

FEWEST = 20
"""Picks without which nothing is usual."""

MOST_BELOW = 4.0

FloatArray = NDArray[np.float64]


def doubt_flat_places(
    peaks: Peaks,
    volume: Readable,
    *,
    diameters_vox: Sequence[float],
    log_odds: Sequence[float],
) -> Peaks:
    """Lower the scores of peaks with less contrast around them than is usual.

    Parameters
    ----------
    diameters_vox, log_odds
        Of each channel: working voxels, and what a deviation below the usual contrast
        costs. A channel where it costs nothing is not looked at.
    """
    scores = peaks.scores.copy()
    for channel, (diameter, cost) in enumerate(
        zip(diameters_vox, log_odds, strict=True)
    ):
        own = np.flatnonzero(peaks.channels == channel)
        if cost > 0 and len(own):
            flatness = how_flat(peaks.select(own), volume, diameter_vox=diameter)
            scores[own] = lowered(scores[own], cost * flatness)
    return replace(peaks, scores=scores)


def how_flat(peaks: Peaks, volume: Readable, *, diameter_vox: float) -> FloatArray:
    """Return how far the contrast around one class's peaks is below the usual.

    What is usual is the median over these peaks, each counted as much as it scores.
    More contrast than usual counts for nothing: that is gold, or a membrane.

    Returns
    -------
    ndarray
        ``(N,)``, in robust standard deviations, 0 to ``MOST_BELOW``; all 0 if there
        are too few peaks for anything to be usual.
    """
    weights = peaks.scores
    # The effective number of weighted observations (Kish 1965).
    if len(peaks) == 0 or weights.sum() ** 2 / np.sum(weights**2) < FEWEST:
        return np.zeros(len(peaks))
    edge = max(round(BOX_DIAMETERS * diameter_vox), 3)
    contrast = contrast_around(peaks.positions_zyx, volume, edge=edge)
    middle = weighted_median(contrast, weights)
    spread = 1.4826 * weighted_median(np.abs(contrast - middle), weights)
    return np.clip((middle - contrast) / max(spread, 1e-6), 0.0, MOST_BELOW)


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


def lowered(scores: FloatArray, cost: FloatArray) -> FloatArray:
    """Return scores of so many log-odds less."""
    # The odds of a score p are p / (1 - p); the score of odds o is o / (1 + o).
    kept = np.exp(-cost)
    return np.asarray(scores * kept / (1.0 - scores + scores * kept))
