"""Half sets of boxes that lie on filaments or membranes: no thing lies in both.

Neighbours on one thing overlap, and share noise that would look like signal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def part_things(sizes: ArrayLike) -> NDArray[np.intp]:
    """Return ``(T,)``: the half, 1 or 2, that all boxes of each thing are in.

    The largest come first, and each goes where it evens the halves out.

    Parameters
    ----------
    sizes
        ``(T, S)``: how many boxes of each set lie on each thing.
    """
    counts = np.asarray(sizes, dtype=np.float64)
    half = np.empty(len(counts), dtype=np.intp)
    surplus = np.zeros(counts.shape[1])
    for thing in np.argsort(-counts.sum(axis=1), kind="stable"):
        half[thing] = 1 if surplus @ counts[thing] <= 0 else 2
        surplus += counts[thing] if half[thing] == 1 else -counts[thing]
    return half
