"""The optional columns of picks <-> extra attributes of Scipion's coordinates.

Scipion stores and copies what attributes an item has, so every cell of a column is one
of its own, ``_etpicker_HEADER``. The orientation has a place already: the matrix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from pyworkflow.object import Float, Integer, String
from tomo.objects import Coordinate3D, SetOfCoordinates3D

from etpicker_plugin.engine.columns import ROTATION, Column, Values, declared
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles

PREFIX = "_etpicker_"
SCIPION_TYPES = {float: Float, int: Integer, str: String}


def extra_columns() -> list[Column]:
    """Return the optional columns without a place of their own in Scipion."""
    return [column for column in declared() if column is not ROTATION]


def storable_columns(coordinates: SetOfCoordinates3D) -> list[Column]:
    """Return the extra columns that a set can store: all, while it is empty.

    A set takes its attributes from its first item, so one that was begun before a
    column was declared goes on without it.
    """
    columns = extra_columns()
    if not columns or not coordinates.getSize():
        return columns
    first = coordinates.getFirstItem()
    return [c for c in columns if all(hasattr(first, PREFIX + h) for h in c.headers)]


def extra_cells(particles: Particles) -> list[dict[str, object]]:
    """Return header -> cell of each particle's extra columns."""
    cells = {
        header: under.tolist()
        for column in extra_columns()
        if column.name in particles.optional
        for header, under in zip_strict(
            column.headers,
            column.cells(particles.optional[column.name]).T,
        )
    }
    return [{h: under[i] for h, under in cells.items()} for i in range(len(particles))]


def set_extras(
    coordinate: Coordinate3D, cells: Mapping[str, object], columns: Iterable[Column]
) -> None:
    """Give a coordinate the columns' attributes, empty where a value is unknown."""
    for column in columns:
        for header in column.headers:
            value = SCIPION_TYPES[column.dtype]()
            cell = cells.get(header, column.missing)
            if cell == cell and cell != column.missing:
                value.set(cell)
            setattr(coordinate, PREFIX + header, value)


def extras_of(coordinate: Coordinate3D) -> dict[str, object]:
    """Return header -> value of a coordinate's attributes; ``None`` if unknown."""
    headers = [header for column in extra_columns() for header in column.headers]
    found = {header: getattr(coordinate, PREFIX + header, None) for header in headers}
    return {h: None if value is None else value.get() for h, value in found.items()}


def optional_values(rows: Sequence[Mapping[str, object]]) -> dict[str, Values | None]:
    """Return the values ``(N, ...)`` of each extra column that is known of any row."""
    return {
        column.name: column.of_cells(
            np.array([_cells_of(column, row) for row in rows], dtype=column.dtype)
        )
        for column in extra_columns()
    }


def _cells_of(column: Column, row: Mapping[str, object]) -> list[object]:
    return [column.missing if row[h] is None else row[h] for h in column.headers]
