"""An MRC header, judged: what of it is used, and what makes a file unusable.

Nothing that a header says of the voxels is passed over in silence: it is heeded,
refused, or heeded with a remark to the user.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.foreign_file import describe_foreign
from etpicker_plugin.engine.volumes.mrc_fields import (
    HEADER_BYTES,
    ORDERS,
    Fields,
    has_map_word,
    read_fields,
    stated_order,
)

DTYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
MODES = tuple(DTYPES)
NOT_READ = {
    3: "complex 16-bit integers, a Fourier transform",
    4: "complex 32-bit floats, a Fourier transform",
    16: "colours",
    101: "4 bits per voxel",
}
VOLUME_STACK = 401
"""Space groups from here to 630 are stacks of volumes."""


@dataclass(frozen=True)
class MrcHeader:
    """Where the voxels lie in a file, and of what kind they are.

    Attributes
    ----------
    dtype
        In the file's byte order; mode 0 as signed bytes (see ``mrc_bytes``).
    offset
        Bytes before the first voxel.
    stored_shape
        Sections, rows and columns.
    stored_axes
        Which axis of ``(z, y, x)`` sections, rows and columns are: 0, 1, 2 unless
        the header says otherwise.
    remarks
        Sentences on what is odd about it, for the user.
    """

    fields: Fields
    dtype: np.dtype[Any]
    offset: int
    stored_shape: Shape
    stored_axes: Shape
    remarks: tuple[str, ...]

    @property
    def shape_zyx(self) -> Shape:
        """Size in voxels."""
        z, y, x = (self.stored_shape[self.stored_axes.index(a)] for a in range(3))
        return z, y, x


def judge_header(raw: bytes, file_bytes: int, *, what: str, path: str) -> MrcHeader:
    """Return what an MRC file's first 1024 bytes say.

    Parameters
    ----------
    raw
        The first bytes of the file, 1024 if it has as many.
    what
        The file in words, for messages (``Tomogram TS_01.mrc``).

    Raises
    ------
    InputDataError
        If it is no MRC file, or none that can be used.
    """
    if len(raw) < HEADER_BYTES:
        _refuse_foreign(raw, file_bytes, what, path)
        raise InputDataError(
            f"{what}: {file_bytes} bytes, shorter than an MRC header (1024). The file "
            "is empty or was cut off; copy it again."
        )
    fields = read_fields(raw, file_bytes)
    if fields.file_bytes != file_bytes or not fields.is_plausible:
        _refuse_foreign(raw, file_bytes, what, path)
    _check_sense(fields, raw, what)
    _check_mode(fields, what)
    _check_length(fields, file_bytes, what)
    stored_axes, axes_remark = _stored_axes(fields, what)
    _check_is_volume(fields, what)
    x, y, z = fields.size
    header = MrcHeader(
        fields=fields,
        dtype=np.dtype(fields.order + DTYPES[fields.mode]),
        offset=HEADER_BYTES + fields.extended,
        stored_shape=(z, y, x),
        stored_axes=stored_axes,
        remarks=tuple(
            filter(
                None, [_stamp_remark(raw, fields), axes_remark, _stack_remark(fields)]
            )
        ),
    )
    _check_extent(header.shape_zyx, what)
    return header


def _refuse_foreign(raw: bytes, file_bytes: int, what: str, path: str) -> None:
    found = describe_foreign(raw, file_bytes, path)
    if found:
        raise InputDataError(f"{what} cannot be read as MRC: {found}.")


def _check_sense(fields: Fields, raw: bytes, what: str) -> None:
    """Refuse what cannot be a volume's header in either byte order."""
    x, y, z = fields.size
    is_mrc = has_map_word(raw) or bool(stated_order(raw))
    if is_mrc and min(fields.size) <= 0:
        raise InputDataError(
            f"{what}: size (x, y, z) {x}, {y}, {z} in its MRC header, expected numbers "
            "above 0. The header is damaged; write the file again."
        )
    if is_mrc and fields.extended < 0:
        raise InputDataError(
            f"{what}: an extended header of {fields.extended} bytes (NSYMBT) in its "
            "MRC header, expected 0 or more. The header is damaged; write the file "
            "again."
        )
    if not is_mrc and not fields.is_plausible:
        raise InputDataError(
            f"{what} cannot be read as MRC: its first bytes are no MRC header (size "
            f"{x}, {y}, {z}, mode {fields.mode}). Give an MRC volume."
        )


def _check_mode(fields: Fields, what: str) -> None:
    if fields.mode not in MODES:
        held = NOT_READ.get(fields.mode)
        raise InputDataError(
            f"{what}: MRC mode {fields.mode}, expected one of {MODES}"
            f"{f'; it holds {held}' if held else ''}. Convert it to 16-bit integers or "
            "32-bit floats."
        )


def _check_length(fields: Fields, file_bytes: int, what: str) -> None:
    """Refuse a file of another length than its header says.

    A file that is too long is refused as well: where the voxels begin is then not
    certain, and a few bytes' error makes another volume of them.
    """
    expected = fields.file_bytes
    if file_bytes == expected:
        return
    x, y, z = fields.size
    remedy = (
        "It was cut off; copy it again, or wait until it is written."
        if file_bytes < expected
        else "The header is not that of these voxels; write the file again with the "
        "program that made it."
    )
    raise InputDataError(
        f"{what}: {file_bytes} bytes, but its header says {expected}: {x} x {y} x {z} "
        f"voxels (x, y, z) of mode {fields.mode} after {HEADER_BYTES} + "
        f"{fields.extended} bytes of header. {remedy}"
    )


def _check_extent(shape_zyx: Shape, what: str) -> None:
    """Refuse a line; a plane is a micrograph."""
    if min(shape_zyx[1:]) < 2:
        raise InputDataError(
            f"{what}: size (z, y, x) {shape_zyx}, expected a volume of three "
            "dimensions, or a plane of x and y. Give a reconstructed tomogram or a "
            "micrograph."
        )


def _check_is_volume(fields: Fields, what: str) -> None:
    _, _, z = fields.size
    depth = fields.samples[2]
    if VOLUME_STACK <= fields.space_group <= 630 and depth != z:
        raise InputDataError(
            f"{what}: a stack of volumes (space group {fields.space_group}, {z} "
            f"sections, {depth} to a volume), expected one volume. Take it apart into "
            "a file for each."
        )


def _stored_axes(fields: Fields, what: str) -> tuple[Shape, str]:
    """Return which of (z, y, x) sections, rows and columns are, and a remark on it."""
    if fields.axes == (1, 2, 3):
        return (0, 1, 2), ""
    words = "{}, {}, {}".format(*fields.axes)
    if fields.axes == (0, 0, 0):
        return (0, 1, 2), (
            "its axis order (MAPC, MAPR, MAPS) is 0, 0, 0, which is none; the usual "
            "one is taken: columns are x, rows y, sections z"
        )
    if sorted(fields.axes) != [1, 2, 3]:
        raise InputDataError(
            f"{what}: axis order (MAPC, MAPR, MAPS) {words} in its MRC header, "
            "expected 1, 2 and 3 in some order. Correct the header, or write the file "
            "again."
        )
    columns, rows, sections = fields.axes
    names = " xyz"
    return (3 - sections, 3 - rows, 3 - columns), (
        f"its axis order (MAPC, MAPR, MAPS) is {words}: columns are {names[columns]}, "
        f"rows {names[rows]}, sections {names[sections]}. They are put in order while "
        "reading; programs that pass over the axis order will show coordinates of it "
        "with axes exchanged"
    )


def _stamp_remark(raw: bytes, fields: Fields) -> str:
    """Return what is wrong with the words that call a file MRC and tell its order."""
    stated = stated_order(raw)
    faults = []
    if stated != fields.order:
        stamp = raw[212:216].hex(" ")
        faults.append(
            f"its machine stamp is {stamp}, "
            + ("which is another byte order's" if stated else "which is none")
        )
    if not has_map_word(raw):
        faults.append("the word MAP is missing")
    if not faults:
        return ""
    return (
        f"{' and '.join(faults)}; size, mode and length of the file tell that it is "
        f"{ORDERS[fields.order]} MRC"
    )


def _stack_remark(fields: Fields) -> str:
    """Return a doubt about a file that calls itself a stack of images."""
    if fields.space_group != 0 or fields.samples[2] != 1 or fields.size[2] == 1:
        return ""
    return (
        f"its header calls it a stack of {fields.size[2]} images, not a volume; it is "
        "taken for a tomogram"
    )
