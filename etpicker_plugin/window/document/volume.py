"""Boxes of a tomogram of any size, read where they lie in the file.

Positional reads, not a memory map: the map of a file that another program cuts short
kills the process (SIGBUS), and all its touched pages count as resident memory, which
for one yz slice is the whole file. Here a short read is an error that can be shown.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.tomogram import (
    Box,
    Tomogram,
    read_from,
    read_tomogram,
)


class Sliced(Protocol):
    """What slices are cut of: a tomogram, or a mask or map that lies over it."""

    @property
    def shape_zyx(self) -> tuple[int, int, int]:
        """Size in voxels."""

    def read(self, box: Box) -> NDArray[np.generic]:
        """Return the voxels of a box that lies inside, ``(z, y, x)``."""


@dataclass(frozen=True)
class VolumeFile:
    """Where a tomogram's voxels lie; nothing is open.

    Attributes
    ----------
    modified
        Size and modification time (ns) of the file when it was opened.
    """

    tomogram: Tomogram
    modified: tuple[int, int]

    @property
    def tomogram_id(self) -> str:
        """Return the file's name without its extension."""
        return self.tomogram.tomogram_id

    @property
    def path(self) -> Path:
        """Return the file."""
        return self.tomogram.path

    @property
    def shape_zyx(self) -> tuple[int, int, int]:
        """Size in voxels."""
        return self.tomogram.shape_zyx

    @property
    def voxel_size(self) -> float:
        """Edge of a voxel in Å."""
        return self.tomogram.voxel_size

    def read(self, box: Box) -> NDArray[np.generic]:
        """Return the voxels of a box that lies inside, ``(z, y, x)``.

        Raises
        ------
        InputDataError
            If the file is gone, was changed, or ends too early.
        """
        try:
            with FileIO(self.path) as stream:
                self._check_unchanged(os.fstat(stream.fileno()))
                return read_from(stream, self.tomogram, box)
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


def open_volume(
    path: Path | str,
    voxel_size: float | None = None,
    *,
    trust_voxel_size: bool = False,
) -> VolumeFile:
    """Look at a tomogram's header, without reading its voxels.

    Raises
    ------
    InputDataError
        If it cannot be used (see ``read_tomogram``).
    """
    tomogram = read_tomogram(path, voxel_size, trust_voxel_size=trust_voxel_size)
    status = os.stat(path)
    return VolumeFile(tomogram=tomogram, modified=(status.st_size, status.st_mtime_ns))
