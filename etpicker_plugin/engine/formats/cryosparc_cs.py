"""cryoSPARC's picks, ``.cs``: NumPy's file of one table, without objects.

A place is a fraction of the micrograph's width and height, y from the first row stored;
``location/micrograph_shape`` holds height and width.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import FILAMENT
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.format import (
    Format,
    FormatOptions,
    Frames,
    Item,
    Numbers,
)
from etpicker_plugin.engine.formats.names import (
    match_names,
    number_in_order,
    short_name,
)
from etpicker_plugin.engine.formats.scores import unknown_if_all_zero, zero_if_unknown
from etpicker_plugin.engine.geometry import (
    TomogramFrame,
    from_image_xy,
    to_image_xy,
)
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles, make_particles
from etpicker_plugin.engine.plain_numbers import LARGEST

PATH = "location/micrograph_path"
SHAPE = "location/micrograph_shape"
CENTRE = ("location/center_x_frac", "location/center_y_frac")
SCORE = "pick_stats/ncc_score"
FIBRE = "filament/filament_uid"
UID_DIGITS = 16
NEEDED = (PATH, SHAPE, *CENTRE)
UNREADABLE = (
    *(ValueError, SyntaxError, TypeError, EOFError, OverflowError, TokenError),
    *(KeyError, RecursionError, MemoryError),
)
"""What NumPy raises over a header that is damaged; it reads it as Python's literals."""
OTHER_KIND = b"\x94CSDAT"


def read_cs(path: Path, frames: Frames, options: FormatOptions) -> list[Particles]:
    """Read the picks of all micrographs, one record for each.

    Raises
    ------
    InputDataError
        If the file is none of cryoSPARC's, lacks a field, or was made of micrographs
        of other names or sizes.
    """
    table = _read_table(path)
    names = _names(table, path)
    pairs = _pairs(names, frames, path)
    owners = np.array([pairs[name] for name in names], dtype=object)
    scores = unknown_if_all_zero(_numbers(table, SCORE, path))
    fibres = _fibres(table, path)
    records = []
    for name, frame in frames.items():
        own = np.flatnonzero(owners == name)
        _check_size(table[own], frame, path)
        fractions = np.stack([_numbers(table[own], f, path) for f in CENTRE], axis=1)
        particles = make_particles(
            frame.tomogram_id,
            from_image_xy(fractions * _size_xy(frame)),
            class_names=options.class_names[0],
            scores=scores[own],
            optional={FILAMENT.name: None if fibres is None else fibres[own]},
        )
        records.append(particles)
    return records


def names_in(path: Path) -> list[str]:
    """Return the micrographs that a file names."""
    names = _names(_read_table(path), path)
    return list(dict.fromkeys(map(_without_uid, names)))


def _pairs(names: Sequence[str], frames: Frames, path: Path) -> dict[str, str]:
    """Return each name's micrograph, found with cryoSPARC's number before it or not."""
    match = match_names(list(dict.fromkeys(names)), list(frames))
    short = {_without_uid(name): name for name in match.unmatched}
    again = match_names(list(short), list(frames))
    found = {short[name]: known for name, known in again.pairs.items()}
    pairs = {**match.pairs, **found}
    if set(names) - set(pairs):
        raise InputDataError(
            f"{path}: names of micrographs do not match; {again.describe()}. Give the "
            "micrographs that the file names, under those names."
        )
    return pairs


def _without_uid(name: str) -> str:
    """Return a name without the number that cryoSPARC puts before those it imports."""
    first, _, rest = name.partition("_")
    return rest if first.isdigit() and len(first) >= UID_DIGITS and rest else name


def _size_xy(frame: TomogramFrame) -> FloatArray:
    return np.asarray(frame.shape_zyx[:0:-1], dtype=np.float64)


def _read_table(path: Path) -> NDArray[Any]:
    """Return the one table of a file, read without running anything it may hold."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputDataError(
            f"Coordinates {path} cannot be read: {error}. Check the path."
        ) from error
    if data.startswith(OTHER_KIND):
        raise InputDataError(
            f"{path}: a .cs of the kind that cryoSPARC keeps compressed (CSDAT), which "
            "is not read. Export the job's output from cryoSPARC, or save it with "
            "cryosparc-tools as NumPy's (format 1)."
        )
    try:
        table = _parse(data)
    except UNREADABLE as error:
        raise InputDataError(
            f"{path} cannot be read as a .cs of cryoSPARC: {str(error)[:120]}. It may "
            "be damaged, or of another program."
        ) from error
    missing = [field for field in NEEDED if field not in (table.dtype.names or ())]
    if missing:
        raise InputDataError(
            f"{path}: no {', '.join(missing)}. Give picks or particles with their "
            "places in micrographs (for particles, the 'passthrough' file)."
        )
    return table


def _parse(data: bytes) -> NDArray[Any]:
    stream = io.BytesIO(data)
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version[0]}.{version[1]} of NumPy's files")
    read = npy.read_array_header_1_0
    if version == (2, 0):
        read = npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are not read")
    if len(shape) != 1:
        raise ValueError(f"a table of {len(shape)} dimensions")
    found = data[stream.tell() :]
    if len(found) != shape[0] * dtype.itemsize or not dtype.itemsize:
        raise ValueError(
            f"{len(found)} bytes of rows, but {shape[0]} of {dtype.itemsize} are said"
        )
    return np.frombuffer(found, dtype=dtype)


def _names(table: NDArray[Any], path: Path) -> list[str]:
    """Return each row's micrograph."""
    column = table[PATH]
    if column.dtype.kind not in "SU" or column.ndim != 1:
        raise InputDataError(f"{path}: {PATH} holds no text.")
    names = []
    for at, cell in enumerate(column.tolist()):
        text = cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell
        name = short_name(text)
        if not name:
            raise InputDataError(f"{path}, row {at}: {PATH} is empty, expected a name.")
        names.append(name)
    return names


def _numbers(table: NDArray[Any], field: str, path: Path) -> FloatArray:
    """Return ``(N,)`` finite numbers of a field; 0 if the table has none of it."""
    if field not in (table.dtype.names or ()):
        return np.zeros(len(table))
    column = table[field]
    if column.dtype.kind not in "iuf" or column.ndim != 1:
        raise InputDataError(f"{path}: {field} holds no numbers.")
    values = column.astype(np.float64)
    wrong = np.flatnonzero(~(np.abs(values) <= LARGEST))
    if len(wrong):
        raise InputDataError(
            f"{path}, row {wrong[0]}: {field} is {values[wrong[0]]:g}, expected a "
            f"number, finite and at most {LARGEST:g}."
        )
    return values


def _fibres(table: NDArray[Any], path: Path) -> NDArray[np.str_] | None:
    if FIBRE not in (table.dtype.names or ()):
        return None
    column = table[FIBRE]
    if column.dtype.kind not in "iu" or column.ndim != 1:
        raise InputDataError(f"{path}: {FIBRE} holds no whole numbers.")
    # cryoSPARC's have 64 bits; small ones tell more.
    numbers = number_in_order([str(uid) for uid in column.tolist() if uid])
    ids = [str(numbers[str(u)]) if u else "" for u in column.tolist()]
    return np.array(ids, dtype=str) if numbers else None


def _check_size(rows: NDArray[Any], frame: TomogramFrame, path: Path) -> None:
    """Refuse picks of an image of other proportions: a fraction would mislead."""
    stated = rows[SHAPE]
    if stated.dtype.kind not in "iuf" or stated.shape[1:] != (2,):
        raise InputDataError(f"{path}: {SHAPE} holds no heights and widths.")
    height, width = frame.shape_zyx[1:]
    wrong = (stated != (height, width)).any(axis=1)
    if wrong.any():
        y, x = stated[np.flatnonzero(wrong)[0]].tolist()
        raise InputDataError(
            f"{path}: {SHAPE} is {y:g} x {x:g} (height, width), but micrograph "
            f"{frame.tomogram_id} has {height} x {width}. Give the micrograph that was "
            "picked, of that size."
        )


def write_cs(items: Sequence[Item], path: Path, _: FormatOptions, __: Numbers) -> None:
    """Write the picks of all micrographs; an unknown score is 0."""
    longest = max(len(_path_of(frame).encode()) for _, frame in items)
    has_fibres = any(FILAMENT.name in particles.optional for particles, _ in items)
    fields: list[Any] = [
        ("uid", "<u8"),
        ("location/micrograph_uid", "<u8"),
        ("location/exp_group_id", "<u4"),
        (PATH, f"S{longest}"),
        (SHAPE, "<u4", (2,)),
        ("location/micrograph_psize_A", "<f4"),
        *((field, "<f4") for field in (*CENTRE, SCORE)),
    ]
    fields += [(FIBRE, "<u8")] if has_fibres else []
    tables = [_table_of(*item, fields) for item in items]
    with write_whole(path) as temporary, temporary.open("wb") as stream:
        np.save(stream, np.concatenate(tables), allow_pickle=False)


def _table_of(
    particles: Particles, frame: TomogramFrame, fields: list[Any]
) -> NDArray[Any]:
    table = np.zeros(len(particles), dtype=fields)
    name = frame.tomogram_id
    table["uid"] = [_uid(f"{name} {n}") for n in range(len(particles))]
    table["location/micrograph_uid"] = _uid(name)
    table[PATH] = _path_of(frame).encode()
    table[SHAPE] = frame.shape_zyx[1:]
    table["location/micrograph_psize_A"] = frame.voxel_size
    fractions = to_image_xy(particles.positions_zyx) / _size_xy(frame)
    for field, values in zip_strict(CENTRE, fractions.T):
        table[field] = values
    table[SCORE] = zero_if_unknown(particles.scores)
    if FIBRE in (table.dtype.names or ()):
        ids = particles.optional.get(FILAMENT.name, FILAMENT.unknown(len(particles)))
        table[FIBRE] = [_uid(f"{name} {i}") if i else 0 for i in map(str, ids)]
    return table


def _path_of(frame: TomogramFrame) -> str:
    return f"{frame.tomogram_id}{frame.suffix}"


def _uid(text: str) -> int:
    """Return a number of 64 bits that is a text's own, as cryoSPARC's are."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


CRYOSPARC = Format(
    name="cryosparc",
    program="cryoSPARC picks (.cs)",
    file="picks.cs",
    positions="x y, fractions of the micrograph's width and height, p / n, y from the "
    "first row stored",
    dimensions=(2,),
    not_held=("classes", "orientations"),
    holds_columns=(FILAMENT.name,),
    glob="*.cs",
    tomograms_in=names_in,
    read=read_cs,
    write=write_cs,
)
