"""Opening an MRC file: its header judged, its voxels mapped and none of them read."""

import dataclasses
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.mrc_bytes import are_unsigned
from etpicker_plugin.engine.volumes.mrc_fields import HEADER_BYTES
from etpicker_plugin.engine.volumes.mrc_header import MrcHeader, judge_header
from etpicker_plugin.engine.volumes.watched_file import WatchedFile


class MrcFile(NamedTuple):
    """A judged header, the file to read through, and ``(Z, Y, X)`` mapped voxels."""

    header: MrcHeader
    file: WatchedFile
    data: NDArray[np.generic]


def open_mrc(path: Path, *, what: str) -> MrcFile:
    """Open an MRC volume, with its axes in the order z, y, x.

    Parameters
    ----------
    what
        The file in words, for messages.

    Raises
    ------
    InputDataError
        If it is missing, or no MRC volume that can be used.
    """
    if not os.path.exists(path):  # Path.exists fails for a name that is too long.
        raise InputDataError(f"{what}: no such file. Check the path.")
    if not os.path.isfile(path):
        raise InputDataError(f"{what} is no file. Give an MRC volume.")
    file = WatchedFile(path)
    with file.open() as stream:
        raw = stream.read(HEADER_BYTES)
        header = judge_header(raw, file.size, what=what, path=str(path))
        if header.fields.mode == 0:
            unsigned, remark = are_unsigned(header, stream)
            header = _with_bytes(header, unsigned=unsigned, remark=remark)
    return MrcFile(header, file, _map(path, header, what))


def _with_bytes(header: MrcHeader, *, unsigned: bool, remark: str) -> MrcHeader:
    return dataclasses.replace(
        header,
        dtype=np.dtype("u1" if unsigned else "i1"),
        remarks=(*header.remarks, remark) if remark else header.remarks,
    )


def _map(path: Path, header: MrcHeader, what: str) -> NDArray[np.generic]:
    try:
        stored = np.memmap(
            path,
            dtype=header.dtype,
            mode="r",
            offset=header.offset,
            shape=header.stored_shape,
        )
    except (OSError, ValueError) as error:  # ValueError: it has just become shorter.
        raise InputDataError(
            f"{what} cannot be read: {error}. See that it is there, and that nothing "
            "writes to it."
        ) from error
    return stored.transpose(np.argsort(header.stored_axes))
