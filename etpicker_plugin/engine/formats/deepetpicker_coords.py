"""DeepETPicker's ``.coords`` files: ``[class] x y z`` as whole numbers.

Positions are 0-based voxels cast to integers and classes are numbers from 1.
Fractions of a voxel, scores and class names are lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_txt import read_number_rows
from etpicker_plugin.engine.formats.format import Format, frame_in, particles_in
from etpicker_plugin.engine.formats.names import name_class
from etpicker_plugin.engine.geometry import reverse_axes
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles, make_particles


def read_coords(
    path: Path, *, tomogram_id: str, class_order: Sequence[str] = ("particle",)
) -> Particles:
    """Read ``x y z`` or ``class x y z`` per line.

    Class *n* is the *n*-th of ``class_order`` or, beyond it, ``class_n``; without a
    class column all are of the first.

    Raises
    ------
    InputDataError
        If the file is missing, a line has other columns, or a class is no whole
        number from 1.
    """
    rows = read_number_rows(path, widths=(3, 4))
    names = [
        _class_of(row, class_order, f"{path}, line {number}") for number, row in rows
    ]
    return make_particles(
        tomogram_id,
        reverse_axes([row[-3:] for _, row in rows]),
        class_names=np.array(names, dtype=str),
    )


def write_coords(
    particles: Particles, path: Path, *, class_numbers: Mapping[str, int]
) -> None:
    """Write ``class x y z``, each position rounded to the nearest voxel."""
    rounded = np.rint(reverse_axes(particles.positions_zyx)).astype(np.int64)
    lines = [
        f"{class_numbers[str(name)]}\t{x}\t{y}\t{z}\n"
        for name, (x, y, z) in zip_strict(particles.class_names, rounded)
    ]
    with write_whole(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def _class_of(row: Sequence[float], order: Sequence[str], where: str) -> str:
    if len(row) == 3:
        return order[0]
    if row[0] < 1 or row[0] != int(row[0]):
        raise InputDataError(
            f"Coordinates {where}: class {row[0]:g}, expected a whole number from 1."
        )
    return name_class(int(row[0]), order=order)


DEEPETPICKER = Format(
    name="deepetpicker",
    program="DeepETPicker coordinates (.coords)",
    file="{tomogram}.coords",
    positions="x y z, whole voxels from 0",
    not_held=("fractions of a voxel", "scores", "class names", "orientations"),
    read=lambda path, frames, options: [
        read_coords(
            path,
            tomogram_id=frame_in(frames).tomogram_id,
            class_order=options.class_names,
        )
    ],
    write=lambda items, path, _, numbers: write_coords(
        particles_in(items), path, class_numbers=numbers
    ),
)
