"""Dynamo tables (``.tbl``): one line of numbers per particle, for many tomograms.

Columns, counted from 1 as on Dynamo's wiki ("Table convention"): 1 tag, 2 aligned, 4-6
shift in pixels, 7-9 tdrot, tilt, narot, 10 cross correlation, 20 tomogram, 21 region,
22 class, 23 annotation, 24-26 x y z in pixels, 36 pixel size in Å. A ``.doc`` file
beside it names the tomograms: ``NUMBER FILE`` per line.

Region and annotation are free for a user's own numbers: here, of both, that of the
filament or vesicle in its tomogram. Nothing says of which, so it is said on reading.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_txt import (
    read_word_rows,
    to_number,
    to_whole_number,
)
from etpicker_plugin.engine.formats.format import VOXELS, Format, Item
from etpicker_plugin.engine.formats.groups import group_numbers
from etpicker_plugin.engine.formats.names import (
    check_names,
    match_names,
    name_class,
    short_name,
)
from etpicker_plugin.engine.formats.scores import unknown_if_all_zero, zero_if_unknown
from etpicker_plugin.engine.geometry import TomogramFrame, reverse_axes
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.orientation import from_dynamo_angles, to_dynamo_angles
from etpicker_plugin.engine.particles import Particles, make_particles

logger = logging.getLogger(__name__)

TABLE_MAP = ".doc"
TAG, ALIGNED, SCORE, TOMOGRAM, CLASS, VOXEL_SIZE = 0, 1, 9, 19, 21, 35
REGION, ANNOTATION = 20, 22
SHIFTS, ANGLES, POSITIONS = slice(3, 6), slice(6, 9), slice(23, 26)
N_COLUMNS = 36
LEAST_COLUMNS = 26
READ_COLUMNS = (*range(3, 10), *range(TOMOGRAM, 26))
VOXEL_SIZE_TOLERANCE = 0.01


def table_map_of(path: Path) -> Path:
    """Return the name of the file that says which tomogram a number means."""
    return path.with_suffix(TABLE_MAP)


def write_dynamo(
    items: Sequence[Item],
    path: Path,
    *,
    class_numbers: Mapping[str, int],
    first_voxel: int = 0,
) -> None:
    """Write the table and, beside it, the ``.doc``; tomograms are numbered from 1.

    ``first_voxel`` is the number of the first voxel, 0 or 1. Class names are lost; an
    unknown score or orientation is 0. Wedges (columns 13-17) are left 0: not known.
    Regions and annotations are the filaments and vesicles of each tomogram, from 1.

    Raises
    ------
    InputDataError
        If a tomogram's name cannot stand in the ``.doc``.
    """
    check_names([frame.tomogram_id for _, frame in items], kind="Dynamo table")
    lines: list[str] = []
    for number, (particles, frame) in enumerate(items, 1):
        rows = _rows_of(particles, frame, class_numbers, first_voxel=first_voxel)
        rows[:, TOMOGRAM] = number
        rows[:, TAG] = np.arange(len(rows)) + len(lines) + 1
        lines += [" ".join(f"{value:.9g}" for value in row) + "\n" for row in rows]
    with write_whole(table_map_of(path)) as temporary:
        names = [f"{n} {f.tomogram_id}.mrc\n" for n, (_, f) in enumerate(items, 1)]
        temporary.write_text("".join(names), encoding="utf-8")
    with write_whole(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def read_dynamo(
    path: Path,
    *,
    frames: Mapping[str, TomogramFrame],
    class_order: Sequence[str] = ("particle",),
    first_voxel: int = 0,
    groups: str = "",
) -> list[Particles]:
    """Read a table into one record per frame, in the frames' order.

    A particle stands at x + dx. Class *n* is the *n*-th of ``class_order`` or, beyond
    it, ``class_n``; if all are 0 it is the first. Regions or, where all are 0,
    annotations are the column ``groups``, if it is given.

    Raises
    ------
    InputDataError
        If a line or its pixel size does not fit, or it is not clear which tomogram a
        number means.
    """
    rows = _read_table(path)
    owners = _owners(rows[:, TOMOGRAM], list(frames), path=path)
    records = []
    for name, frame in frames.items():
        chosen = rows[owners == name]
        _check_voxel_size(chosen, frame, path=path)
        particles = _particles_of(chosen, name, class_order, first_voxel)
        records.append(particles.having(_groups_of(chosen, groups)))
    if not groups and len(np.unique(_group_numbers(rows))) > 1:
        logger.info(
            "%s: column 21 or 23 numbers groups, which are left out. If they are "
            "filaments or vesicles, say so: --groups.",
            path,
        )
    return records


def read_dynamo_names(path: Path) -> list[str]:
    """Return the tomograms that the ``.doc`` names, or the table's own name."""
    names = _read_table_map(table_map_of(path))
    return list(names.values()) or [path.stem]


def _rows_of(
    particles: Particles,
    frame: TomogramFrame,
    class_numbers: Mapping[str, int],
    *,
    first_voxel: int,
) -> FloatArray:
    """Return ``(N, 36)`` numbers, all but tags and the tomogram's number."""
    rows = np.zeros((len(particles), N_COLUMNS))
    rows[:, ALIGNED] = 1
    if particles.rotations is not None:
        rows[:, ANGLES] = to_dynamo_angles(particles.rotations)
    rows[:, SCORE] = zero_if_unknown(particles.scores)
    rows[:, CLASS] = [class_numbers[str(name)] for name in particles.class_names]
    rows[:, REGION] = rows[:, ANNOTATION] = group_numbers(particles)
    rows[:, POSITIONS] = reverse_axes(particles.positions_zyx) + first_voxel
    rows[:, VOXEL_SIZE] = frame.voxel_size
    return rows


def _read_table(path: Path) -> FloatArray:
    """Return ``(N, 36)`` numbers; columns that are not used, or absent, are 0."""
    lines = read_word_rows(path)
    table = np.zeros((len(lines), N_COLUMNS))
    for row, (number, words) in zip_strict(table, lines):
        width = len(lines[0][1])
        if len(words) < LEAST_COLUMNS or len(words) != width:
            raise InputDataError(
                f"Coordinates {path}, line {number}: {len(words)} column(s), expected "
                f"a Dynamo table of at least {LEAST_COLUMNS}, the same in every line "
                f"(the first has {width}). Blanks part the numbers."
            )
        used = (*READ_COLUMNS, *([VOXEL_SIZE] if width > VOXEL_SIZE else []))
        row[list(used)] = [to_number(words[i], path, number) for i in used]
        for i in (TOMOGRAM, CLASS):
            row[i] = to_whole_number(words[i], path, number, least=0)
    return table


def _particles_of(
    rows: FloatArray, name: str, order: Sequence[str], first_voxel: int
) -> Particles:
    numbers = rows[:, CLASS].astype(int)
    classes = [
        name_class(number, order=order) if numbers.any() else order[0]
        for number in numbers
    ]
    turned = rows[:, ANGLES].any()
    return make_particles(
        name,
        reverse_axes(rows[:, POSITIONS] + rows[:, SHIFTS] - first_voxel),
        class_names=np.array(classes, dtype=str),
        scores=unknown_if_all_zero(rows[:, SCORE]),
        rotations=from_dynamo_angles(rows[:, ANGLES]) if turned else None,
    )


def _group_numbers(rows: FloatArray) -> FloatArray:
    return rows[:, REGION] if rows[:, REGION].any() else rows[:, ANNOTATION]


def _groups_of(rows: FloatArray, column: str) -> dict[str, NDArray[np.str_] | None]:
    """Return the column of the groups, if it is asked for and there are any."""
    numbers = _group_numbers(rows)
    if not column or not numbers.any():
        return {}
    return {column: np.array([f"{n:g}" if n else "" for n in numbers], dtype=str)}


def _owners(numbers: FloatArray, names: Sequence[str], *, path: Path) -> FloatArray:
    """Return ``(N,)`` the tomogram's name of each line."""
    found = sorted({int(number) for number in numbers})
    named = _read_table_map(table_map_of(path))
    if not named and len(names) == 1 and len(found) <= 1:
        return np.full(len(numbers), names[0])
    missing = [str(number) for number in found if number not in named]
    if missing:
        raise InputDataError(
            f"{path}: it is not known which tomograms the numbers {', '.join(missing)} "
            f"(column 20) mean. Put {table_map_of(path).name} beside it, with a line "
            "'NUMBER FILE' for each."
        )
    match = match_names([named[number] for number in found], names)
    if match.unmatched:
        raise InputDataError(
            f"{path}: tomogram names do not match; {match.describe()}. Give the "
            f"tomograms that {table_map_of(path).name} names."
        )
    return np.array([match.pairs[named[int(n)]] for n in numbers], dtype=object)


def _read_table_map(path: Path) -> dict[int, str]:
    """Return the tomograms' names by number; nothing if there is no such file."""
    if not path.is_file():
        return {}
    names: dict[int, str] = {}
    for line, words in read_word_rows(path):
        if len(words) < 2:
            raise InputDataError(
                f"{path}, line {line}: expected 'NUMBER FILE', got {' '.join(words)}."
            )
        number = to_whole_number(words[0], path, line, least=0)
        if number in names:
            raise InputDataError(
                f"{path}, line {line}: the number {number} stands twice. Keep one."
            )
        names[number] = short_name(" ".join(words[1:]))
    return names


def _check_voxel_size(rows: FloatArray, frame: TomogramFrame, *, path: Path) -> None:
    stated = rows[:, VOXEL_SIZE]
    wrong = (stated > 0) & (
        np.abs(stated - frame.voxel_size) > VOXEL_SIZE_TOLERANCE * frame.voxel_size
    )
    if wrong.any():
        raise InputDataError(
            f"{path}: its pixel size (column 36) is {stated[wrong][0]:g} Å, that of "
            f"tomogram {frame.tomogram_id} {frame.voxel_size:g} Å. Give the tomogram "
            "that the table was made on, or correct --voxel-size."
        )


DYNAMO = Format(
    name="dynamo",
    program="Dynamo table (.tbl)",
    file="particles.tbl",
    positions=VOXELS,
    not_held=("class names",),
    glob="*.tbl",
    tomograms_in=read_dynamo_names,
    list_beside=TABLE_MAP,
    heeded=("first_voxel",),
    groups_have_no_kind=True,
    read=lambda path, frames, options: read_dynamo(
        path,
        frames=frames,
        class_order=options.class_names,
        first_voxel=options.first_voxel,
        groups=options.groups,
    ),
    write=lambda items, path, options, numbers: write_dynamo(
        items, path, class_numbers=numbers, first_voxel=options.first_voxel
    ),
)
