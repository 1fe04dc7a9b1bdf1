"""IMOD's binary models (``.mod``), read as far as points go.

Source: IMOD's "Binary File Format" (binspec.html). Big-endian; a header of 8 + 232
bytes, then chunks: ``OBJT``, ``CONT`` and ``MESH`` have no length field, all others do.
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.plain_numbers import LARGEST

MAGIC = b"IMODV1.2"
HEADER_BYTES = 232
SIZES_AT = 128
"""Offset of the image's x, y and z, the number of objects and the flags."""
PIXEL_SIZE_AT = 208
"""Offset of the pixel size, and of its unit as a power of ten of a metre."""
FLIPPED_YZ = 1 << 16
OBJECT_BYTES = 176
OBJECT_FLAGS_AT = 132
"""Offset of the flags of an object."""
OPEN, SCATTERED = 1 << 3, 1 << 9
END = b"IEOF"
CHUNK = re.compile(rb"[A-Z0-9]{4}")


@dataclass(frozen=True)
class ImodModel:
    """The points of a model, and the image that it was drawn on.

    Attributes
    ----------
    rows
        ``(N, 8)``: object from 1, x, y, z of the model, 0 for the value, contour from
        1 if it is an open line, else 0, the point's own size in voxels, else NaN, and
        its group: the contour's number or, where it has a surface's, minus that.
    size_xyz
        The image's size in voxels, 0 where the model does not say.
    voxel_size_xyz
        The image's voxel size in Å, ``None`` if the model does not say.
    """

    rows: FloatArray
    size_xyz: tuple[int, ...]
    voxel_size_xyz: tuple[float, ...] | None


def is_imod_model(path: Path) -> bool:
    """Return whether a file is a binary model; a missing one is not."""
    try:
        with path.open("rb") as stream:
            return stream.read(4) == MAGIC[:4]
    except OSError:
        return False


def read_imod_model(path: Path) -> ImodModel:
    """Return the points of a model, and what it says of its image.

    Raises
    ------
    InputDataError
        If the model is cut short, damaged or of another version, was drawn on part of
        a volume or on one with y and z swapped, or a point is no finite number.
    """
    try:
        return _read(io.BytesIO(path.read_bytes()), path)
    except OSError as error:
        raise InputDataError(f"{path} cannot be read: {error}.") from error
    except struct.error as error:
        raise InputDataError(
            f"{path}: the IMOD model ends too early, or is damaged. Save it again in "
            "3dmod."
        ) from error


def _read(stream: io.BytesIO, path: Path) -> ImodModel:
    magic = stream.read(len(MAGIC))
    header = _take(stream, HEADER_BYTES)
    *size, n_objects, flags = struct.unpack_from(">4iI", header, SIZES_AT)
    if magic != MAGIC or flags & FLIPPED_YZ:
        reason = "y and z swapped" if magic == MAGIC else f"version {magic[4:]!r}"
        raise _unusable(path, reason)
    rows: list[FloatArray] = []
    voxel_size = _header_voxel_size(header)
    number = contour = object_flags = 0
    while (chunk := stream.read(4)) != END:
        if chunk == b"OBJT":
            number, contour = number + 1, 0
            data = _take(stream, OBJECT_BYTES)
            (object_flags,) = struct.unpack_from(">I", data, OBJECT_FLAGS_AT)
        elif chunk == b"CONT":
            contour += 1
            is_line = object_flags & (OPEN | SCATTERED) == OPEN
            rows.append(_contour(stream, number, contour, path, is_line=is_line))
        elif chunk == b"MESH":
            n_vertices, n_indices = struct.unpack(">2i", _take(stream, 16)[:8])
            _take(stream, 12 * n_vertices + 4 * n_indices)
        elif chunk == b"" and number == n_objects:
            break  # Some programs write no end.
        elif CHUNK.fullmatch(chunk):
            (length,) = struct.unpack(">i", _take(stream, 4))
            data = _take(stream, length)
            if chunk == b"MINX":
                voxel_size = _reference(data, path) or voxel_size
            elif chunk == b"SIZE" and rows:
                rows[-1][:, 6] = _sizes(data, len(rows[-1]), path)
        else:
            raise struct.error
    points = np.concatenate(rows) if rows else np.zeros((0, 8))
    return ImodModel(points, tuple(size), voxel_size)


def _contour(
    stream: io.BytesIO, number: int, contour: int, path: Path, *, is_line: bool
) -> FloatArray:
    count, _, _, surface = struct.unpack(">4i", _take(stream, 16))
    points = np.frombuffer(_take(stream, 12 * count), dtype=">f4").reshape(-1, 3)
    if number < 1:
        raise struct.error
    if not (np.abs(points) <= LARGEST).all():
        raise InputDataError(
            f"{path}: object {number} of the IMOD model holds a point that is no "
            "finite number. Delete it in 3dmod."
        )
    rows = np.zeros((count, 8))
    rows[:, 0] = number
    rows[:, 1:4] = points
    rows[:, 5] = contour if is_line and count > 1 else 0
    rows[:, 6] = np.nan
    rows[:, 7] = -surface if surface > 0 else contour
    return rows


def _sizes(data: bytes, count: int, path: Path) -> FloatArray:
    """Return the sizes of a contour's points, NaN for those of the object's size."""
    if len(data) != 4 * count:
        raise struct.error
    sizes = np.frombuffer(data, dtype=">f4").astype(np.float64)
    if not (np.abs(sizes) <= LARGEST).all():
        raise InputDataError(
            f"{path}: a point of the IMOD model has a size that is no finite number. "
            "Set it anew in 3dmod, or save the model without sizes."
        )
    return np.where(sizes > 0, sizes, np.nan)


def _take(stream: io.BytesIO, size: int) -> bytes:
    data = stream.read(size) if size >= 0 else b""
    if size < 0 or len(data) < size:
        raise struct.error
    return data


def _header_voxel_size(header: bytes) -> tuple[float, ...] | None:
    """Return the header's pixel size in Å; its unit 0 means that it is not known."""
    pixel_size, unit = struct.unpack_from(">fi", header, PIXEL_SIZE_AT)
    if unit not in range(-12, 0) or not 0 < pixel_size <= LARGEST:
        return None
    return (pixel_size * 10.0 ** (unit + 10),) * 3


def _reference(data: bytes, path: Path) -> tuple[float, ...] | None:
    """Return the image's voxel size in Å, of the chunk ``MINX``.

    It holds old scale, translation, rotation, then the current ones; 3dmod adds the
    difference of the translations where a part of a volume was loaded.

    Raises
    ------
    InputDataError
        If the points do not count from the volume's corner.
    """
    numbers = np.array(struct.unpack(">18f", data[:72]), dtype=np.float64)
    old, scale, current = numbers[3:6], numbers[9:12], numbers[12:15]
    if not (np.abs(np.concatenate([old, scale, current])) <= LARGEST).all():
        raise struct.error
    if np.abs(old - current).max() > 1e-3 * np.abs(scale).max():
        raise _unusable(path, "points that count from a part of the volume")
    return tuple(scale.tolist()) if (scale > 0).all() else None


def _unusable(path: Path, reason: str) -> InputDataError:
    return InputDataError(
        f"{path}: an IMOD model with {reason}, which etpicker does not read. Make a "
        "point file of it: model2point -object MODEL POINTS."
    )
