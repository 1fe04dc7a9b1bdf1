"""Which pieces to keep: those that together cover classes, tomograms and appearance.

The budget is fixed, so each new round shares it with all earlier ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Pieces to choose from.

    Attributes
    ----------
    features
        ``(M, D)`` what the network sees in each piece.
    counts
        ``(M, C)`` particles of each class in each piece.
    groups
        ``(M,)`` number of the tomogram that each piece is of.
    sizes
        ``(M,)`` bytes.
    overlaps
        ``(M, M)`` share of the smaller piece that two pieces have in common.
    """

    features: NDArray[np.float64]
    counts: NDArray[np.int64]
    groups: NDArray[np.intp]
    sizes: NDArray[np.int64]
    overlaps: NDArray[np.float64]


MOST_OVERLAP = 0.5


def choose_coverage(candidates: Candidates, *, budget: int) -> list[int]:
    """Choose pieces greedily until the budget, in bytes, is used up.

    Each choice serves the class with the fewest particles kept so far; of the pieces
    that show it, those of the tomogram least kept; of these, the one whose features
    are farthest from all that are kept (greedy k-centre: Sener & Savarese, ICLR
    2018). EPicker takes the first files in alphabetical order instead.

    Returns
    -------
    list of int
        Indices in the order of choice: any beginning of it is a good smaller set.
    """
    scaled = _standardise(candidates.features)
    remaining = np.ones(len(scaled), dtype=bool)
    farness = np.full(len(scaled), np.inf)
    kept_particles = np.zeros(candidates.counts.shape[1])
    kept_pieces = np.zeros(int(candidates.groups.max(initial=-1)) + 1)
    left = budget
    chosen: list[int] = []
    while True:
        remaining &= candidates.sizes <= left
        if not remaining.any():
            return chosen
        best = _next(candidates, remaining, farness, kept_particles, kept_pieces)
        chosen.append(best)
        left -= int(candidates.sizes[best])
        kept_particles += candidates.counts[best]
        kept_pieces[candidates.groups[best]] += 1
        distance = np.linalg.norm(scaled - scaled[best], axis=1)
        farness = np.minimum(farness, distance)
        remaining &= candidates.overlaps[best] <= MOST_OVERLAP
        remaining[best] = False


def _next(
    candidates: Candidates,
    remaining: NDArray[np.bool_],
    farness: NDArray[np.float64],
    kept_particles: NDArray[np.float64],
    kept_pieces: NDArray[np.float64],
) -> int:
    """Return the piece that adds most to what is kept."""
    pool = np.flatnonzero(remaining)
    shows = candidates.counts[pool] > 0
    served = np.where(shows.any(axis=0), kept_particles, np.inf)
    if np.isfinite(served).any():
        pool = pool[shows[:, int(np.argmin(served))]]
    of_group = kept_pieces[candidates.groups[pool]]
    pool = pool[of_group == of_group.min()]
    return int(pool[np.argmax(farness[pool])])


def _standardise(features: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = features.std(axis=0)
    return np.asarray((features - features.mean(axis=0)) / np.maximum(spread, 1e-6))
