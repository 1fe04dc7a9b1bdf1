"""Where in a tomogram picks may lie: off its faces, and in its mask."""

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.volumes.region_mask import RegionMask
from etpicker_plugin.engine.volumes.tomogram import Tomogram


def is_inside(
    positions_zyx: NDArray[np.float64],
    tomogram: Tomogram,
    *,
    border_zyx_ang: tuple[float, float, float],
    mask: RegionMask | None,
) -> NDArray[np.bool_]:
    """Tell which positions lie in the volume, off its borders and in the mask."""
    last = np.asarray(tomogram.shape_zyx) - 1
    border = np.divide(border_zyx_ang, tomogram.voxel_size) * (last > 0)
    inside = (positions_zyx >= border) & (positions_zyx <= last - border)
    allowed: NDArray[np.bool_] = inside.all(axis=1)
    if mask is not None:
        index = np.clip(np.round(positions_zyx).astype(int), 0, last)
        allowed &= mask.contains(index)
    return allowed
