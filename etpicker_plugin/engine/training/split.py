"""What is learnt from and what is held out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import Shape


@dataclass(frozen=True)
class Region:
    """A box ``[start, stop)`` in zyx working voxels."""

    start: Shape
    stop: Shape

    def contains(self, positions_zyx: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which ``(N, 3)`` positions lie in the box."""
        low = np.asarray(self.start) - 0.5
        high = np.asarray(self.stop) - 0.5
        inside = (positions_zyx >= low) & (positions_zyx < high)
        return np.asarray(inside.all(axis=1))

    def slices(self) -> tuple[slice, ...]:
        """Return the box as slices of a ``(Z, Y, X)`` array."""
        return tuple(slice(a, b) for a, b in zip(self.start, self.stop, strict=True))


def choose_held_out_slab(
    shape: Shape,
    positions_zyx: NDArray[np.float64],
    channels: NDArray[np.intp],
    *,
    fraction: float,
    alignment: int,
) -> Region:
    """Choose the slab at a y or x face that holds out the fairest share of particles.

    Of the four slabs of about ``fraction`` of the volume, the one is taken in which
    each class's share is nearest to ``fraction``; z is never cut, because tomograms
    are thin. Its faces lie on the network's grid.

    Parameters
    ----------
    positions_zyx, channels
        ``(N, 3)`` centres and ``(N,)`` class indices.
    """
    slabs = [
        _slab(shape, axis=axis, at_end=at_end, fraction=fraction, alignment=alignment)
        for axis in (1, 2)
        for at_end in (True, False)
    ]
    return min(
        slabs, key=lambda slab: _unfairness(slab, positions_zyx, channels, fraction)
    )


def _slab(
    shape: Shape, *, axis: int, at_end: bool, fraction: float, alignment: int
) -> Region:
    length = shape[axis]
    cut = (1.0 - fraction if at_end else fraction) * length
    edge = min(max(round(cut / alignment), 1) * alignment, length - 1)
    start, stop = [0, 0, 0], list(shape)
    if at_end:
        start[axis] = edge
    else:
        stop[axis] = edge
    return Region((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))


def _unfairness(
    slab: Region,
    positions: NDArray[np.float64],
    channels: NDArray[np.intp],
    fraction: float,
) -> float:
    """Return the summed squared error of the classes' shares; no particle is worst."""
    inside = slab.contains(positions)
    total = 0.0
    for channel in np.unique(channels):
        share = float(inside[channels == channel].mean())
        total += (share - fraction) ** 2 + (share in (0.0, 1.0))
    return total
