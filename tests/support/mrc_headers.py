"""MRC files written byte by byte, so that any field can say anything."""

import struct

import numpy as np

LITTLE, BIG = b"\x44\x44\x00\x00", b"\x11\x11\x00\x00"
MODES = {"i1": 0, "u1": 0, "i2": 1, "f4": 2, "u2": 6, "f2": 12}
UNDETERMINED = (0.0, -1.0)
"""Lowest above highest: MRC2014 for 'not known'."""


def header_bytes(
    size_xyz,
    *,
    mode,
    order="<",
    samples=None,
    cell=None,
    angles=(90.0, 90.0, 90.0),
    axes=(1, 2, 3),
    values=UNDETERMINED,
    space_group=1,
    extended=0,
    version=20140,
    imod_flags=None,
    word=b"MAP ",
    stamp=None,
):
    """Return the 1024 bytes; ``cell`` is 10 Å per voxel unless another is given."""
    samples = samples or size_xyz
    cell = cell or [10.0 * n for n in samples]
    raw = bytearray(1024)
    struct.pack_into(f"{order}4i", raw, 0, *size_xyz, mode)
    struct.pack_into(f"{order}3i6f", raw, 28, *samples, *cell, *angles)
    struct.pack_into(
        f"{order}3i3f2i", raw, 64, *axes, *values, 0.0, space_group, extended
    )
    struct.pack_into(f"{order}i", raw, 108, version)
    if imod_flags is not None:
        struct.pack_into(f"{order}2i", raw, 152, 1146047817, imod_flags)
    raw[208:212] = word
    raw[212:216] = stamp or (LITTLE if order == "<" else BIG)
    return bytes(raw)


def write_mrc(path, stored, *, between=b"", tail=b"", **fields):
    """Write ``stored`` (sections, rows, columns) after a header; return the path.

    Parameters
    ----------
    between, tail
        Bytes of the extended header, and after the last voxel.
    fields
        Of ``header_bytes``, where they are not what the array says.
    """
    order = fields.get("order", "<")
    fields.setdefault("mode", MODES[stored.dtype.str[1:]])
    fields.setdefault("extended", len(between))
    size = fields.pop("size", stored.shape[::-1])
    body = np.ascontiguousarray(stored, stored.dtype.newbyteorder(order)).tobytes()
    path.write_bytes(header_bytes(size, **fields) + between + body + tail)
    return path


def stored_in(data_zyx, axes):
    """Return a ``(z, y, x)`` array as a file with this MAPC, MAPR, MAPS holds it."""
    columns, rows, sections = axes
    return data_zyx.transpose(3 - sections, 3 - rows, 3 - columns)
