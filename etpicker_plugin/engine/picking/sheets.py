"""Points on the middle of sheets of high probability, each with the sheet's normal.

A membrane is a sheet of the mean-pooled probability: a maximum across one direction,
that in which the probability bends most (Steger, IEEE TPAMI 20, 1998, 113). Of each
column of voxels along the axis nearest to that direction one is taken, so there is
about one point for each voxel of a surface, and no hole. In a micrograph it is the
ring that a vesicle's rim makes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.columns import DIRECTION
from etpicker_plugin.engine.picking.derivatives import (
    first_derivatives,
    lines_through,
    neighbourhoods,
    one_sign,
    padded,
    second_derivatives,
)
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks, mean_pool

LEAST_BEND = 1.0
"""Of a sheet across itself, of score / kernel². One as thick as its label bends by 2.5
to 4; a plateau or a haze by next to nothing."""

MOST_ALIKE = 0.7
"""How much of that a sheet may bend in another direction. The outer flank of a sphere
bends alike in two, and would be taken for a sheet that stands on it."""

FARTHEST = 0.9
"""Voxels from a voxel to the middle of the sheet, at the most; a maximum along an axis
is at most 0.87 from one that stands across a diagonal."""

AT_ONCE = 1 << 16
"""Points whose neighbourhoods are in memory."""


def find_sheets(
    probability: Tensor,
    kernel: int,
    *,
    min_score: float,
    start: tuple[int, ...] = (0, 0, 0),
    stop: tuple[int | None, ...] = (None, None, None),
) -> Peaks:
    """Find the sheets of the mean-pooled probability of one channel.

    Where a face of the volume cuts a sheet, it scores less there, as peaks do, but it
    is found up to the face.

    Parameters
    ----------
    probability
        ``(Z, Y, X)`` float32, 0 to 1.
    kernel
        Averaging edge, voxels.
    min_score, start, stop
        As for ``nms.find_peaks``.

    Returns
    -------
    Peaks
        Sub-voxel positions in voxels of ``probability``, with the column
        ``direction``: the unit normal, of either sign.
    """
    if float(probability.max()) < min_score:
        return join_peaks([])  # no average can reach it
    pooled = mean_pool(probability, kernel)
    faces = [_Face.of(length, kernel) for length in pooled.shape]
    box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    high = pooled[box] >= min_score
    for axis, face in enumerate(faces):  # Now a sheet goes on as it was.
        share = torch.as_tensor(face.share, dtype=pooled.dtype, device=pooled.device)
        pooled /= share.view([-1 if a == axis else 1 for a in range(3)])
    around = padded(pooled)
    high &= _is_crest(around)[box]
    index = torch.nonzero(high) + torch.tensor(start, device=pooled.device)
    blocks = index.split(AT_ONCE)
    return join_peaks([_on_sheets(around, faces, b, kernel) for b in blocks])


@dataclass(frozen=True)
class _Face:
    """What the faces across an axis do to averages along it, ``(length,)`` each.

    Attributes
    ----------
    share
        Of what is averaged, inside the volume.
    shift
        How far inward the middle of that share lies, voxels, along the axis.
    stretch
        How much longer a step along the axis is for that middle.
    """

    share: FloatArray
    shift: FloatArray
    stretch: FloatArray

    @classmethod
    def of(cls, length: int, kernel: int) -> "_Face":
        """Return it for two passes of a box; one plane is not averaged across."""
        if length == 1:
            return cls(share=np.ones(1), shift=np.zeros(1), stretch=np.ones(1))
        box = np.ones(kernel) / kernel
        weights = np.convolve(box, box)
        offsets = np.arange(len(weights)) - kernel + 1
        share = np.convolve(np.ones(length), weights)[kernel - 1 :][:length]
        # Convolving turns weights over: what lies above comes with a minus.
        moved = np.convolve(np.ones(length), -weights * offsets)[kernel - 1 :][:length]
        shift = moved / share
        return cls(share=share, shift=shift, stretch=1 + np.gradient(shift))


def _is_crest(around: Tensor) -> Tensor:
    """Return which voxels are maxima along an axis, ``(Z, Y, X)`` of padded values.

    Of two equal ones the first is.
    """
    inner = [slice(1, -1)] * 3
    middle = around[tuple(inner)]
    crest = torch.zeros_like(middle, dtype=torch.bool)
    for axis in range(3):
        before, after = inner.copy(), inner.copy()
        before[axis], after[axis] = slice(None, -2), slice(2, None)
        crest |= (middle > around[tuple(before)]) & (middle >= around[tuple(after)])
    return crest


def _on_sheets(
    around: Tensor, faces: Sequence[_Face], index: Tensor, kernel: int
) -> Peaks:
    """Return those voxels that lie on a sheet, moved to its middle."""
    values = neighbourhoods(around, index)
    heights = values[:, 1, 1, 1]
    bends, axes = np.linalg.eigh(second_derivatives(values))
    across, bend = axes[:, :, 0], bends[:, 0]
    slope = (first_derivatives(values) * across).sum(axis=1)
    on_sheet = (bend <= -LEAST_BEND / kernel**2 * heights) & (
        bends[:, 1] >= MOST_ALIKE * bend
    )
    on_sheet &= _is_crest_along(values, np.abs(across).argmax(axis=1))
    # Where it is no sheet, any number other than 0 does to divide by.
    steps = -slope / np.where(on_sheet, bend, 1.0)
    on_sheet &= np.abs(steps) <= FARTHEST
    voxels, steps, across = (
        index.cpu().numpy()[on_sheet],
        steps[on_sheet],
        across[on_sheet],
    )
    shares = [face.share[v] for face, v in zip(faces, voxels.T, strict=True)]
    positions, normals = _as_without_faces(
        voxels + steps[:, None] * across, across, faces
    )
    return Peaks(
        positions_zyx=positions,
        scores=heights[on_sheet] * np.prod(shares, axis=0),
        channels=np.zeros(len(voxels), dtype=np.intp),
        optional={DIRECTION.name: one_sign(normals)},
    )


def _as_without_faces(
    positions: FloatArray, normals: FloatArray, faces: Sequence[_Face]
) -> tuple[FloatArray, FloatArray]:
    """Return points and normals of sheets as they would be in a larger volume.

    Beside a face the average at x is that of what lies about x + shift(x): where it is
    highest along n ∘ (1 + shift'), the sheet of normal n passes x + shift.
    """
    shifts, stretches = np.empty_like(positions), np.empty_like(positions)
    for axis, face in enumerate(faces):
        voxels, along = np.arange(len(face.shift)), positions[:, axis]
        shifts[:, axis] = np.interp(along, voxels, face.shift)
        stretches[:, axis] = np.interp(along, voxels, face.stretch)
    turned = normals / stretches
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    steps = (shifts * turned).sum(axis=1)
    return positions + steps[:, None] * turned, turned


def _is_crest_along(values: FloatArray, axis: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Tell of each neighbourhood whether its middle is a maximum along its axis."""
    before, middle, after = lines_through(values)[np.arange(len(values)), axis].T
    return np.asarray((middle > before) & (middle >= after))
