"""A cut-off of scores found by itself, with the reason for it, or for none."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BINS = 256
LEAST_PICKS = 40
MANY_PICKS = 100
SHALLOWEST_SHARE = 0.65
"""A dip counts as a valley if it is below this share of the lower hill; with fewer than
``MANY_PICKS`` it must be deeper in proportion, as chance makes dips too."""

LEAST_HILL = 0.05
"""A hill counts if it reaches this share of the highest."""


@dataclass(frozen=True, kw_only=True)
class CutOff:
    """``score`` is ``None`` where none can be told; ``reason`` says how, or why not."""

    score: float | None
    reason: str


def find_cut_off(scores: NDArray[np.float64]) -> CutOff:
    """Return the deepest point of the valley between two hills of the scores.

    The scores' density is estimated with a Gaussian kernel of Silverman's width. Of
    all pairs of neighbouring hills the one with the deepest valley, relative to the
    lower hill, is taken. Picks of one kind form one hill: then there is no valley, and
    a cut-off would be a guess.
    """
    known = scores[np.isfinite(scores)]
    if len(known) < LEAST_PICKS:
        return CutOff(
            score=None,
            reason=f"{len(known)} scored picks are too few to see hills in; at least "
            f"{LEAST_PICKS} are needed.",
        )
    centres, density = _estimate_density(known)
    hills = _find_hills(density)
    best, depth = None, SHALLOWEST_SHARE * min(1.0, len(known) / MANY_PICKS)
    for left, right in pairwise(hills):
        valley = left + int(np.argmin(density[left : right + 1]))
        share = density[valley] / min(density[left], density[right])
        if share < depth:
            best, depth = (left, valley, right), share
    if best is None:
        return CutOff(
            score=None,
            reason="The scores form one hill, without a valley that would part good "
            "from bad. Look through the gallery, and set the cut-off by eye.",
        )
    left, valley, right = (float(centres[i]) for i in best)
    return CutOff(
        score=valley,
        reason=f"Lowest point ({valley:.3f}) between the hills of scores at "
        f"{left:.3f} and {right:.3f}; there the picks are {100 * depth:.0f} % as dense "
        "as on the lower hill.",
    )


def _estimate_density(
    scores: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return bin centres and the smoothed density ``(BINS,)``."""
    low, high = scores.min(), scores.max()
    counts, edges = np.histogram(scores, bins=BINS, range=(low, max(high, low + 1e-9)))
    quarters = np.subtract(*np.percentile(scores, (75, 25))) / 1.34
    spread = min(scores.std(), quarters) or scores.std()
    width = 0.9 * spread * len(scores) ** -0.2 / (edges[1] - edges[0])
    density = ndimage.gaussian_filter1d(
        counts.astype(np.float64), max(width, 1.0), mode="constant"
    )
    return (edges[1:] + edges[:-1]) / 2, density


def _find_hills(density: NDArray[np.float64]) -> list[int]:
    """Return the bins that are higher than their neighbours, and not negligible."""
    padded = np.concatenate([[-1.0], density, [-1.0]])
    higher = (padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:])
    return np.flatnonzero(higher & (density >= LEAST_HILL * density.max())).tolist()
