"""The optional columns of picks <-> extra attributes of Scipion's coordinates.

Scipion stores and copies what attributes an item has, so every cell of a column is one
of its own, ``_etpicker_HEADER``, in sets where it is known of any pick. An orientation
has a place already, the matrix; and a filament's id, in sets of filaments: group ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from pyworkflow.object import Float, Integer, String
from tomo.objects import Coordinate3D, SetOfCoordinates3D

from etpicker_plugin.convert_kinds import NUMBERED
from etpicker_plugin.engine.columns import (
    RADIUS,
    ROTATION,
    Column,
    Values,
    declared,
)
from etpicker_plugin.engine.kinds import VESICLE
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles

PREFIX = "_etpicker_"
SCIPION_TYPES = {float: Float, int: Integer, str: String}


def extra_columns() -> list[Column]:
    """Return the optional columns without a place of their own in Scipion."""
    return [column for column in declared() if column is not ROTATION]


def known_columns(parts: Iterable[Particles], *, kind: str) -> list[Column]:
    """Return the extra columns that a set of these particles is to have.

    Those that are known of one at least, and of vesicles the radius. Names that the
    group id stands for, in a set of that kind, are none.
    """
    parts = list(parts)
    return [
        column
        for column in extra_columns()
        if column is not NUMBERED.get(kind)
        and (
            (kind == VESICLE and column is RADIUS)
            or any(_is_known(column, part) for part in parts)
        )
    ]


def _is_known(column: Column, particles: Particles) -> bool:
    values = particles.optional.get(column.name)
    return values is not None and bool(column.known(values).any())


def storable_columns(
    coordinates: SetOfCoordinates3D, wanted: Sequence[Column]
) -> list[Column]:
    """Return the extra columns that a set can store: all wanted, while it is empty.

    A set takes its attributes from its first item, so what that one lacks none has.
    """
    if not coordinates.getSize():
        return list(wanted)
    first = coordinates.getFirstItem()
    return [
        column
        for column in extra_columns()
        if all(hasattr(first, PREFIX + header) for header in column.headers)
    ]


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
