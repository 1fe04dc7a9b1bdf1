"""Picks in places that are flatter than where particles usually are score less.

Where a tomogram shows next to nothing (beyond the sample, in another compartment, in
the shadow of thick ice) there are dark specks too, of a particle's size, and a network
that knows images normalised as a whole takes some for particles.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.io.array_volume import Readable
from etpicker_plugin.engine.picking.nms import Peaks

BOX_DIAMETERS = 1.2
"""Edge of the box around a pick: the particle and its rim, whose contrast tells."""

FEWEST = 20
"""Picks above the threshold, without which nothing is usual."""

LOG_ODDS = 0.25
"""What a standard deviation below the usual contrast costs."""

MOST_BELOW = 4.0

FloatArray = NDArray[np.float64]


def doubt_flat_places(
    peaks: Peaks,
    volume: Readable,
    *,
    diameters_vox: list[float],
    thresholds: list[float],
) -> Peaks:
    """Lower the scores of peaks with less contrast around them than is usual.

    What is usual is learnt from the peaks given that are of the same class and above
    its threshold: their median contrast, and its spread. More contrast than usual
    counts for nothing: that is gold, or a membrane.

    Parameters
    ----------
    diameters_vox, thresholds
        Of each channel; working voxels. One with an infinite threshold is left alone.
    """
    scores = peaks.scores.copy()
    for channel, diameter in enumerate(diameters_vox):
        own = np.flatnonzero(peaks.channels == channel)
        usual = scores[own] >= thresholds[channel]
        if usual.sum() >= FEWEST:
            edge = max(round(BOX_DIAMETERS * diameter), 3)
            contrast = contrast_around(peaks.positions_zyx[own], volume, edge=edge)
            scores[own] = lowered(scores[own], contrast, usual)
    return replace(peaks, scores=scores)


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


def lowered(
    scores: FloatArray, contrast: FloatArray, usual: NDArray[np.bool_]
) -> FloatArray:
    """Return the scores, less where the contrast is below that of the usual ones."""
    middle = np.median(contrast[usual])
    spread = 1.4826 * np.median(np.abs(contrast[usual] - middle))
    below = np.clip((middle - contrast) / max(spread, 1e-6), 0.0, MOST_BELOW)
    # The odds of a score p are p / (1 - p); the score of odds o is o / (1 + o).
    kept = np.exp(-LOG_ODDS * below)
    return np.asarray(scores * kept / (1.0 - scores + scores * kept))
