"""Reading tomograms: MRC files with a trusted voxel size, box by box; writing maps.

A micrograph is a tomogram one slice thick. It may be TIFF too (see ``tiff_file``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Tuple

import mrcfile
import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.names import tomogram_id_of
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.volumes.mrc_cell import (
    INSIST,
    choose_voxel_size,
    is_improbable,
)
from etpicker_plugin.engine.volumes.mrc_file import MrcFile, open_mrc
from etpicker_plugin.engine.volumes.tiff_file import is_tiff, read_tiff
from etpicker_plugin.engine.volumes.watched_file import WatchedFile, read_at

logger = logging.getLogger(__name__)

Box = Tuple[slice, slice, slice]
WHOLE: Box = (slice(None), slice(None), slice(None))


@dataclass(frozen=True)
class Tomogram:
    """A tomogram on disk.

    Attributes
    ----------
    tomogram_id
        File name without its extension.
    data
        ``(Z, Y, X)`` memory-mapped array in the file's own number type. To read it
        kills the process if the file has become shorter: read boxes instead.
    voxel_size
        Edge of a voxel in Å.
    file
        Through which boxes are read, so that a change is noticed; without one they
        are taken from ``data``.
    offset
        Bytes of the file before its first voxel; ``None`` if ``data`` was decoded.
    stored_axes
        Which axes of ``data`` sections, rows and columns of the file are.
    """

    tomogram_id: str
    path: Path
    data: NDArray[np.generic]
    voxel_size: float
    file: WatchedFile | None = None
    offset: int | None = 0
    stored_axes: Shape = (0, 1, 2)

    @property
    def shape_zyx(self) -> Shape:
        """Size in voxels."""
        z, y, x = self.data.shape
        return z, y, x

    @property
    def is_flat(self) -> bool:
        """Whether it is a micrograph: one slice thick."""
        return len(self.data) == 1

    @property
    def title(self) -> str:
        """What it is, and its file, for messages."""
        return f"{'Micrograph' if self.is_flat else 'Tomogram'} {self.path}"


class TomogramBoxes:
    """A tomogram that is sliced as an array is, and read as ``read_box`` does."""

    def __init__(self, tomogram: Tomogram) -> None:
        self._tomogram = tomogram
        self.shape = tomogram.shape_zyx

    def __getitem__(self, box: Box) -> NDArray[np.generic]:
        """Return a copy of a box."""
        return read_box(self._tomogram, box)


def read_tomogram(
    path: Path | str,
    voxel_size: float | None = None,
    *,
    trust_voxel_size: bool = False,
) -> Tomogram:
    """Open a tomogram without reading its voxels; log what is odd about it.

    Parameters
    ----------
    path
        MRC file of mode 0, 1, 2, 6 or 12; of one section it is a micrograph, as every
        TIFF file is.
    voxel_size
        Å; taken where the header holds none, or 1 Å, which programs write that know
        none. A header that holds another one is an error, because one of the two is
        wrong.
    trust_voxel_size
        Take ``voxel_size`` whatever the header holds.

    Raises
    ------
    InputDataError
        If the file is missing, of another length than its header says, not a volume,
        of another mode or a strange axis order, or has no usable voxel size.
    """
    if is_tiff(path):
        return _read_tiff(Path(path), voxel_size)
    opened = open_mrc(Path(path), what=f"Tomogram {path}")
    chosen = choose_voxel_size(
        opened.header.fields,
        voxel_size,
        what=f"Tomogram {path}",
        trusted=trust_voxel_size,
        remedy=INSIST,
    )
    if voxel_size is None and is_improbable(opened.header.fields):
        logger.warning(
            "Tomogram %s: a voxel size of 1 Å in the header, as programs write that do "
            "not know it. If it is another, give it (--voxel-size).",
            path,
        )
    return _made(opened, Path(path), f"Tomogram {path}", *chosen)


def read_map(path: Path | str, voxel_size: float | None = None) -> Tomogram:
    """Open another MRC volume, such as a box or an average, for which 1 Å is usual.

    Raises
    ------
    InputDataError
        As ``read_tomogram``.
    """
    opened = open_mrc(Path(path), what=f"Map {path}")
    if opened.header.shape_zyx[0] == 1:
        raise InputDataError(f"Map {path}: a plane, expected a volume.")
    chosen = choose_voxel_size(opened.header.fields, voxel_size, what=f"Map {path}")
    return _made(opened, Path(path), f"Map {path}", *chosen)


def _read_tiff(path: Path, voxel_size: float | None) -> Tomogram:
    if voxel_size is None:
        raise InputDataError(
            f"Micrograph {path}: TIFF says nothing sure of its pixel size. Give it "
            "(--voxel-size)."
        )
    file = WatchedFile(path)
    return Tomogram(
        tomogram_id=tomogram_id_of(path),
        path=path,
        data=read_tiff(path),
        voxel_size=voxel_size,
        file=file,
        offset=None,
    )


def _made(
    opened: MrcFile, path: Path, what: str, voxel_size: float, remark: str
) -> Tomogram:
    """Return an opened volume; log what is odd about it."""
    header = opened.header
    for sentence in filter(None, (*header.remarks, remark)):
        logger.warning("%s: %s.", what, sentence)
    return Tomogram(
        tomogram_id=tomogram_id_of(path),
        path=path,
        data=opened.data,
        voxel_size=voxel_size,
        file=opened.file,
        offset=header.offset,
        stored_axes=header.stored_axes,
    )


def read_box(tomogram: Tomogram, box: Box) -> NDArray[np.generic]:
    """Return a copy of a box, ``(z, y, x)``, in the tomogram's number type.

    Pages that are read through a map count as this process's memory for as long as it
    lives, and would add up to the whole file; so a box is read, not mapped: whole rows
    of one section at a time.

    Raises
    ------
    InputDataError
        If the file has changed or vanished since it was opened.
    """
    if tomogram.file is None:
        return np.array(tomogram.data[box])
    with tomogram.file.open() as stream:
        return read_from(stream, tomogram, box)


def read_from(stream: FileIO, tomogram: Tomogram, box: Box) -> NDArray[np.generic]:
    """Return a copy of a box from the open file of a tomogram (see ``read_box``).

    Raises
    ------
    OSError
        If the file ends before.
    """
    data, axes, offset = tomogram.data, tomogram.stored_axes, tomogram.offset
    if offset is None:
        return np.array(data[box])
    values = np.empty(data[box].shape, data.dtype)
    if not values.size:
        return values
    stored = data.transpose(axes)
    sections, rows = (range(stored.shape[i])[box[axes[i]]] for i in (0, 1))
    read = np.empty((rows[-1] + 1 - rows[0], stored.shape[2]), data.dtype)
    for section, into in zip_strict(sections, values.transpose(axes)):
        first = (section * stored.shape[1] + rows[0]) * stored.shape[2]
        read_at(stream, offset + first * data.itemsize, read)
        into[...] = read[:: rows.step, box[axes[2]]]
    return values


def read_whole(tomogram: Tomogram) -> NDArray[np.generic]:
    """Return a copy of all voxels (see ``read_box``)."""
    return read_box(tomogram, WHOLE)


def slabs(tomogram: Tomogram, voxels: int, *, every: int = 1) -> Iterator[Box]:
    """Yield boxes that cover a tomogram, each of at most about so many voxels.

    They are cut across the axis of the file's sections, so that reading all of them
    reads the file once, whatever its axis order.

    Parameters
    ----------
    every
        Take only each so-manieth voxel along each axis.
    """
    across = tomogram.stored_axes[0]
    shape = tomogram.shape_zyx
    thickness = max(1, voxels * shape[across] // int(np.prod(shape))) * every
    for start in range(0, shape[across], thickness):
        box = [slice(None, None, every)] * 3
        box[across] = slice(start, start + thickness, every)
        yield box[0], box[1], box[2]


def write_volume(path: Path, data: NDArray[np.generic], voxel_size: float) -> None:
    """Write a ``(Z, Y, X)`` volume as MRC with its voxel size in Å."""
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(data)
        mrc.set_volume()
        mrc.voxel_size = voxel_size


def copy_map(source: Path, target: Path, voxel_size: float) -> None:
    """Write a map under another name, with the voxel size in its header."""
    data = np.asarray(read_whole(read_map(source, voxel_size)), dtype=np.float32)
    with write_whole(target) as temporary:
        write_volume(temporary, data, voxel_size)
