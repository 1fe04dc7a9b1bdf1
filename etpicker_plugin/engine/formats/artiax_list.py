"""ArtiaX's generic particle list (``.tsv``): a header and tab-separated numbers.

Position and shift are voxels of the tomogram, voxel *i* centred at *i*; phi, the and
psi are the TOM toolbox's angles. Further columns of numbers show up in ArtiaX as
attributes, by which it colours and selects: here ``score`` and ``class``, ``radius``
(Å), and numbers of filaments and vesicles. ArtiaX's ``.coords`` files are ``x y z`` per
line, our ``txt``, and its RELION lists our ``relion3``.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import FILAMENT, RADIUS, VESICLE, Values
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_txt import to_number, to_whole_number
from etpicker_plugin.engine.formats.format import VOXELS, Format, frame_in, particles_in
from etpicker_plugin.engine.formats.groups import numbers_of, texts_of
from etpicker_plugin.engine.formats.names import name_class
from etpicker_plugin.engine.formats.scores import zero_if_unknown
from etpicker_plugin.engine.formats.text_files import read_text, split_lines
from etpicker_plugin.engine.geometry import reverse_axes
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.orientation import from_artiax_angles, to_artiax_angles
from etpicker_plugin.engine.particles import Particles, make_particles

logger = logging.getLogger(__name__)

POSITIONS = ("pos_x", "pos_y", "pos_z")
SHIFTS = ("shift_x", "shift_y", "shift_z")
ANGLES = ("phi", "the", "psi")
REQUIRED = (*POSITIONS, *SHIFTS, *ANGLES)
SCORE = "score"
CLASS = "class"
GROUPS = (FILAMENT, VESICLE)
"""Columns of names, which are numbered from 1; 0 is none."""
ATTRIBUTES = (RADIUS.name, *(column.name for column in GROUPS))


def read_artiax(
    path: Path,
    *,
    tomogram_id: str,
    class_order: Sequence[str] = ("particle",),
    score_column: str = "",
) -> Particles:
    """Read a list: a particle stands at its position plus its shift.

    Class *n* is the *n*-th of ``class_order`` or, beyond it, ``class_n``; without the
    column all are of the first. Scores stand in ``score_column``, or in ``score`` if
    that is empty. Angles that are all 0 are no orientation.

    Raises
    ------
    InputDataError
        If a column that ArtiaX needs is missing, or a cell holds no number.
    """
    score = score_column or SCORE
    table = _read_table(path, needed=(*REQUIRED, *filter(None, [score_column])))
    angles = _columns(table, ANGLES)
    numbers = table.get(CLASS, np.ones(len(angles))).astype(int)
    names = [name_class(int(number), order=class_order) for number in numbers]
    return make_particles(
        tomogram_id,
        reverse_axes(_columns(table, POSITIONS) + _columns(table, SHIFTS)),
        class_names=np.array(names, dtype=str),
        scores=table.get(score, np.nan),
        rotations=from_artiax_angles(angles) if angles.any() else None,
        optional=_attributes_of(table),
    )


def write_artiax(
    particles: Particles, path: Path, *, class_numbers: Mapping[str, int]
) -> None:
    """Write a list with class numbers and, if any is known, scores, radii and groups.

    Names are lost; an unknown orientation, or a score or radius among others, is 0.
    """
    count = len(particles)
    angles = np.zeros((count, 3))
    if particles.rotations is not None:
        angles = to_artiax_angles(particles.rotations)
    numbers = [class_numbers[str(name)] for name in particles.class_names]
    columns = [
        *reverse_axes(particles.positions_zyx).T,
        *np.zeros((3, count)),
        *angles.T,
    ]
    columns.append(np.array(numbers, dtype=np.float64))
    names = [*REQUIRED, CLASS]
    if np.isfinite(particles.scores).any():
        columns.append(zero_if_unknown(particles.scores))
        names.append(SCORE)
    for name, values in _attributes(particles).items():
        columns.append(values)
        names.append(name)
    with write_whole(path) as temporary:
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
            writer.writerow(names)
            rows = zip_strict(*columns)
            writer.writerows([f"{value:.9g}" for value in row] for row in rows)


def _attributes(particles: Particles) -> dict[str, FloatArray]:
    """Return name -> ``(N,)`` radii, and numbers of filaments and vesicles."""
    made: dict[str, FloatArray] = {}
    if RADIUS.name in particles.optional:
        made[RADIUS.name] = np.nan_to_num(particles.optional[RADIUS.name])
    for column in GROUPS:
        names = texts_of(column, particles)
        known = names != column.missing
        if known.any():
            made[column.name] = np.zeros(len(particles))
            made[column.name][known] = numbers_of(names[known])
    return made


def _attributes_of(table: Mapping[str, FloatArray]) -> dict[str, Values | None]:
    """Return the optional columns that a list has as attributes."""
    made: dict[str, Values | None] = {}
    radii = table.get(RADIUS.name, np.zeros(0))
    if (radii > 0).any():
        made[RADIUS.name] = np.where(radii > 0, radii, RADIUS.missing)
    for column in GROUPS:
        numbers = table.get(column.name, np.zeros(0))
        if numbers.any():
            texts = [f"{n:g}" if n else column.missing for n in numbers]
            made[column.name] = np.array(texts, dtype=str)
    return made


def _read_table(path: Path, *, needed: Sequence[str]) -> dict[str, FloatArray]:
    """Return the columns that are used, by name."""
    numbered = enumerate(split_lines(read_text(path)), 1)
    lines = [(n, line.split("\t")) for n, line in numbered if line.strip()]
    header = [name.strip() for name in lines[0][1]] if lines else []
    missing = [name for name in needed if name not in header]
    if missing:
        raise InputDataError(
            f"Coordinates {path}: no column {', '.join(missing)}. Expected ArtiaX's "
            "generic particle list, tab-separated, with a header."
        )
    known = (*needed, CLASS, SCORE, *ATTRIBUTES)
    used = [n for n in dict.fromkeys(known) if n in header]
    twice = [name for name in used if header.count(name) > 1]
    if twice:
        raise InputDataError(
            f"Coordinates {path}: column {twice[0]} stands twice in the header. "
            "Keep one."
        )
    left_out = [name for name in header if name and name not in used]
    if left_out:
        logger.warning("%s: these columns are left out: %s.", path, ", ".join(left_out))
    rows = [_read_row(cells, header, used, path, n) for n, cells in lines[1:]]
    table = np.array(rows, dtype=np.float64).reshape(-1, len(used))
    return dict(zip_strict(used, table.T))


def _read_row(
    cells: Sequence[str],
    header: Sequence[str],
    used: Sequence[str],
    path: Path,
    line: int,
) -> list[float]:
    """Return the numbers of a line; empty cells behind the header's columns pass."""
    count = len(header)
    if len(cells) < count or any(cell.strip() for cell in cells[count:]):
        raise InputDataError(
            f"Coordinates {path}, line {line}: {len(cells)} cell(s), expected {count} "
            "as in the header."
        )
    by_name = dict(zip(header, cells))
    if CLASS in used:
        to_whole_number(by_name[CLASS], path, line, least=0)
    return [to_number(by_name[name], path, line) for name in used]


def _columns(table: Mapping[str, FloatArray], names: Sequence[str]) -> FloatArray:
    return np.stack([table[name] for name in names], axis=1)


ARTIAX = Format(
    name="artiax",
    program="ArtiaX particle list (.tsv)",
    file="{tomogram}.tsv",
    positions=VOXELS,
    not_held=("class names",),
    names_columns=True,
    read=lambda path, frames, options: [
        read_artiax(
            path,
            tomogram_id=frame_in(frames).tomogram_id,
            class_order=options.class_names,
            score_column=options.score_column,
        )
    ],
    write=lambda items, path, _, numbers: write_artiax(
        particles_in(items), path, class_numbers=numbers
    ),
)
