"""The engine's own coordinate files: CSV with a header, 0-based voxels."""

import csv
import io
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import Column, columns_of, declared
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.format import VOXELS, Format, frame_in, particles_in
from etpicker_plugin.engine.formats.long_csv import Cells, read_long
from etpicker_plugin.engine.particles import Particles, make_particles

logger = logging.getLogger(__name__)

REQUIRED_COLUMNS = ("class", "x", "y", "z")
SCORE = Column(name="score")


def read_csv(path: Path, *, tomogram_id: str) -> Particles:
    """Read particles: a header with at least class,x,y,z; ``score`` is optional.

    Positions are 0-based voxels, voxel *i* centred at *i*. An optional column (see
    ``engine.columns``) is read where all its cells have a header: ``rot``, ``tilt``
    and ``psi`` are the orientation as RELION's angles. Columns stand in any order,
    others are ignored; a file without rows is an empty record.

    Raises
    ------
    InputDataError
        If the file or a column is missing, or a cell holds no number.
    """
    stream = io.StringIO(_read_text(path), newline="")
    lines = _numbered_lines(stream, path)
    _, header = next(lines, (0, []))
    if not header:
        raise InputDataError(
            f"Coordinates {path}: the file is empty. Expected a header line "
            "class,x,y,z (score is optional)."
        )
    places = _find_columns(header, path=path)
    cells = read_long(stream, places) or _read_rows(lines, places, path)
    return make_particles(
        tomogram_id,
        np.stack([cells[axis] for axis in "zyx"], axis=1),
        class_names=cells["class"],
        scores=cells.get("score", np.nan),
        optional={
            column.name: column.of_cells(np.stack([cells[h] for h in column.headers]).T)
            for column in declared()
            if set(column.headers) <= set(cells)
        },
    )


def write_csv(particles: Particles, path: Path) -> None:
    """Write ``class,x,y,z,score`` and the optional columns that the particles have.

    What is unknown is an empty cell. Positions are kept to 0.001 voxel, scores to
    single precision, angles (``rot,tilt,psi``) to 0.0001 degrees.
    """
    more = [h for c in columns_of(particles.optional) for h in c.headers]
    with (
        write_whole(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        stream.write(",".join((*REQUIRED_COLUMNS, SCORE.name, *more)) + "\n")
        stream.writelines(_lines_of(particles))


def _lines_of(particles: Particles) -> Iterator[str]:
    """Yield the line of each particle."""
    names = particles.class_names.tolist()
    cells = {name: _quoted(name) for name in set(names)}
    # Python's own numbers are formatted several times faster than NumPy's.
    for name, (z, y, x), score, more in zip(
        names,
        particles.positions_zyx.tolist(),
        particles.scores.tolist(),
        _optional_cells(particles),
        strict=True,
    ):
        score_cell = "" if math.isnan(score) else f"{score:.9g}"
        yield f"{cells[name]},{x:.3f},{y:.3f},{z:.3f},{score_cell}{more}\n"


def _quoted(name: str) -> str:
    """Return a cell of text, in quotes where it needs them."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow([name, ""])
    return stream.getvalue().removesuffix(",\n")


def _optional_cells(particles: Particles) -> list[str]:
    """Return the end of each line: the optional columns' cells, each behind a comma."""
    there = columns_of(particles.optional)
    texts = [text for column in there for text in _cell_texts(column, particles)]
    if not texts:
        return [""] * len(particles)
    return ["," + ",".join(row) for row in zip(*texts, strict=True)]


def _cell_texts(column: Column, particles: Particles) -> list[list[str]]:
    """Return the cells under each header of a column."""
    cells = column.cells(particles.optional[column.name])
    quoted = _quoted if column.dtype is str else str
    return [[quoted(text) for text in column.to_texts(under)] for under in cells.T]


def _read_text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return stream.read()
    except FileNotFoundError as error:
        raise InputDataError(
            f"Coordinates {path}: no such file. Check the path."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise _no_text(path, error) from error


def _numbered_lines(stream: io.StringIO, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that hold something, each with its number in the file."""
    reader = csv.reader(stream)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise _no_text(path, error) from error


def _no_text(path: Path, error: Exception) -> InputDataError:
    return InputDataError(
        f"Coordinates {path} cannot be read as CSV text: {error}. Expected a "
        "header line class,x,y,z and one particle per line."
    )


def _find_columns(header: Sequence[str], *, path: Path) -> dict[str, int]:
    """Return the index of each column that is used."""
    names = [name.strip().lower() for name in header]
    missing = [name for name in REQUIRED_COLUMNS if name not in names]
    if missing:
        numbers = any(_is_number(name) for name in names)
        problem = "no header line" if numbers else f"no column {', '.join(missing)}"
        raise InputDataError(
            f"Coordinates {path}: {problem}; the first line is '{','.join(header)}'. "
            "Expected a header with class,x,y,z (score is optional)."
        )
    optional = [c for c in declared() if set(c.headers) <= set(names)]
    headers = [header for column in optional for header in column.headers]
    used = [n for n in (*REQUIRED_COLUMNS, SCORE.name, *headers) if n in names]
    repeated = [name for name in used if names.count(name) > 1]
    if repeated:
        raise InputDataError(
            f"Coordinates {path}: column {repeated[0]} stands twice in the header. "
            "Keep one."
        )
    return {name: names.index(name) for name in used}


def _read_rows(
    lines: Iterable[tuple[int, list[str]]], places: Mapping[str, int], path: Path
) -> Cells:
    """Read line by line, so that a fault can be named."""
    parsers = {name: _parser_of(name) for name in places}
    rows = [_parse_row(row, places, parsers, f"{path}, line {n}") for n, row in lines]
    types = dict.fromkeys(places, float) | {"class": str}
    types |= {header: c.dtype for c in declared() for header in c.headers}
    return {
        name: np.array([row[i] for row in rows], dtype=types[name])
        for i, name in enumerate(places)
    }


def _parser_of(name: str) -> Callable[[str, str], Any]:
    """Return what reads a cell, given its text and where it stands."""
    if name == "class":
        return lambda text, _where: text.strip()
    if name in REQUIRED_COLUMNS:
        return _parse_number
    (column,) = (c for c in (SCORE, *declared()) if name in c.headers)
    return partial(_parse_optional, column)


def _parse_row(
    cells: Sequence[str],
    places: Mapping[str, int],
    parsers: Mapping[str, Callable[[str, str], Any]],
    where: str,
) -> list[Any]:
    """Return the values of a line; a cell that it lacks is an empty one."""
    if len(cells) <= max(places[name] for name in REQUIRED_COLUMNS):
        raise InputDataError(
            f"Coordinates {where}: {len(cells)} cell(s), fewer than the header names."
        )
    texts = {name: cells[i] if i < len(cells) else "" for name, i in places.items()}
    if not texts["class"].strip():
        raise InputDataError(f"Coordinates {where}: the class is empty. Name it.")
    return [parsers[n](text, f"{where}, {n}") for n, text in texts.items()]


def _parse_optional(column: Column, text: str, where: str) -> float | int | str:
    try:
        return column.of_text(text)
    except ValueError as error:
        raise InputDataError(
            f"Coordinates {where}: got '{text.strip()}', expected {column.expected()}."
        ) from error


def _parse_number(text: str, where: str) -> float:
    if not _is_number(text) or not math.isfinite(float(text)):
        raise InputDataError(
            f"Coordinates {where}: got '{text.strip()}', expected a number."
        )
    return float(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


CSV = Format(
    name="csv",
    file="{tomogram}.csv",
    positions=VOXELS,
    holds_every_column=True,
    read=lambda path, frames, _: [
        read_csv(path, tomogram_id=frame_in(frames).tomogram_id)
    ],
    write=lambda items, path, _, __: write_csv(particles_in(items), path),
)
