"""Points along the middle of tubes of high probability, each with its direction.

A particle is a maximum of the mean-pooled probability; a filament is a ridge of it: a
maximum across one direction, that in which the probability bends least. As Steger's
detector of lines (IEEE TPAMI 20, 1998, 113) has it, a voxel lies on a ridge if the
vertex of the paraboloid through its neighbours, in the plane across, lies within it.
In a micrograph that is his detector itself: a maximum across, in the image.
"""

import numpy as np
import torch
from torch import Tensor

from etpicker_plugin.engine.columns import DIRECTION
from etpicker_plugin.engine.picking.derivatives import (
    first_derivatives,
    neighbourhoods,
    one_sign,
    padded,
    second_derivatives,
)
from etpicker_plugin.engine.picking.nms import (
    Peaks,
    join_peaks,
    mean_pool,
    pooling_reach,
)

LEAST_BEND = 0.3
"""Of a ridge in the two directions across, of score / kernel². A tube as wide as its
label bends by 2 to 3, one that the missing wedge doubles in height by 0.8; a haze or
the middle of a sheet by next to nothing."""

MOST_SLOPE = 0.7
"""Of a ridge along itself, of score / kernel. The rounded end of a tube has creases
that point away from it: they fall off by 0.8 to 3, a tube by next to nothing."""

LEAST_SCORE = 0.01
"""Lower than what any filament is followed through: a network that says next to nothing
still has ridges all over."""

WITHIN = 0.6
"""Of a voxel, how far the vertex may lie from its centre: at 0.5 exactly, a ridge that
runs between two voxels could be missed by both."""

STEEPEST = 100.0
"""More than any map of probabilities bends."""

AT_ONCE = 250_000
"""Voxels looked at together: what that takes stays below half a gigabyte."""


def ridge_reach(kernel: int) -> int:
    """Return how far, in voxels, a ridge point's score and place look around it."""
    return pooling_reach(kernel)


def find_lines(
    probability: Tensor,
    kernel: int,
    *,
    min_score: float,
    start: tuple[int, ...] = (0, 0, 0),
    stop: tuple[int | None, ...] = (None, None, None),
) -> Peaks:
    """Find the ridges of the mean-pooled probability of one channel.

    Parameters
    ----------
    probability
        ``(Z, Y, X)`` float32, 0 to 1.
    kernel
        Averaging edge, voxels.
    min_score
        Lowest pooled probability of a point; below ``LEAST_SCORE`` none is looked for.
    start, stop
        As for ``nms.find_peaks``.

    Returns
    -------
    Peaks
        Sub-voxel positions in voxels of ``probability``, one or two for each voxel of
        a tube's length, with the column ``direction``: a unit vector along the ridge,
        of either sign.
    """
    least = max(min_score, LEAST_SCORE)
    if float(probability.max()) < least:
        return join_peaks([])  # no average can reach it
    pooled = mean_pool(probability, kernel)
    around = padded(pooled)
    index = _candidates(pooled, around, kernel, least, start, stop)
    return join_peaks(
        [
            _on_ridges(around, some, kernel, is_flat=len(pooled) == 1)
            for some in index.split(AT_ONCE)
        ]
    )


def _candidates(
    pooled: Tensor,
    around: Tensor,
    kernel: int,
    min_score: float,
    start: tuple[int, ...],
    stop: tuple[int | None, ...],
) -> Tensor:
    """Return ``(N, 3)`` voxels in the box that score enough and are bent enough."""
    box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    bend = -6 * pooled
    for axis, length in enumerate(pooled.shape):
        others = [slice(1, -1)] * 3
        for first in (0, 2):
            others[axis] = slice(first, first + length)
            bend += around[tuple(others)]
    least = LEAST_BEND / kernel**2 * pooled[box]
    chosen = (pooled[box] >= min_score) & (bend[box] <= -least)
    return torch.nonzero(chosen) + torch.tensor(start, device=pooled.device)


def _on_ridges(around: Tensor, index: Tensor, kernel: int, *, is_flat: bool) -> Peaks:
    """Return the candidates that lie on a ridge, at its middle."""
    values = neighbourhoods(around, index)
    scores = values[:, 1, 1, 1]
    second = second_derivatives(values)
    if is_flat:
        second[:, 0, 0] = -STEEPEST  # So a line is a maximum across its plane.
    bends, axes = np.linalg.eigh(second)
    across = axes[:, :, :2]
    slopes = np.einsum("nij,ni->nj", axes, first_derivatives(values))
    is_ridge = (bends[:, 1] <= -LEAST_BEND / kernel**2 * scores) & (
        np.abs(slopes[:, 2]) <= MOST_SLOPE / kernel * scores
    )
    # Where it is no ridge, any number other than 0 does to divide by.
    steps = -slopes[:, :2] / np.where(is_ridge[:, None], bends[:, :2], 1.0)
    moved = np.einsum("nij,nj->ni", across, steps)
    is_ridge &= (np.abs(moved) <= WITHIN).all(axis=1)
    return Peaks(
        positions_zyx=(index.cpu().numpy() + moved)[is_ridge],
        scores=scores[is_ridge],
        channels=np.zeros(np.count_nonzero(is_ridge), dtype=np.intp),
        optional={DIRECTION.name: one_sign(axes[is_ridge, :, 2])},
    )
