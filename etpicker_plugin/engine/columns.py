"""What a pick may have beside its position, class and score.

A new column is one line in ``OPTIONAL_COLUMNS``. Records of picks, CSV and STAR files,
sidecars, the window's journal and Scipion's sets go through that tuple, so that none
of them names a column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.orientation import (
    from_relion_angles,
    mirror_rotations,
    to_relion_angles,
)
from etpicker_plugin.engine.plain_numbers import plain_number

Values = NDArray[Any]
ColumnValues = Mapping[str, Values]
"""Name of a column -> its ``(N, *shape)`` values. What nobody knows is not in it."""

WORDS = {float: "a number", int: "a whole number"}
DIGITS = 9
LARGEST_WHOLE = 2**63 - 1
"""An identifier may have all the bits of a whole number."""


def unchanged(values: Values) -> Values:
    """Return the values: of a column that no mirror changes."""
    return values


@dataclass(frozen=True)
class Column:
    """An optional value of a pick, and what it is in text.

    Attributes
    ----------
    name
        Its key in records and files of ours.
    unit
        Of the numbers in text files; empty if they have none.
    dtype
        ``float``, ``int`` or ``str``.
    shape
        Of one pick's value; empty for a plain one.
    missing
        The value of a pick of which it is not known.
    headers
        Names of its cells in a CSV file, lower case; its name if not given.
    star_labels
        Names of its cells in a STAR file; ``etpickerName`` if not given.
    to_cells, from_cells
        Values ``(N, *shape)`` to ``(N, len(headers))`` and back, if they are not
        the same numbers.
    decimals
        Of a number in text; nine significant digits if not given.
    plural
        What to call the values in a message; its name if not given.
    mirrored
        Values after z is mirrored in the tomogram.
    """

    name: str
    unit: str = ""
    dtype: type[float] | type[int] | type[str] = float
    shape: tuple[int, ...] = ()
    missing: float | int | str = np.nan
    headers: tuple[str, ...] = ()
    star_labels: tuple[str, ...] = ()
    to_cells: Callable[[Values], Values] | None = None
    from_cells: Callable[[Values], Values] | None = None
    decimals: int | None = None
    plural: str = ""
    mirrored: Callable[[Values], Values] = unchanged

    def __post_init__(self) -> None:
        """Fill in the names that follow from the column's own."""
        headers = self.headers or (self.name,)
        labels = tuple("etpicker" + h.title().replace("_", "") for h in headers)
        object.__setattr__(self, "headers", headers)
        object.__setattr__(self, "star_labels", self.star_labels or labels)
        object.__setattr__(self, "plural", self.plural or self.name)

    # --------------------------- arrays ---------------------------------------
    def array(self, values: ArrayLike, count: int) -> Values:
        """Return ``(count, *shape)`` of this type; one value is repeated for all.

        Raises
        ------
        ValueError
            If the values are not of this column.
        """
        found = np.asarray(values, dtype=self.dtype)
        return np.broadcast_to(found, (count, *self.shape)).copy()

    def unknown(self, count: int) -> Values:
        """Return ``(count, *shape)`` of the missing value."""
        return self.array(self.missing, count)

    def known(self, values: Values) -> NDArray[np.bool_]:
        """Tell of each pick whether the whole value is known, ``(N,)``."""
        flat = values.reshape(len(values), int(np.prod(self.shape)))
        there = np.isfinite(flat) if self.dtype is float else flat != self.missing
        return np.asarray(there.all(axis=1))

    # --------------------------- JSON -----------------------------------------
    def to_json(self, values: Values) -> list[Any]:
        """Return the exact values for JSON, ``None`` where one is not known."""
        known = self.known(values).tolist()
        return [
            value if is_known else None
            for value, is_known in zip_strict(values.tolist(), known)
        ]

    def from_json(self, rows: Sequence[Any]) -> Values:
        """Return ``(N, *shape)`` of what ``to_json`` gave.

        Raises
        ------
        TypeError, ValueError
            If the rows are not of this column.
        """
        unknown = self.unknown(1)[0]
        filled = [unknown if row is None else row for row in rows]
        return self.array(np.array(filled).reshape(-1, *self.shape), len(rows))

    # --------------------------- cells of text --------------------------------
    def cells(self, values: Values) -> Values:
        """Return ``(N, len(headers))`` as in text files, the missing value if unknown.

        An orientation is three angles there.
        """
        made = self.to_cells(values) if self.to_cells else values
        cells = np.array(made).reshape(len(values), len(self.headers))
        cells[~self.known(values)] = self.missing
        return cells

    def of_cells(self, cells: Values) -> Values | None:
        """Return ``(N, *shape)`` of the cells; ``None`` if nothing is known."""
        values = self.from_cells(cells) if self.from_cells else cells
        values = values.reshape(len(cells), *self.shape)
        return values if self.known(values).any() else None

    def to_texts(self, cells: Values) -> list[str]:
        """Return the text of the cells ``(N,)`` under one header; empty if missing."""
        if self.dtype is float:
            form = f".{DIGITS}g" if self.decimals is None else f".{self.decimals}f"
            return ["" if c != c else format(c, form) for c in cells.tolist()]
        return ["" if c == self.missing else str(c) for c in cells.tolist()]

    def of_text(self, text: str) -> float | int | str:
        """Return the value of a cell; an empty one is the missing value.

        Raises
        ------
        ValueError
            If it holds something else than this column.
        """
        stripped = text.strip()
        if not stripped or (
            self.dtype is not str and stripped.lower().lstrip("+-") == "nan"
        ):
            return self.missing
        return stripped if self.dtype is str else _number(stripped, self.dtype)

    def expected(self) -> str:
        """Return what a cell should hold, for a message."""
        words = WORDS.get(self.dtype, "text")
        return f"{words} in {self.unit}" if self.unit else words


def _number(text: str, dtype: type[Any]) -> float | int:
    """Return a finite number; a whole one may be written 5.0, as tables do."""
    if dtype is float:
        return plain_number(text)
    whole = plain_number(text, largest=float(LARGEST_WHOLE))
    if not whole.is_integer() or abs(_whole(text)) > LARGEST_WHOLE:
        raise ValueError(f"'{text}' is not of this column")
    return _whole(text)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return int(float(text))


ROTATION = Column(
    name="rotation",
    unit="degrees",
    shape=(3, 3),
    headers=("rot", "tilt", "psi"),
    star_labels=("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"),
    to_cells=to_relion_angles,
    from_cells=from_relion_angles,
    decimals=4,
    plural="orientations",
    mirrored=mirror_rotations,
)
"""The matrix R on xyz, reference to tomogram (see ``engine.orientation``)."""

RADIUS = Column(name="radius", unit="Å", plural="radii")
"""Of a vesicle; a pick's own size, as the window draws it."""

HALF_AXES = Column(
    name="half_axes",
    unit="Å",
    shape=(3,),
    headers=("radius_a", "radius_b", "radius_c"),
    decimals=3,
    plural="half axes",
)
"""Of a vesicle, the shortest first: along x, y and z of its orientation, which is not
known where they are alike (see ``vesicles.axes``)."""

VESICLE = Column(name="vesicle", dtype=str, missing="", plural="vesicles' names")
"""Which vesicle of its tomogram this is, or a point on its membrane."""

RESIDUAL = Column(name="residual", unit="Å", decimals=2, plural="residuals")
"""How far the points of a membrane lie off the vesicle through them, r.m.s."""

COMPLETENESS = Column(name="completeness", decimals=4, plural="completeness")
"""How much of a vesicle's membrane was seen, of what a tomogram can show."""

FILAMENT = Column(name="filament", dtype=str, missing="")
"""Which filament of its tomogram a point lies on; those of one stand in order."""


def _reverse_last_axis(values: Values) -> Values:
    """Return ``(N, 3)`` zyx as xyz, as text files have them, or back."""
    return values[..., ::-1].copy()


def _mirror_z(values: Values) -> Values:
    """Return ``(N, 3)`` zyx after z is mirrored."""
    return values * np.array([-1.0, 1.0, 1.0])


DIRECTION = Column(
    name="direction",
    shape=(3,),
    headers=("direction_x", "direction_y", "direction_z"),
    to_cells=_reverse_last_axis,
    from_cells=_reverse_last_axis,
    decimals=5,
    plural="directions",
    mirrored=_mirror_z,
)
"""A unit vector zyx: along the filament to its next point, or off the membrane."""

CURVATURE = Column(name="curvature", unit="1/Å", plural="curvatures")
"""Of a filament at this point: 1 over its radius of curvature."""

POLARITY = Column(name="polarity", decimals=4, plural="polarities")
"""How surely a filament goes the way of its points, as marked ones do: a probability.
Not known where its density does not tell."""

OPTIONAL_COLUMNS: tuple[Column, ...] = (
    ROTATION,
    RADIUS,
    FILAMENT,
    DIRECTION,
    HALF_AXES,
    VESICLE,
    RESIDUAL,
    COMPLETENESS,
    CURVATURE,
    POLARITY,
)


def declared() -> tuple[Column, ...]:
    """Return all optional columns, in the order in which files have them."""
    return OPTIONAL_COLUMNS


def columns_of(optional: ColumnValues) -> list[Column]:
    """Return the columns that a record has, in that order."""
    return [column for column in declared() if column.name in optional]
