"""Picking in some slices only: which are computed, and which picks are kept."""

import math

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.working_volume import WorkingVolume


def in_z_range(
    positions_zyx: NDArray[np.float64], z_range: tuple[float, ...]
) -> NDArray[np.bool_]:
    """Tell which ``(N, 3)`` positions lie in the slices, ends included.

    A slice reaches half a voxel to both sides of its centre. All do without a range.
    """
    if not z_range:
        return np.ones(len(positions_zyx), dtype=bool)
    low, high = z_range
    z = positions_zyx[:, 0]
    return np.asarray((z >= low - 0.5) & (z < high + 0.5))


def computed_region(
    volume: WorkingVolume,
    z_range: tuple[float, ...],
    *,
    margin_ang: float,
    alignment: int,
) -> tuple[Shape, Shape]:
    """Return the box ``(start, stop)`` of working voxels that has to be computed.

    Parameters
    ----------
    z_range
        First and last slice of the tomogram, or empty for all.
    margin_ang
        How far beyond them picks may still matter to those inside.
    alignment
        Grid of the network, on which the box begins.

    Raises
    ------
    InputDataError
        If the tomogram has none of the slices.
    """
    depth, height, width = volume.shape_zyx
    if not z_range:
        return (0, 0, 0), volume.shape_zyx
    low, high = z_range
    tomogram = volume.tomogram
    if low > tomogram.shape_zyx[0] - 1:
        raise InputDataError(
            f"Tomogram {tomogram.tomogram_id}: it has the slices 0 to "
            f"{tomogram.shape_zyx[0] - 1}, and --z-range asks for {low:g} to {high:g}. "
            "Slices are counted in this tomogram's voxels; give others."
        )
    margin = margin_ang / tomogram.voxel_size
    first = math.floor(max(low - margin, 0) / volume.scale)
    last = math.ceil((high + margin) / volume.scale)
    start = first // alignment * alignment
    return (start, 0, 0), (min(last + 1, depth), height, width)
