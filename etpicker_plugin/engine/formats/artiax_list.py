"""ArtiaX's generic particle list (``.tsv``): a header and tab-separated numbers.

Position and shift are voxels of the tomogram, voxel *i* centred at *i*; phi, the and
psi are the TOM toolbox's angles. Further columns of numbers show up in ArtiaX as
attributes: here ``score`` and ``class``. ArtiaX's ``.coords`` files are ``x y z`` per
line, our ``txt``, and its RELION lists our ``relion3``.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_txt import to_number
from etpicker_plugin.engine.formats.format import VOXELS, Format, frame_in, particles_in
from etpicker_plugin.engine.formats.json_files import read_text
from etpicker_plugin.engine.formats.names import name_class
from etpicker_plugin.engine.formats.scores import zero_if_unknown
from etpicker_plugin.engine.geometry import reverse_axes
from etpicker_plugin.engine.orientation import from_artiax_angles, to_artiax_angles
from etpicker_plugin.engine.particles import Particles, make_particles

POSITIONS = ("pos_x", "pos_y", "pos_z")
SHIFTS = ("shift_x", "shift_y", "shift_z")
ANGLES = ("phi", "the", "psi")
REQUIRED = (*POSITIONS, *SHIFTS, *ANGLES)
SCORE = "score"
CLASS = "class"


def read_artiax(
    path: Path, *, tomogram_id: str, class_order: Sequence[str] = ("particle",)
) -> Particles:
    """Read a list: a particle stands at its position plus its shift.

    Class *n* is the *n*-th of ``class_order`` or, beyond it, ``class_n``; without the
    column all are of the first. Angles that are all 0 are no orientation.

    Raises
    ------
    InputDataError
        If a column that ArtiaX needs is missing, or a cell holds no number.
    """
    table = _read_table(path)
    angles = _columns(table, ANGLES)
    numbers = table.get(CLASS, np.ones(len(angles))).astype(int)
    names = [name_class(int(number), order=class_order) for number in numbers]
    return make_particles(
        tomogram_id,
        reverse_axes(_columns(table, POSITIONS) + _columns(table, SHIFTS)),
        class_names=np.array(names, dtype=str),
        scores=table.get(SCORE, np.nan),
        rotations=from_artiax_angles(angles) if angles.any() else None,
    )


def write_artiax(
    particles: Particles, path: Path, *, class_numbers: Mapping[str, int]
) -> None:
    """Write a list with class numbers and, if any is known, scores.

    Class names are lost; an unknown orientation, or score among others, is 0.
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
    with (
        write_whole(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(names)
        rows = zip(*columns, strict=True)
        writer.writerows([f"{value:.9g}" for value in row] for row in rows)


def _read_table(path: Path) -> dict[str, FloatArray]:
    """Return the columns that are used, by name."""
    lines = [line.split("\t") for line in read_text(path).splitlines() if line.strip()]
    header = [name.strip() for name in lines[0]] if lines else []
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise InputDataError(
            f"Coordinates {path}: no column {', '.join(missing)}. Expected ArtiaX's "
            "generic particle list, tab-separated, with a header."
        )
    used = [name for name in (*REQUIRED, CLASS, SCORE) if name in header]
    rows = [
        _read_row(cells, header, used, path, n) for n, cells in enumerate(lines[1:], 2)
    ]
    table = np.array(rows, dtype=np.float64).reshape(-1, len(used))
    return dict(zip(used, table.T, strict=True))


def _read_row(
    cells: Sequence[str],
    header: Sequence[str],
    used: Sequence[str],
    path: Path,
    line: int,
) -> list[float]:
    if len(cells) != len(header):
        raise InputDataError(
            f"Coordinates {path}, line {line}: {len(cells)} cell(s), expected "
            f"{len(header)} as in the header."
        )
    by_name = dict(zip(header, cells, strict=True))
    return [to_number(by_name[name], path, line) for name in used]


def _columns(table: Mapping[str, FloatArray], names: Sequence[str]) -> FloatArray:
    return np.stack([table[name] for name in names], axis=1)


ARTIAX = Format(
    name="artiax",
    file="{tomogram}.tsv",
    positions=VOXELS,
    not_held=("class names",),
    read=lambda path, frames, options: [
        read_artiax(
            path,
            tomogram_id=frame_in(frames).tomogram_id,
            class_order=options.class_names,
        )
    ],
    write=lambda items, path, _, numbers: write_artiax(
        particles_in(items), path, class_numbers=numbers
    ),
)
