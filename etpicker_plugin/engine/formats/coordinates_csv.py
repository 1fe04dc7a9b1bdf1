"""The engine's own coordinate files: CSV with a header, 0-based voxels."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import Column, columns_of, declared
from etpicker_plugin.engine.formats.csv_header import (
    REQUIRED_COLUMNS,
    SCORE,
    read_header,
)
from etpicker_plugin.engine.formats.csv_rows import read_rows
from etpicker_plugin.engine.formats.format import VOXELS, Format, frame_in, particles_in
from etpicker_plugin.engine.formats.long_csv import read_long
from etpicker_plugin.engine.formats.text_files import read_text
from etpicker_plugin.engine.names import visible
from etpicker_plugin.engine.newer_python import without_end, zip_strict
from etpicker_plugin.engine.particles import Particles, make_particles


def csv_files(path: Path) -> list[Path]:
    """Return the files of coordinates at a path: itself, or those in the folder."""
    return visible(path.glob("*.csv")) if path.is_dir() else [path]


def read_csv(
    path: Path, *, tomogram_id: str, score_column: str = "", flat: bool = False
) -> Particles:
    """Read particles: a header with at least class,x,y,z; ``score`` is optional.

    Positions are 0-based voxels, voxel *i* centred at *i*. An optional column (see
    ``engine.columns``) is read where all its cells have a header: ``rot``, ``tilt``
    and ``psi`` are the orientation as RELION's angles. Columns stand in any order,
    others are ignored; ``score_column`` takes the place of ``score``. Of a ``flat``
    micrograph z may be missing, and is 0. A file without rows is an empty record.

    Raises
    ------
    InputDataError
        If the file or a column is missing, a line has other cells than the header
        names, or a cell holds no number; it names the line.
    """
    stream = io.StringIO(read_text(path), newline="")
    header = read_header(stream, score_column=score_column, path=path, flat=flat)
    cells = read_long(stream, header) or read_rows(stream, header, path=path)
    level = np.zeros(len(cells["x"]))
    return make_particles(
        tomogram_id,
        np.stack([cells.get(axis, level) for axis in "zyx"], axis=1),
        class_names=cells["class"],
        scores=cells.get(SCORE.name, np.nan),
        optional={
            column.name: column.of_cells(np.stack([cells[h] for h in column.headers]).T)
            for column in declared()
            if set(column.headers) <= set(cells)
        },
    )


def lacks_z(path: Path) -> bool:
    """Tell whether a file holds positions in a plane: its header names no z."""
    stream = io.StringIO(read_text(path), newline="")
    return "z" not in read_header(stream, score_column="", path=path, flat=True).places


def write_csv(particles: Particles, path: Path, *, flat: bool = False) -> None:
    """Write ``class,x,y,z,score`` and the optional columns that the particles have.

    Without z of a ``flat`` micrograph.

    What is unknown is an empty cell. Positions are kept to 0.001 voxel, scores to
    single precision, angles (``rot,tilt,psi``) to 0.0001 degrees.
    """
    more = [h for c in columns_of(particles.optional) for h in c.headers]
    with write_whole(path) as temporary:
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            axes = REQUIRED_COLUMNS[:-1] if flat else REQUIRED_COLUMNS
            stream.write(",".join((*axes, SCORE.name, *more)) + "\n")
            stream.writelines(_lines_of(particles, flat=flat))


def _lines_of(particles: Particles, *, flat: bool) -> Iterator[str]:
    """Yield the line of each particle."""
    names = particles.class_names.tolist()
    cells = {name: _quoted(name) for name in set(names)}
    # Python's own numbers are formatted several times faster than NumPy's.
    for name, (z, y, x), score, more in zip_strict(
        names,
        particles.positions_zyx.tolist(),
        particles.scores.tolist(),
        _optional_cells(particles),
    ):
        score_cell = "" if math.isnan(score) else f"{score:.9g}"
        height = "" if flat else f"{z:.3f},"
        yield f"{cells[name]},{x:.3f},{y:.3f},{height}{score_cell}{more}\n"


def _quoted(name: str) -> str:
    """Return a cell of text, in quotes where it needs them."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow([name, ""])
    return without_end(stream.getvalue(), ",\n")


def _optional_cells(particles: Particles) -> list[str]:
    """Return the end of each line: the optional columns' cells, each behind a comma."""
    there = columns_of(particles.optional)
    texts = [text for column in there for text in _cell_texts(column, particles)]
    if not texts:
        return [""] * len(particles)
    return ["," + ",".join(row) for row in zip_strict(*texts)]


def _cell_texts(column: Column, particles: Particles) -> list[list[str]]:
    """Return the cells under each header of a column."""
    cells = column.cells(particles.optional[column.name])
    quoted = _quoted if column.dtype is str else str
    return [[quoted(text) for text in column.to_texts(under)] for under in cells.T]


CSV = Format(
    name="csv",
    program="etpicker's own table (.csv)",
    file="{tomogram}.csv",
    positions=VOXELS,
    dimensions=(2, 3),
    holds_every_column=True,
    names_columns=True,
    read=lambda path, frames, options: [
        read_csv(
            path,
            tomogram_id=frame_in(frames).tomogram_id,
            score_column=options.score_column,
            flat=frame_in(frames).shape_zyx[0] == 1,
        )
    ],
    write=lambda items, path, _, __: write_csv(particles_in(items), path),
)
