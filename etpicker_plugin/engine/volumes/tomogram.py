"""Reading tomograms: memory-mapped MRC files with a trusted voxel size."""

from dataclasses import dataclass
from pathlib import Path

import mrcfile
import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.names import tomogram_id_of
from etpicker_plugin.engine.volumes.watched_file import WatchedFile, read_at

MRC_MODES = (0, 1, 2, 6, 12)
VOXEL_SIZE_TOLERANCE = 0.01
"""Header and given voxel size may differ by this share before it is an error."""


@dataclass(frozen=True, kw_only=True)
class Tomogram:
    """A tomogram on disk.

    Attributes
    ----------
    tomogram_id
        File name without its extension.
    data
        ``(Z, Y, X)`` memory-mapped array in the file's own number type.
    voxel_size
        Edge of a voxel in Å.
    file
        Through which boxes are read, so that a change is noticed; without one they
        are taken from ``data``.
    """

    tomogram_id: str
    path: Path
    data: NDArray[np.generic]
    voxel_size: float
    file: WatchedFile | None = None

    @property
    def shape_zyx(self) -> tuple[int, int, int]:
        """Size in voxels."""
        z, y, x = self.data.shape
        return z, y, x


def read_tomogram(path: Path | str, voxel_size: float | None = None) -> Tomogram:
    """Open an MRC volume without reading its voxels.

    Parameters
    ----------
    path
        MRC file of mode 0, 1, 2, 6 or 12.
    voxel_size
        Å; overrules a header that holds none. A header that holds another one is an
        error, because one of the two is wrong.

    Raises
    ------
    InputDataError
        If the file is missing, truncated, empty, not a volume, of another mode, or
        has no usable voxel size.
    """
    path = Path(path)
    _check_length(path)
    file = WatchedFile(path)
    data, header_voxel_size = _map_file(path)
    return Tomogram(
        tomogram_id=tomogram_id_of(path),
        path=path,
        data=data,
        voxel_size=_choose_voxel_size(path, header_voxel_size, voxel_size),
        file=file,
    )


def read_box(
    tomogram: Tomogram, box: tuple[slice, slice, slice]
) -> NDArray[np.generic]:
    """Return a copy of a box.

    Pages that are read through a map count as this process's memory for as long as it
    lives, and would add up to the whole file; so a box is read, not mapped: whole rows
    of one plane at a time.

    Raises
    ------
    InputDataError
        If the file has changed or vanished since it was opened.
    """
    data = tomogram.data
    if tomogram.file is None or not isinstance(data, np.memmap):
        return np.array(data[box])
    values = np.empty(data[box].shape, data.dtype)
    planes, rows = range(len(data))[box[0]], range(data.shape[1])[box[1]]
    if not values.size:
        return values
    read = np.empty((rows[-1] + 1 - rows[0], data.shape[2]), data.dtype)
    with tomogram.file.open() as stream:
        for number, plane in enumerate(planes):
            first = (plane * data.shape[1] + rows[0]) * data.shape[2]
            read_at(stream, data.offset + first * data.itemsize, read)
            values[number] = read[:: rows.step, box[2]]
    return values


def open_mask(path: Path | str, shape_zyx: tuple[int, int, int]) -> NDArray[np.generic]:
    """Open a region mask without reading its voxels; inside it they are not 0.

    Raises
    ------
    InputDataError
        If it cannot be read, or its shape is not the tomogram's.
    """
    data, _ = _map_file(Path(path))
    if data.shape != shape_zyx:
        raise InputDataError(
            f"Region mask {path}: size (z, y, x) {data.shape}, but its tomogram's is "
            f"{shape_zyx}. Give a mask made on that tomogram."
        )
    return data


def read_mask(path: Path | str, shape_zyx: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Read a region mask, true where it is not 0 (see ``open_mask``)."""
    return np.asarray(open_mask(path, shape_zyx) != 0)


def write_volume(path: Path, data: NDArray[np.generic], voxel_size: float) -> None:
    """Write a ``(Z, Y, X)`` volume as MRC with its voxel size in Å."""
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(data)
        mrc.set_volume()
        mrc.voxel_size = voxel_size


def _check_length(path: Path) -> None:
    if not path.is_file():
        raise InputDataError(f"Tomogram {path}: no such file. Check the path.")
    if path.stat().st_size < 1024:
        raise InputDataError(
            f"Tomogram {path}: {path.stat().st_size} bytes, shorter than an MRC "
            "header (1024). The file is empty or was cut off; copy it again."
        )


def _map_file(path: Path) -> tuple[NDArray[np.generic], float]:
    _check_length(path)
    try:
        with mrcfile.mmap(path, mode="r", permissive=False) as mrc:
            mode = int(mrc.header.mode)
            data = mrc.data
            voxel_size = float(mrc.voxel_size.x)
    except (ValueError, OSError) as error:
        raise InputDataError(
            f"Tomogram {path} cannot be read as MRC: {error}. It is not an MRC "
            "volume, or it was cut off; copy it again."
        ) from error
    if mode not in MRC_MODES:
        raise InputDataError(
            f"Tomogram {path}: MRC mode {mode}, expected one of {MRC_MODES}. "
            "Convert it to 16-bit integers or 32-bit floats."
        )
    if data is None or data.ndim != 3 or min(data.shape) < 2:
        shape = () if data is None else data.shape
        raise InputDataError(
            f"Tomogram {path}: size (z, y, x) {shape}, expected a volume of three "
            "dimensions. Give a reconstructed tomogram, not an image."
        )
    return data, voxel_size


def _choose_voxel_size(path: Path, header: float, given: float | None) -> float:
    if given is None:
        if not np.isfinite(header) or header <= 0:
            raise InputDataError(
                f"Tomogram {path}: voxel size {header} Å in the header. "
                "Write it into the header (relion_image_handler --force_header_angpix "
                "does), or, for tomograms, give it (--voxel-size)."
            )
        return header
    if header > 0 and abs(header - given) > VOXEL_SIZE_TOLERANCE * given:
        raise InputDataError(
            f"Tomogram {path}: voxel size {header:g} Å in the header, {given:g} Å "
            "given. One of them is wrong: correct the header, or the voxel size "
            "you give."
        )
    return given
