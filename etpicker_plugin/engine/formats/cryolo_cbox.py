"""crYOLO's boxes, ``.cbox``: a STAR file of corners and sizes, pixels with fractions.

What has no slice (``CoordinateZ`` is ``<NA>``) was picked in a micrograph. The size
that crYOLO estimates is not that of the box; both are written alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import FILAMENT
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
from etpicker_plugin.engine.formats.names import number_in_order
from etpicker_plugin.engine.formats.scores import unknown_if_all_zero, zero_if_unknown
from etpicker_plugin.engine.formats.star_file import read_star_file
from etpicker_plugin.engine.formats.star_numbers import read_columns
from etpicker_plugin.engine.geometry import from_corner_xy, to_corner_xy
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles, make_particles

if TYPE_CHECKING:
    import pandas as pd

CORNER = ("CoordinateX", "CoordinateY")
BLOCK = "cryolo"
SLICE = "CoordinateZ"
SIZE = ("Width", "Height")
SCORE = "Confidence"
FIBRE = "filamentid"
COLUMNS = (*CORNER, SLICE, *SIZE, "Depth", "EstWidth", "EstHeight", SCORE, "NumBoxes")
UNKNOWN = "<NA>"


def read_cbox(path: Path, frames: Frames, options: FormatOptions) -> list[Particles]:
    """Read the centres of the boxes in a micrograph.

    Raises
    ------
    InputDataError
        If the file is none of crYOLO, or has boxes in slices of a tomogram.
    """
    rows = _rows_of(path)
    sizes = read_columns(rows, SIZE, path=path)
    if (sizes <= 0).any():
        at = int(np.flatnonzero((sizes <= 0).any(axis=1))[0])
        raise InputDataError(
            f"{path}, line {rows.index[at]}: a box of {sizes[at, 0]:g} x "
            f"{sizes[at, 1]:g} pixels, expected sizes above 0."
        )
    scores = np.zeros(len(rows))
    if SCORE in rows.columns and rows[SCORE].notna().any():
        scores = read_columns(rows, (SCORE,), path=path)[:, 0]
    particles = make_particles(
        frame_in(frames).tomogram_id,
        from_corner_xy(read_columns(rows, CORNER, path=path), sizes),
        class_names=options.class_names[0],
        scores=unknown_if_all_zero(scores),
        optional={FILAMENT.name: _fibres(rows, path)},
    )
    return [particles]


def _rows_of(path: Path) -> pd.DataFrame:
    tables = read_star_file(path, text_labels=())
    boxes = [t for t in tables if {*CORNER, *SIZE} <= set(t.rows.columns)]
    chosen = [t for t in boxes if t.block == BLOCK] or boxes
    if len(chosen) != 1:
        found = ", ".join(t.name for t in chosen) or "none"
        raise InputDataError(
            f"{path}: expected one table with {', '.join((*CORNER, *SIZE))}, found "
            f"{found}. Give a .cbox of crYOLO."
        )
    rows = chosen[0].rows
    if SLICE in rows.columns and rows[SLICE].notna().any():
        raise InputDataError(
            f"{path}: {SLICE} holds slices: these are boxes in a tomogram, not in a "
            "micrograph. Export them from crYOLO as coordinates (COORDS)."
        )
    return rows


def _fibres(rows: pd.DataFrame, path: Path) -> NDArray[np.str_] | None:
    """Return ``(N,)`` ids of filaments, from 1; ``None`` if the file has none."""
    if FIBRE not in rows.columns or rows[FIBRE].isna().all():
        return None
    numbers = read_columns(rows, (FIBRE,), path=path)[:, 0]
    return np.array([f"{n + 1:.0f}" for n in numbers.tolist()], dtype=str)


def write_cbox(
    items: Sequence[Item], path: Path, options: FormatOptions, _: Numbers
) -> None:
    """Write corners and sizes, and filaments if all boxes lie on one."""
    particles = particles_in(items)
    size = options.box_size
    fibres = particles.optional.get(FILAMENT.name, FILAMENT.unknown(len(particles)))
    numbers = number_in_order([str(fibre) for fibre in fibres])
    are_fibres = bool(len(particles)) and "" not in numbers
    labels = [*COLUMNS, *([FIBRE] if are_fibres else [])]
    lines = [
        "data_global\n\n_cbox_format_version 1.0\n\ndata_cryolo\n\nloop_",
        *(f"_{label} #{n}" for n, label in enumerate(labels, 1)),
    ]
    for (x, y), score, fibre in zip_strict(
        to_corner_xy(particles.positions_zyx, size).tolist(),
        zero_if_unknown(particles.scores).tolist(),
        map(str, fibres),
    ):
        cells = [f"{x:.4f}", f"{y:.4f}", UNKNOWN, f"{size:.1f}", f"{size:.1f}", UNKNOWN]
        cells += [f"{size:.1f}", f"{size:.1f}", f"{score:.6g}", UNKNOWN]
        cells += [f"{numbers[fibre] - 1}.0"] if are_fibres else []
        lines.append(" ".join(cells))
    lines += ["", "data_cryolo_include", "", "loop_", "_slice_index #1", ""]
    with write_whole(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


CRYOLO = Format(
    name="cryolo",
    program="crYOLO boxes in micrographs (.cbox)",
    file="{tomogram}.cbox",
    positions="x y of a box's first corner, its centre less half its size, pixels "
    "from 0",
    dimensions=(2,),
    not_held=("classes", "orientations"),
    holds_columns=(FILAMENT.name,),
    holds_filaments_alone=True,
    glob="*.cbox",
    heeded=("box_size",),
    read=read_cbox,
    write=write_cbox,
)
