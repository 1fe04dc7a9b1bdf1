"""What RELION 5's pickers draw: spheres and filaments, a STAR file for each tomogram.

``TS_spheres.star`` has a centre and ``rlnSphereRadius`` per row; ``TS_filaments.star``
the points of each filament, in order, with its number from 0 in
``rlnTomoManifoldIndex``. Positions and radii are voxels of the tomogram, voxel *i*
centred at *i*. They lie in the folder ``annotations`` of RELION's picking job; *get
particle poses* makes particles of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import FILAMENT, RADIUS, Column, Values
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.format import (
    VOXELS,
    Format,
    FormatOptions,
    Frames,
    Item,
    Numbers,
    frame_in,
)
from etpicker_plugin.engine.formats.groups import numbers_of, texts_of
from etpicker_plugin.engine.formats.names import check_names
from etpicker_plugin.engine.formats.relion_versions import CORNER
from etpicker_plugin.engine.formats.star_columns import (
    FLOAT_FORMAT,
    drop_unknown,
    particle_columns,
)
from etpicker_plugin.engine.formats.star_numbers import read_columns
from etpicker_plugin.engine.formats.star_tables import read_tables
from etpicker_plugin.engine.formats.star_values import find_score, read_rows
from etpicker_plugin.engine.formats.tilt_series_names import series_of
from etpicker_plugin.engine.formats.usual_names import usual_tilt_series
from etpicker_plugin.engine.geometry import TomogramFrame, reverse_axes
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles

if TYPE_CHECKING:
    import pandas as pd

TOMOGRAM = "rlnTomoName"
SPHERE_RADIUS = "rlnSphereRadius"
MANIFOLD, OLD_MANIFOLD = "rlnTomoManifoldIndex", "rlnManifoldID"


def write_annotations(
    items: Sequence[Item],
    path: Path,
    options: FormatOptions,
    numbers: Numbers,
    *,
    column: Column,
) -> None:
    """Write one tomogram's spheres, or filaments, which ``column`` tells.

    Raises
    ------
    InputDataError
        If a row is neither, or a name cannot stand in a STAR file.
    """
    import pandas as pd
    import starfile

    ((particles, frame),) = items
    _refuse_others(particles, column, path)
    check_names([series_of(frame), *numbers])
    xyz = reverse_axes(particles.positions_zyx)
    own = _sphere_columns if column is RADIUS else _filament_columns
    table = pd.DataFrame(
        {
            TOMOGRAM: np.full(len(particles), series_of(frame), dtype=object),
            **dict(zip_strict(CORNER, xyz.T)),
            **own(particles, frame),
            **particle_columns(particles, class_numbers=numbers),
        }
    )
    with write_whole(path) as temporary:
        starfile.write(
            {"": drop_unknown(table)},
            temporary,
            float_format=FLOAT_FORMAT,
            na_rep="nan",
        )


def read_annotations(
    path: Path, frames: Frames, options: FormatOptions, *, column: Column
) -> list[Particles]:
    """Read one tomogram's spheres, or filaments.

    Raises
    ------
    InputDataError
        If the table lacks a column, or a cell is no number.
    """
    frame = frame_in(frames)
    needed = (*CORNER, *((SPHERE_RADIUS,) if column is RADIUS else ()))
    rows, _ = read_tables(path, needed=needed, version="RELION 5's annotations")
    xyz = read_columns(rows, CORNER, path=path)
    particles = read_rows(
        rows,
        frame.tomogram_id,
        reverse_axes(xyz),
        class_order=options.class_names,
        score_label=find_score(
            list(rows.columns), wanted=options.score_column, path=path
        ),
        path=path,
    )
    if column is RADIUS:
        radii = read_columns(rows, (SPHERE_RADIUS,), path=path)[:, 0]
        return [particles.having({RADIUS.name: radii * frame.voxel_size})]
    if FILAMENT.name in particles.optional:
        return [particles]
    return [particles.having({FILAMENT.name: _filaments(rows, path=path)})]


def _sphere_columns(particles: Particles, frame: TomogramFrame) -> dict[str, Values]:
    return {SPHERE_RADIUS: particles.optional[RADIUS.name] / frame.voxel_size}


def _filament_columns(particles: Particles, frame: TomogramFrame) -> dict[str, Values]:
    return {MANIFOLD: numbers_of(texts_of(FILAMENT, particles)) - 1}


def _filaments(rows: pd.DataFrame, *, path: Path) -> NDArray[np.str_]:
    """Return ``(N,)`` names made of the manifolds' numbers."""
    labels = [n for n in (MANIFOLD, OLD_MANIFOLD) if n in rows.columns]
    if not labels:
        raise InputDataError(
            f"{path}: no column {MANIFOLD}, so it is not known which filament a point "
            "lies on. Give a file of RELION's filament picker."
        )
    numbers: FloatArray = read_columns(rows, labels[:1], path=path)[:, 0]
    return np.array([f"{n:g}" for n in numbers], dtype=str)


def _refuse_others(particles: Particles, column: Column, path: Path) -> None:
    """Refuse rows that RELION would take for what they are not."""
    count = len(particles)
    known = column.known(particles.optional.get(column.name, column.unknown(count)))
    if not known.all():
        raise InputDataError(
            f"{path}: {np.count_nonzero(~known)} of {count} rows have no "
            f"{column.name}, and this format holds nothing else. Convert the classes "
            "that have one, alone."
        )


def _format(name: str, *, program: str, ending: str, column: Column) -> Format:
    return Format(
        name=name,
        program=program,
        file=f"{{tomogram}}_{ending}.star",
        positions=VOXELS,
        holds_every_column=True,
        holds_words=True,
        glob=f"*_{ending}.star",
        names_columns=True,
        spell_tomogram=usual_tilt_series,
        read=partial(read_annotations, column=column),
        write=partial(write_annotations, column=column),
    )


RELION5_SPHERES = _format(
    "relion5-spheres",
    program="RELION 5 spheres, as its picker draws them (.star)",
    ending="spheres",
    column=RADIUS,
)
RELION5_FILAMENTS = _format(
    "relion5-filaments",
    program="RELION 5 filaments, as its picker draws them (.star)",
    ending="filaments",
    column=FILAMENT,
)
