"""Points along the middle of tubes of high probability, each with its direction.

A particle is a maximum of the mean-pooled probability; a filament is a ridge of it: a
maximum across one direction, that in which the probability bends least. As Steger's
detector of lines (IEEE TPAMI 20, 1998, 113) has it, a voxel lies on a ridge if the
vertex of the paraboloid through its neighbours, in the plane across, lies within it.
"""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.columns import DIRECTION
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

WITHIN = 0.6
"""Of a voxel, how far the vertex may lie from its centre: at 0.5 exactly, a ridge that
runs between two voxels could be missed by both."""

AT_ONCE = 250_000
"""Voxels looked at together: what that takes stays below half a gigabyte."""

AROUND = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
"""The 27 offsets of a voxel's neighbourhood."""


def ridge_reach(kernel: int) -> int:
    """Return how far, in voxels, a ridge point's score and place look around it."""
    return pooling_reach(kernel)


def find_ridges(
    probability: Iterable[Tensor],
    kernels: list[int],
    *,
    min_score: float,
    start: tuple[int, ...] = (0, 0, 0),
    stop: tuple[int | None, ...] = (None, None, None),
) -> Peaks:
    """Find the ridges of the mean-pooled probability, channel by channel.

    Parameters
    ----------
    probability, kernels, min_score, start, stop
        As for ``nms.find_peaks``.

    Returns
    -------
    Peaks
        Sub-voxel positions in voxels of ``probability``, one or two for each voxel of
        a tube's length, with the column ``direction``: a unit vector along the ridge,
        of either sign.
    """
    parts = []
    for number, (channel, kernel) in enumerate(zip(probability, kernels, strict=True)):
        if float(channel.max()) < min_score:
            continue  # no average can reach it
        pooled = mean_pool(channel, kernel)
        padded = nn.functional.pad(pooled[None, None], (1,) * 6, mode="replicate")[0, 0]
        index = _candidates(pooled, padded, kernel, min_score, start, stop)
        parts += [
            _on_ridges(padded, some, kernel, number) for some in index.split(AT_ONCE)
        ]
    return join_peaks(parts)


def _candidates(
    pooled: Tensor,
    padded: Tensor,
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
            bend += padded[tuple(others)]
    least = LEAST_BEND / kernel**2 * pooled[box]
    chosen = (pooled[box] >= min_score) & (bend[box] <= -least)
    return torch.nonzero(chosen) + torch.tensor(start, device=pooled.device)


def _on_ridges(padded: Tensor, index: Tensor, kernel: int, number: int) -> Peaks:
    """Return the candidates that lie on a ridge, at its middle."""
    values = _neighbourhoods(padded, index)
    scores = values[:, 1, 1, 1]
    bends, axes = np.linalg.eigh(_second_derivatives(values))
    across = axes[:, :, :2]
    slopes = np.einsum("nij,ni->nj", axes, _first_derivatives(values))
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
        channels=np.full(np.count_nonzero(is_ridge), number, dtype=np.intp),
        optional={DIRECTION.name: _one_sign(axes[is_ridge, :, 2])},
    )


def _neighbourhoods(padded: Tensor, index: Tensor) -> FloatArray:
    """Return ``(N, 3, 3, 3)`` the values around each voxel.

    ``padded`` has one voxel more at each face than what ``index`` counts in.
    """
    strides = torch.tensor(padded.stride(), device=index.device)
    around = torch.as_tensor(AROUND + 1, device=index.device)
    flat = (index * strides).sum(1)[:, None] + (around * strides).sum(1)
    values = padded.flatten()[flat].cpu().numpy().astype(np.float64)
    return np.asarray(values.reshape(-1, 3, 3, 3))


def _first_derivatives(values: FloatArray) -> FloatArray:
    """Return ``(N, 3)`` central differences."""
    lines = _lines(values)
    return np.asarray((lines[:, :, 2] - lines[:, :, 0]) / 2)


def _second_derivatives(values: FloatArray) -> FloatArray:
    """Return ``(N, 3, 3)`` central second differences."""
    lines = _lines(values)
    made = np.empty((len(values), 3, 3))
    for a in range(3):
        made[:, a, a] = lines[:, a, 0] - 2 * lines[:, a, 1] + lines[:, a, 2]
        b, c = (a + 1) % 3, (a + 2) % 3
        plane = np.take(values, 1, axis=a + 1)  # of the two others, in order
        both = plane[:, 0, 0] - plane[:, 0, 2] - plane[:, 2, 0] + plane[:, 2, 2]
        made[:, b, c] = made[:, c, b] = both / 4
    return made


def _lines(values: FloatArray) -> FloatArray:
    """Return ``(N, 3, 3)``: for each axis the three values through the middle."""
    return np.stack(
        [values[:, :, 1, 1], values[:, 1, :, 1], values[:, 1, 1, :]], axis=1
    )


def _one_sign(vectors: FloatArray) -> FloatArray:
    """Return ``(N, 3)`` each turned so that its largest part is positive."""
    largest = np.abs(vectors).argmax(axis=1)
    signs = np.sign(vectors[np.arange(len(vectors)), largest])
    return np.asarray(vectors * signs[:, None])
