"""The rows of a table of text, read line by line, so that a fault can be named."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin.engine.columns import Column, declared
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.csv_header import REQUIRED_COLUMNS, SCORE, Header
from etpicker_plugin.engine.formats.long_csv import Cells
from etpicker_plugin.engine.plain_numbers import plain_number


def read_rows(stream: io.StringIO, header: Header, *, path: Path) -> Cells:
    """Return the columns of the lines behind a header.

    Raises
    ------
    InputDataError
        If a line has other cells than the header names, or one holds something else
        than its column.
    """
    places = header.places
    parsers = {name: _parser_of(name) for name in places}
    rows = [
        [
            parse(cells[places[name]], f"{where}, {name}")
            for name, parse in parsers.items()
        ]
        for where, cells in _numbered_rows(stream, header, path)
    ]
    types: dict[str, type] = dict.fromkeys(places, float)
    types.update({"class": str})
    types.update({h: c.dtype for c in declared() for h in c.headers})
    return {
        name: np.array([row[i] for row in rows], dtype=types[name])
        for i, name in enumerate(places)
    }


def _numbered_rows(
    stream: io.StringIO, header: Header, path: Path
) -> Iterator[tuple[str, list[str]]]:
    """Yield file and line, and the cells, of the lines that hold something."""
    reader = csv.reader(stream, delimiter=header.delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                where = f"{path}, line {reader.line_num + header.line}"
                _check_width(cells, header, where)
                yield where, cells
    except csv.Error as error:
        raise InputDataError(
            f"Coordinates {path}, line {reader.line_num + header.line} cannot be read "
            f"as CSV text: {error}. Close every quote in its cell."
        ) from error


def _check_width(cells: Sequence[str], header: Header, where: str) -> None:
    """Refuse a line with other cells than the header; empty ones at its end pass."""
    named = len(header.names)
    if len(cells) < header.least:
        raise InputDataError(
            f"Coordinates {where}: {len(cells)} cell(s), fewer than the {header.least} "
            "that the header names."
        )
    if any(cell.strip() for cell in cells[named:]):
        raise InputDataError(
            f"Coordinates {where}: {len(cells)} cell(s), the header names {named}. Is "
            "there a comma within a number, or are these R's row names? Write 12.5 for "
            "12,5, and leave out row names (row.names = FALSE)."
        )


def _parser_of(name: str) -> Callable[[str, str], Any]:
    """Return what reads a cell, given its text and where it stands."""
    if name == "class":
        return _parse_class
    if name in REQUIRED_COLUMNS:
        return _parse_number
    (column,) = (c for c in (SCORE, *declared()) if name in c.headers)
    return partial(_parse_optional, column)


def _parse_class(text: str, where: str) -> str:
    if not text.strip():
        line = where.rsplit(", class", 1)[0]
        raise InputDataError(f"Coordinates {line}: the class is empty. Name it.")
    if "\n" in text or "\r" in text:
        raise InputDataError(
            f"Coordinates {where}: a quote is closed in another line. Close it in its "
            "cell."
        )
    return text.strip()


def _parse_number(text: str, where: str) -> float:
    try:
        return plain_number(text)
    except ValueError as error:
        raise InputDataError(
            f"Coordinates {where}: got '{text.strip()[:40]}', expected {error}."
        ) from error


def _parse_optional(column: Column, text: str, where: str) -> float | int | str:
    try:
        return column.of_text(text)
    except ValueError as error:
        raise InputDataError(
            f"Coordinates {where}: got '{text.strip()[:40]}', expected "
            f"{column.expected()}."
        ) from error
