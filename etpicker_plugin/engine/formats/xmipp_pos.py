"""Xmipp's and Scipion's ``.pos``: places in a micrograph, in whole pixels.

Two blocks hold them, ``particles`` that a person marked and ``particles_auto`` that a
program did; what is not enabled was discarded.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.format import (
    Format,
    FormatOptions,
    Frames,
    Item,
    Numbers,
    frame_in,
    particles_in,
)
from etpicker_plugin.engine.formats.scores import unknown_if_all_zero, zero_if_unknown
from etpicker_plugin.engine.formats.star_file import StarTable, read_star_file
from etpicker_plugin.engine.formats.star_numbers import read_columns
from etpicker_plugin.engine.geometry import from_image_xy, to_image_xy
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles, join_particles, make_particles

BLOCKS = ("particles", "particles_auto")
X_AND_Y = ("xcoor", "ycoor")
HEADER = """# XMIPP_STAR_1 *
#
data_header
loop_
 _pickingMicrographState
Manual
data_particles
loop_
 _enabled
 _xcoor
 _ycoor
 _cost
"""


def read_pos(path: Path, frames: Frames, options: FormatOptions) -> list[Particles]:
    """Read what was marked and picked, and not discarded.

    Raises
    ------
    InputDataError
        If the file is none of Xmipp, or a cell no number.
    """
    tables = read_star_file(path, text_labels=("pickingMicrographState",))
    chosen = [table for table in tables if table.block in BLOCKS]
    if not chosen:
        raise InputDataError(
            f"{path}: no block data_particles with xcoor and ycoor. It holds: "
            f"{', '.join(f'data_{t.block}' for t in tables) or 'no table'}."
        )
    name = frame_in(frames).tomogram_id
    parts = [_particles(table, name, options, path) for table in chosen]
    joined = join_particles(name, parts)
    return [
        make_particles(
            name,
            joined.positions_zyx,
            class_names=joined.class_names,
            scores=unknown_if_all_zero(joined.scores),
        )
    ]


def _particles(
    table: StarTable, name: str, options: FormatOptions, path: Path
) -> Particles:
    """Return the particles of one block, scores 0 where it has none."""
    rows = table.rows
    if not set(X_AND_Y) <= set(rows.columns):
        raise InputDataError(
            f"{path}: {table.name} has no {' and '.join(X_AND_Y)}. It has: "
            f"{', '.join(rows.columns)}."
        )
    if "enabled" in rows.columns:
        rows = rows[read_columns(rows, ("enabled",), path=path)[:, 0] > 0]
    costs = np.zeros(len(rows))
    if "cost" in rows.columns:
        costs = read_columns(rows, ("cost",), path=path)[:, 0]
    return make_particles(
        name,
        from_image_xy(read_columns(rows, X_AND_Y, path=path)),
        class_names=options.class_names[0],
        scores=costs,
    )


def write_pos(items: Sequence[Item], path: Path, _: FormatOptions, __: Numbers) -> None:
    """Write places rounded to whole pixels; an unknown score is 0."""
    particles = particles_in(items)
    rows = [
        f" 1 {x:.0f} {y:.0f} {score:.6g}\n"
        for (x, y), score in zip_strict(
            np.rint(to_image_xy(particles.positions_zyx)).tolist(),
            zero_if_unknown(particles.scores).tolist(),
        )
    ]
    with write_whole(path) as temporary:
        temporary.write_text(HEADER + "".join(rows), encoding="utf-8")


XMIPP = Format(
    name="xmipp",
    program="Xmipp coordinates in micrographs (.pos)",
    file="{tomogram}.pos",
    positions="x y, whole pixels from 0",
    dimensions=(2,),
    not_held=("classes", "orientations", "fractions of a voxel"),
    glob="*.pos",
    read=read_pos,
    write=write_pos,
)
