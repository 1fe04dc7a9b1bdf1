"""The fields of an MRC header that are used, and the byte order they are in.

The format is that of Cheng et al. (2015), J. Struct. Biol. 192, 146, with IMOD's
stamp. NXSTART and ORIGIN are not used: they say where a volume lies in a larger one,
and picks are counted from the volume's own first voxel.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

HEADER_BYTES = 1024

BITS = {0: 8, 1: 16, 2: 32, 3: 32, 4: 64, 6: 16, 12: 16, 16: 24, 101: 4}
"""Bits of a voxel, by mode: all modes that programs write."""

STAMPS = {b"\x44\x44": "<", b"\x44\x41": "<", b"\x11\x11": ">"}
"""The first two bytes of the machine stamp; what follows them is not defined."""

ORDERS = {"<": "little-endian", ">": "big-endian"}


@dataclass(frozen=True)
class Fields:
    """What an MRC header says, read in one byte order; nothing is judged yet.

    Attributes
    ----------
    order
        ``<`` or ``>``.
    size
        Columns, rows and sections of the file.
    samples, cell_ang, angles
        Of the cell, along x, y and z: voxels, edges in Å, angles in degrees.
    axes
        MAPC, MAPR, MAPS: which of x, y, z (1, 2, 3) columns, rows and sections are.
    lowest, highest
        The values that the header states.
    extended
        Bytes between the header and the first voxel.
    version
        20140 or 20141 where MRC2014 is followed.
    """

    order: str
    size: tuple[int, int, int]
    mode: int
    samples: tuple[int, int, int]
    cell_ang: tuple[float, float, float]
    angles: tuple[float, float, float]
    axes: tuple[int, int, int]
    lowest: float
    highest: float
    space_group: int
    extended: int
    version: int
    imod_stamp: int
    imod_flags: int

    @property
    def is_plausible(self) -> bool:
        """Whether size, mode and extended header could be some volume's."""
        return self.mode in BITS and min(self.size) > 0 and self.extended >= 0

    @property
    def file_bytes(self) -> int:
        """How long the file should be."""
        bits = math.prod(self.size) * BITS.get(self.mode, 0)
        return HEADER_BYTES + self.extended + -(-bits // 8)


def read_fields(raw: bytes, file_bytes: int) -> Fields:
    """Return the fields in the byte order that makes sense of them.

    The machine stamp alone does not decide: programs write others, or none. An order
    in which size, mode and the file's length agree is the right one.
    """
    stated = stated_order(raw)

    def sense(fields: Fields) -> tuple[bool, bool, bool, int]:
        fits = fields.is_plausible and fields.file_bytes == file_bytes
        told = fields.order == (stated or "<")
        return fields.is_plausible, fits, told, -fields.file_bytes

    return max((_unpack(raw, order) for order in ORDERS), key=sense)


def stated_order(raw: bytes) -> str:
    """Return the byte order of the machine stamp; nothing where that is none."""
    return STAMPS.get(raw[212:214], "")


def has_map_word(raw: bytes) -> bool:
    """Return whether the header calls itself a map."""
    return raw[208:211] == b"MAP"


def _unpack(raw: bytes, order: str) -> Fields:
    def integers(place: int) -> tuple[int, int, int]:
        x, y, z = struct.unpack_from(f"{order}3i", raw, place)
        return x, y, z

    def numbers(place: int) -> tuple[float, float, float]:
        x, y, z = struct.unpack_from(f"{order}3f", raw, place)
        return x, y, z

    (mode,) = struct.unpack_from(f"{order}i", raw, 12)
    lowest, highest, _ = numbers(76)
    space_group, extended = struct.unpack_from(f"{order}2i", raw, 88)
    (version,) = struct.unpack_from(f"{order}i", raw, 108)
    imod_stamp, imod_flags = struct.unpack_from(f"{order}2i", raw, 152)
    return Fields(
        order=order,
        size=integers(0),
        mode=mode,
        samples=integers(28),
        cell_ang=numbers(40),
        angles=numbers(52),
        axes=integers(64),
        lowest=lowest,
        highest=highest,
        space_group=space_group,
        extended=extended,
        version=version,
        imod_stamp=imod_stamp,
        imod_flags=imod_flags,
    )
