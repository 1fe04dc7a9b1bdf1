"""Subsets of equal numbers: a larger set must not win by its size alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IndexArray = NDArray[np.intp]

LEAST_PER_HALF = 4
MOST_SIZES = 6


@dataclass(frozen=True, kw_only=True)
class Subset:
    """Some boxes of a set, half of them from each half set.

    Attributes
    ----------
    set_name, seed
        Which set, and which draw.
    first, second
        ``(N / 2,)`` rows of either half.
    """

    set_name: str
    seed: int
    first: IndexArray
    second: IndexArray

    @property
    def n(self) -> int:
        """Number of boxes."""
        return len(self.first) + len(self.second)


def halves_of(
    rows: IndexArray, half: NDArray[np.intp]
) -> tuple[IndexArray, IndexArray]:
    """Return a set's rows in half 1 and in half 2, ``(A,)`` and ``(B,)``.

    Parameters
    ----------
    rows
        ``(A + B,)`` which boxes are the set's.
    half
        ``(N,)`` the half, 1 or 2, of every box of all sets.
    """
    return rows[half[rows] == 1], rows[half[rows] == 2]


def even_size(rows: IndexArray, half: NDArray[np.intp]) -> int:
    """Return the largest number of boxes that both halves give equally.

    ``rows`` are the set's of all boxes, whose halves ``half`` (N,) holds.
    """
    first, second = halves_of(rows, half)
    return 2 * min(len(first), len(second))


def draw_subsets(
    set_name: str,
    rows: IndexArray,
    half: NDArray[np.intp],
    *,
    sizes: list[int],
    seeds: int,
    seed: int,
) -> list[Subset]:
    """Draw nested subsets of every size, once per seed.

    The subsets of one seed are nested, as a growing data set is; those of different
    seeds are independent draws. ``rows`` and ``half`` as for ``halves_of``; ``sizes``
    are numbers of boxes, even ones.
    """
    first, second = halves_of(rows, half)
    drawn = []
    for number in range(seeds):
        generator = np.random.default_rng([seed, number])
        one, two = generator.permutation(first), generator.permutation(second)
        drawn += [
            Subset(
                set_name=set_name,
                seed=number,
                first=one[: size // 2],
                second=two[: size // 2],
            )
            for size in sizes
        ]
    return drawn


def growing_sizes(largest: int) -> list[int]:
    """Return up to six even sizes, evenly spaced in their logarithm, up to the largest.

    At least four boxes in either half; fewer have no shell correlation.
    """
    most = largest // 2
    if most < LEAST_PER_HALF:
        return []
    steps = np.geomspace(LEAST_PER_HALF, most, MOST_SIZES)
    return sorted({2 * round(step) for step in steps})
