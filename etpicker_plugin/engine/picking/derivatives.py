"""First and second derivatives of a map at some of its voxels: central differences."""

import numpy as np
import torch
from torch import Tensor, nn

from etpicker_plugin.engine.arrays import FloatArray

AROUND = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
"""The 27 offsets of a voxel's neighbourhood."""


def padded(values: Tensor) -> Tensor:
    """Add a voxel on all sides of ``(Z, Y, X)``, on the line through the last two.

    So nothing is a maximum only because it lies at a face.
    """
    made = nn.functional.pad(values[None, None], (1,) * 6, mode="replicate")[0, 0]
    for axis, length in enumerate(values.shape):
        if length > 1:
            for end, last, before in ((0, 1, 2), (length + 1, length, length - 1)):
                line = 2 * made.select(axis, last) - made.select(axis, before)
                made.select(axis, end).copy_(line)
    return made


def neighbourhoods(around: Tensor, index: Tensor) -> FloatArray:
    """Return ``(N, 3, 3, 3)`` the values around each voxel.

    Parameters
    ----------
    around
        As ``padded`` gives it.
    index
        ``(N, 3)`` zyx, of voxels before padding.
    """
    strides = torch.tensor(around.stride(), device=index.device)
    offsets = torch.as_tensor(AROUND + 1, device=index.device)
    # Summed, because on a GPU whole numbers have no matrix product.
    flat = (index * strides).sum(1)[:, None] + (offsets * strides).sum(1)
    values = around.flatten()[flat].cpu().numpy().astype(np.float64)
    return np.asarray(values.reshape(-1, 3, 3, 3))


def first_derivatives(values: FloatArray) -> FloatArray:
    """Return ``(N, 3)`` of ``(N, 3, 3, 3)`` neighbourhoods."""
    lines = lines_through(values)
    return np.asarray((lines[:, :, 2] - lines[:, :, 0]) / 2)


def second_derivatives(values: FloatArray) -> FloatArray:
    """Return ``(N, 3, 3)`` of ``(N, 3, 3, 3)`` neighbourhoods."""
    lines = lines_through(values)
    made = np.empty((len(values), 3, 3))
    for a in range(3):
        made[:, a, a] = lines[:, a, 0] - 2 * lines[:, a, 1] + lines[:, a, 2]
        b, c = (i for i in range(3) if i != a)
        plane = np.moveaxis(values, a + 1, 1)[:, 1]  # of the two others, in order
        both = plane[:, 0, 0] - plane[:, 0, 2] - plane[:, 2, 0] + plane[:, 2, 2]
        made[:, b, c] = made[:, c, b] = both / 4
    return made


def one_sign(vectors: FloatArray) -> FloatArray:
    """Return ``(N, 3)`` each turned so that its largest part is positive."""
    largest = np.abs(vectors).argmax(axis=1)
    signs = np.sign(vectors[np.arange(len(vectors)), largest])
    return np.asarray(vectors * signs[:, None])


def lines_through(values: FloatArray) -> FloatArray:
    """Return ``(N, 3, 3)``: for each axis the three values through the middle."""
    return np.stack(
        [values[:, :, 1, 1], values[:, 1, :, 1], values[:, 1, 1, :]], axis=1
    )
