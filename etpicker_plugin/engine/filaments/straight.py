"""The density along a curve, as if it were straight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.filaments.curve import Curve, frames

PIECE = 16
"""Places along a curve that are read at once."""

Read = Callable[[tuple[int, ...], tuple[int, ...]], Any]
"""Gives a box of a volume from its first voxels zyx to those after its last."""


def disc(radius_vox: float) -> FloatArray:
    """Return ``(2, M)``: places x, y across a curve, a voxel apart."""
    steps = np.arange(-int(radius_vox), int(radius_vox) + 1.0)
    places = np.stack([grid.ravel() for grid in np.meshgrid(steps, steps)])
    return np.asarray(places[:, np.hypot(*places) <= radius_vox])


def read_along(read: Read, curve: Curve, *, radius_vox: float) -> FloatArray:
    """Return ``(L, M)``: the density at the places of a disc across a curve.

    Row by row along it, a voxel apart too; the disc turns as little as possible.
    """
    lengths = np.arange(int(curve.length) + 1, dtype=np.float64)
    points, tangents = curve.points(lengths), curve.tangents(lengths)
    across = frames(points, tangents)[:, ::-1, :2]  # zyx of the axes x and y
    offsets = disc(radius_vox)
    rows = []
    for first in range(0, len(lengths), PIECE):
        part = slice(first, first + PIECE)
        places = points[part, :, None] + across[part] @ offsets
        low = np.floor(places.min(axis=(0, 2))).astype(int) - 1
        high = np.ceil(places.max(axis=(0, 2))).astype(int) + 2
        block = np.asarray(
            read(tuple(low.tolist()), tuple(high.tolist())), dtype=np.float64
        )
        at = np.moveaxis(places - low[:, None], 1, 0)
        rows.append(ndimage.map_coordinates(block, at, order=1))
    return np.concatenate(rows)
