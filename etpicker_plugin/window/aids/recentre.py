"""The local centre of a particle near a click."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.window.document.volume import VolumeFile

ROUNDS = 5
REACH = 0.75
"""Half the box about the click, in diameters: a centre further off is not the same."""


def find_centre(
    volume: VolumeFile, position_zyx: Sequence[float], *, diameter_ang: float
) -> NDArray[np.float64]:
    """Return the centroid ``(3,)`` zyx of what stands out within a radius.

    The density is blurred by a tenth of the diameter. What stands out is the
    difference from the median of the surroundings, of the sign (dark or bright) that
    prevails at the click. The ball in which the centroid is taken follows it (mean
    shift), but never by more than a radius in all.
    """
    radius = diameter_ang / volume.voxel_size / 2
    start = np.asarray(position_zyx, dtype=np.float64)
    box, corner = read_around(volume, start, reach=2 * REACH * radius)
    smooth = ndimage.gaussian_filter(box.astype(np.float32), max(radius / 5, 0.5))
    grid = np.indices(box.shape).reshape(3, -1).T + corner
    contrast = (smooth - np.median(smooth)).ravel()
    near = np.linalg.norm(grid - start, axis=1) <= radius / 2
    sign = np.sign(contrast[near].mean()) if near.any() else -1.0
    weight = np.clip(sign * contrast, 0, None)
    centre = start
    for _ in range(ROUNDS):
        inside = np.linalg.norm(grid - centre, axis=1) <= radius
        total = weight[inside].sum()
        if total <= 0:
            return start
        centre = (grid[inside] * weight[inside, None]).sum(axis=0) / total
    return centre if np.linalg.norm(centre - start) <= radius else start


def read_around(
    volume: VolumeFile, centre_zyx: NDArray[np.float64], *, reach: float
) -> tuple[NDArray[np.generic], NDArray[np.intp]]:
    """Return the part of a cube about a position that exists, and its first voxel."""
    first = np.floor(centre_zyx - reach).astype(np.intp)
    last = np.ceil(centre_zyx + reach).astype(np.intp) + 1
    limit = np.asarray(volume.shape_zyx)
    first = np.clip(first, 0, limit - 1)
    last = np.clip(last, first + 1, limit)
    z, y, x = (slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    return volume.read((z, y, x)), first
