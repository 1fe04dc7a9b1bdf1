"""IMOD's binary models (``.mod``), read as far as points go.

Source: IMOD's "Binary File Format" (binspec.html). Big-endian; a header of 8 + 232
bytes, then chunks: ``OBJT``, ``CONT`` and ``MESH`` have no length field, all others do.
"""

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import InputDataError

MAGIC = b"IMODV1.2"
HEADER_BYTES = 232
FLAGS_AT = 144
"""Offset of the flags in the header: name, three maxima, number of objects."""
FLIPPED_YZ = 1 << 16
OBJECT_BYTES = 176


def is_imod_model(path: Path) -> bool:
    """Return whether a file is a binary model; a missing one is not."""
    try:
        with path.open("rb") as stream:
            return stream.read(4) == MAGIC[:4]
    except OSError:
        return False


def read_imod_model(path: Path) -> FloatArray:
    """Return ``(N, 5)``: object from 1, x, y, z of the model, and 0 for the value.

    Raises
    ------
    InputDataError
        If the model is cut short or of another version, was drawn on part of a volume
        or on one with y and z swapped.
    """
    with path.open("rb") as stream:
        try:
            return _read(stream, path)
        except struct.error as error:
            raise InputDataError(
                f"{path}: the IMOD model ends too early. Save it again in 3dmod."
            ) from error


def _read(stream: BinaryIO, path: Path) -> FloatArray:
    magic = stream.read(len(MAGIC))
    header = stream.read(HEADER_BYTES)
    (flags,) = struct.unpack_from(">I", header, FLAGS_AT)
    if magic != MAGIC or flags & FLIPPED_YZ:
        reason = "y and z swapped" if magic == MAGIC else f"version {magic[4:]!r}"
        raise _unusable(path, reason)
    rows: list[FloatArray] = []
    number = 0
    while (chunk := stream.read(4)) not in (b"IEOF", b""):
        if chunk == b"OBJT":
            number += 1
            _take(stream, OBJECT_BYTES)
        elif chunk == b"CONT":
            rows.append(_contour(stream, number))
        elif chunk == b"MESH":
            n_vertices, n_indices = struct.unpack(">2i", _take(stream, 16)[:8])
            _take(stream, 12 * n_vertices + 4 * n_indices)
        else:
            (size,) = struct.unpack(">i", _take(stream, 4))
            _check_reference(chunk, _take(stream, size), path)
    return np.concatenate(rows) if rows else np.zeros((0, 5))


def _contour(stream: BinaryIO, number: int) -> FloatArray:
    (count,) = struct.unpack(">i", _take(stream, 16)[:4])
    points = np.frombuffer(_take(stream, 12 * count), dtype=">f4").reshape(-1, 3)
    rows = np.zeros((count, 5))
    rows[:, 0] = number
    rows[:, 1:4] = points
    return rows


def _take(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if size < 0 or len(data) < size:
        raise struct.error
    return data


def _check_reference(chunk: bytes, data: bytes, path: Path) -> None:
    """Refuse a model whose points do not count from the volume's corner.

    ``MINX`` holds old scale, translation, rotation, then the current ones; 3dmod adds
    the difference of the translations.
    """
    if chunk != b"MINX":
        return
    numbers = np.array(struct.unpack(">18f", data[:72]))
    old, current = numbers[3:6], numbers[12:15]
    if np.abs(old - current).max() > 1e-3 * np.abs(numbers[9:12]).max():
        raise _unusable(path, "points that count from a part of the volume")


def _unusable(path: Path, reason: str) -> InputDataError:
    return InputDataError(
        f"{path}: an IMOD model with {reason}, which etpicker does not read. Make a "
        "point file of it: model2point -object MODEL POINTS."
    )
