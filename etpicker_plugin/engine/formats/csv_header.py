"""The header of a table of text: what parts its cells, and which column is where.

Commas part the cells, as the engine writes them, or semicolons or tabs, as spreadsheets
do; the header tells which.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from etpicker_plugin.engine.columns import Column, declared
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.plain_numbers import is_any_number

REQUIRED_COLUMNS = ("class", "x", "y", "z")
SCORE = Column(name="score")
DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class Header:
    """What a header says.

    Attributes
    ----------
    delimiter
        What parts the cells.
    names
        Of all columns, lower case.
    places
        Index of each column that is read.
    line
        Its number in the file.
    """

    delimiter: str
    names: tuple[str, ...]
    places: Mapping[str, int]
    line: int

    @property
    def least(self) -> int:
        """How many cells a line must have: up to the last column with a name."""
        return max(i for i, name in enumerate(self.names, 1) if name)


def read_header(
    stream: io.StringIO, *, score_column: str, path: Path, flat: bool = False
) -> Header:
    """Return the header, the first line that holds something; rows come next.

    Scores stand in ``score_column``, or in ``score`` if that is empty; of a ``flat``
    micrograph, z may be missing.

    Raises
    ------
    InputDataError
        If there is none, or a column is missing or stands twice.
    """
    required = REQUIRED_COLUMNS[:-1] if flat else REQUIRED_COLUMNS
    number, line = next(_lines_with_words(stream), (0, ""))
    if not line:
        raise InputDataError(
            f"Coordinates {path}: the file is empty. Expected a header line "
            "class,x,y,z (score is optional)."
        )
    try:
        delimiter, names = _split(line, required)
    except csv.Error as error:
        raise InputDataError(
            f"Coordinates {path}, line {number} cannot be read as a CSV header: "
            f"{error}. Expected class,x,y,z."
        ) from error
    places = _find_columns(names, line, required, path=path)
    if score_column:
        places[SCORE.name] = _place_of(score_column, names, path=path)
    return Header(delimiter, names, places, number)


def _lines_with_words(stream: io.StringIO) -> Iterator[tuple[int, str]]:
    number = 0
    while line := stream.readline():
        number += 1
        if line.strip(" ,;\t\r\n"):
            yield number, line.rstrip("\r\n")


def _split(line: str, required: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return what parts the cells of the header, and its names."""
    ways = {}
    for delimiter in DELIMITERS:
        cells = next(csv.reader([line], delimiter=delimiter))
        ways[delimiter] = tuple(name.strip().lower() for name in cells)
    fitting = [d for d, names in ways.items() if set(required) <= set(names)]
    delimiter = (*fitting, *(d for d in DELIMITERS if d in line), ",")[0]
    return delimiter, ways[delimiter]


def _find_columns(
    names: Sequence[str], line: str, required: Sequence[str], *, path: Path
) -> dict[str, int]:
    """Return the index of each column that is used."""
    missing = [name for name in required if name not in names]
    if missing:
        numbers = any(is_any_number(name) for name in names)
        problem = "no header line" if numbers else f"no column {', '.join(missing)}"
        raise InputDataError(
            f"Coordinates {path}: {problem}; the first line is '{line[:200]}'. "
            "Expected a header with class,x,y,z (score is optional; so is z of a "
            "micrograph)."
        )
    optional = [c for c in declared() if set(c.headers) <= set(names)]
    headers = [header for column in optional for header in column.headers]
    used = [n for n in (*REQUIRED_COLUMNS, SCORE.name, *headers) if n in names]
    return {name: _place_of(name, names, path=path) for name in used}


def _place_of(column: str, names: Sequence[str], *, path: Path) -> int:
    """Return where a column stands.

    Raises
    ------
    InputDataError
        If it does not, or twice.
    """
    name = column.strip().lower()
    if name not in names:
        raise InputDataError(
            f"Coordinates {path}: no column {column}, which --score-column names. The "
            f"header has: {', '.join(names)}."
        )
    if names.count(name) > 1:
        raise InputDataError(
            f"Coordinates {path}: column {name} stands twice in the header. Keep one."
        )
    return names.index(name)
