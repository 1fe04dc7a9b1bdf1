"""Region masks: which voxels of a tomogram are inside, whatever numbers say so."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.mrc_file import open_mrc
from etpicker_plugin.engine.volumes.tomogram import (
    Box,
    Tomogram,
    read_box,
    slabs,
    tomogram_id_of,
)

logger = logging.getLogger(__name__)

SLAB_VOXELS = 16_000_000


@dataclass(frozen=True)
class RegionMask:
    """A mask on disk; voxels of the value ``outside`` are outside, all others inside.

    It is read through a descriptor, as a tomogram is: when a map of a file that was
    cut short is read, the process is killed.
    """

    volume: Tomogram
    outside: float

    def contains(self, voxels_zyx: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Tell which voxels, ``(N, 3)`` indices, are inside.

        Raises
        ------
        InputDataError
            If the file has changed or vanished since it was opened.
        """
        inside = np.zeros(len(voxels_zyx), dtype=bool)
        across = self.volume.stored_axes[0]
        for section in np.unique(voxels_zyx[:, across]):
            here = voxels_zyx[:, across] == section
            starts = voxels_zyx[here].min(axis=0)
            z, y, x = map(slice, starts, voxels_zyx[here].max(axis=0) + 1)
            values = read_box(self.volume, (z, y, x))
            inside[here] = self._is_inside(values[tuple((voxels_zyx[here] - starts).T)])
        return inside

    @property
    def shape_zyx(self) -> Shape:
        """Size in voxels."""
        return self.volume.shape_zyx

    def read_whole(self) -> NDArray[np.bool_]:
        """Return the whole mask, true inside (see ``read``)."""
        inside = np.empty(self.shape_zyx, dtype=bool)
        for box in slabs(self.volume, SLAB_VOXELS):
            inside[box] = self.read(box)
        return inside

    def read(self, box: Box) -> NDArray[np.bool_]:
        """Return a box of the mask, true inside.

        Raises
        ------
        InputDataError
            If the file has changed or vanished since it was opened.
        """
        return self._is_inside(read_box(self.volume, box))

    def _is_inside(self, values: NDArray[np.generic]) -> NDArray[np.bool_]:
        return np.asarray(values != values.dtype.type(self.outside))


def open_mask(path: Path | str, shape_zyx: Shape) -> RegionMask:
    """Open a region mask and find out which value is outside (see ``outside_of``).

    What its header says of the cell is not looked at: a mask lies on its tomogram's
    voxels.

    Raises
    ------
    InputDataError
        If it cannot be read, its shape is not the tomogram's, or its values do not
        tell inside from outside.
    """
    what = f"Region mask {path}"
    header, file, data = open_mrc(Path(path), what=what)
    if data.shape != shape_zyx:
        raise InputDataError(
            f"{what}: size (z, y, x) {data.shape}, but its tomogram's is "
            f"{shape_zyx}. Give a mask made on that tomogram."
        )
    for remark in header.remarks:
        logger.warning("%s: %s.", what, remark)
    volume = Tomogram(
        tomogram_id=tomogram_id_of(path),
        path=Path(path),
        data=data,
        voxel_size=1.0,
        file=file,
        offset=header.offset,
        stored_axes=header.stored_axes,
    )
    return RegionMask(volume, outside_of(volume, what=what))


def outside_of(mask: Tomogram, *, what: str) -> float:
    """Return the value that voxels outside have.

    It is 0 wherever 0 occurs. Without a 0, the lower one of two values: bytes that
    were shifted by 128 make -128 and -127 of 0 and 1. A mask of one value, not 0,
    hides nothing, which is said; one of zeros alone hides everything, and one of many
    values without a 0 is no mask.

    Raises
    ------
    InputDataError
        If the values do not tell inside from outside.
    """
    low, high = np.inf, -np.inf
    has_zero = has_other = False
    for box in slabs(mask, SLAB_VOXELS):
        values = read_box(mask, box)
        is_zero = values == 0
        has_zero |= bool(is_zero.any())
        has_other |= not is_zero.all()
        if has_zero and has_other:
            return 0.0
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    if has_zero:
        raise InputDataError(
            f"{what}: all voxels are 0, so nothing is inside. Give a mask that is not "
            "0 where particles may be, or leave it out."
        )
    return _outside_without_zero(mask, low, high, what)


def _outside_without_zero(mask: Tomogram, low: float, high: float, what: str) -> float:
    if low == high:
        logger.warning(
            "%s: all voxels are %g, so everything is inside. A mask is 0 outside.",
            what,
            low,
        )
        return 0.0
    for box in slabs(mask, SLAB_VOXELS):
        values = read_box(mask, box)
        if not ((values == low) | (values == high)).all():
            raise InputDataError(
                f"{what}: values from {low:g} to {high:g} and none is 0, so it does "
                "not tell inside from outside. Give a mask that is 0 outside and 1 "
                "inside."
            )
    logger.warning(
        "%s: its two values are %g and %g; %g is taken for outside. A mask is 0 "
        "outside.",
        what,
        low,
        high,
        low,
    )
    return low
