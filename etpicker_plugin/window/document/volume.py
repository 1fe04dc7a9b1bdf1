"""Boxes of a tomogram of any size, read where they lie in the file.

Positional reads, not a memory map: the map of a file that another program cuts short
kills the process (SIGBUS), and all its touched pages count as resident memory, which
for one yz slice is the whole file. Here a short read is an error that can be shown.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.tomogram import read_tomogram

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, kw_only=True)
class VolumeFile:
    """Where a tomogram's voxels lie; nothing is open.

    Attributes
    ----------
    offset
        Bytes before the first voxel.
    modified
        Size and modification time (ns) of the file when it was opened.
    """

    tomogram_id: str
    path: Path
    shape_zyx: tuple[int, int, int]
    voxel_size: float
    dtype: np.dtype[Any]
    offset: int
    modified: tuple[int, int]

    def read(self, box: Box) -> NDArray[np.generic]:
        """Return the voxels of a box that lies inside, ``(z, y, x)``.

        Raises
        ------
        InputDataError
            If the file is gone, was changed, or ends too early.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                self._check_unchanged(os.fstat(descriptor))
                return self._read_sections(descriptor, box)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise InputDataError(
                f"Tomogram {self.path} can no longer be read: {error}. Bring it back "
                "and open the window again; the annotation is safe."
            ) from error

    def _check_unchanged(self, status: os.stat_result) -> None:
        if (status.st_size, status.st_mtime_ns) != self.modified:
            raise InputDataError(
                f"Tomogram {self.path} was changed while it was open. Open the window "
                "again to see it as it is now; the annotation is safe."
            )

    def _read_sections(self, descriptor: int, box: Box) -> NDArray[np.generic]:
        """Read, section by section, the rows asked for, and cut the columns out."""
        z, y, x = box
        _, ny, nx = self.shape_zyx
        rows = np.empty((y.stop - y.start, nx), dtype=self.dtype)
        shape = (z.stop - z.start, y.stop - y.start, x.stop - x.start)
        voxels = np.empty(shape, dtype=self.dtype)
        for i, section in enumerate(range(z.start, z.stop)):
            first = (section * ny + y.start) * nx * self.dtype.itemsize
            got = os.preadv(descriptor, [rows], self.offset + first)
            if got != rows.nbytes:
                raise InputDataError(
                    f"Tomogram {self.path} ends at section {section}. It was cut off: "
                    "copy it again."
                )
            voxels[i] = rows[:, x]
        return voxels


def open_volume(path: Path | str, voxel_size: float | None = None) -> VolumeFile:
    """Look at a tomogram's header, without reading its voxels.

    Raises
    ------
    InputDataError
        If it cannot be used (see ``read_tomogram``).
    """
    tomogram = read_tomogram(path, voxel_size)
    status = os.stat(path)
    return VolumeFile(
        tomogram_id=tomogram.tomogram_id,
        path=Path(path),
        shape_zyx=tomogram.shape_zyx,
        voxel_size=tomogram.voxel_size,
        dtype=tomogram.data.dtype,
        offset=tomogram.data.offset,  # type: ignore[attr-defined]
        modified=(status.st_size, status.st_mtime_ns),
    )
