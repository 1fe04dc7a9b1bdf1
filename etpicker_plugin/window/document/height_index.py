"""Which picks can lie in a slice, found without looking at all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

MOST_MOVED = 4096
"""So many picks are looked at one by one; beyond, all are sorted anew."""


class Positioned(Protocol):
    """What has ``positions_zyx`` (N, 3), in voxels."""

    @property
    def positions_zyx(self) -> NDArray[np.float64]:
        """``(N, 3)``."""


class HeightIndex:
    """Picks sorted along each axis, as far as a slice across it was asked for.

    An edit does not sort a million picks anew: what was added or moved since the
    sorting is looked at in addition.
    """

    def __init__(
        self, source: Positioned, moved: Sequence[NDArray[np.intp]] = ()
    ) -> None:
        """Index the picks of ``source``; ``moved`` grows with every edit."""
        self._source, self._moved = source, moved
        self._sorted: dict[int, tuple[NDArray[np.intp], NDArray[np.float64]]] = {}
        self._known = len(moved)

    def near(self, axis: int, low: float, high: float) -> NDArray[np.intp]:
        """Return, ascending, the picks between two heights along an axis.

        Those that were added or moved are among them, wherever they are now.
        """
        moved = self._moved[self._known :]
        if sum(len(ids) for ids in moved) > MOST_MOVED:
            self._sorted, self._known, moved = {}, len(self._moved), ()
        if axis not in self._sorted:
            self._sorted[axis] = self._sort(axis)
        order, heights = self._sorted[axis]
        first = np.searchsorted(heights, low, side="left")
        last = np.searchsorted(heights, high, side="right")
        return np.unique(np.concatenate([order[first:last], *moved]))

    def _sort(self, axis: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        heights = self._source.positions_zyx[:, axis]
        order = np.argsort(heights)
        return order, heights[order]
