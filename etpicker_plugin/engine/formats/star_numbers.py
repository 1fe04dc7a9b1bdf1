"""Numbers of a STAR table, each checked; a fault is named by line and label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.plain_numbers import LARGEST, plain_number

if TYPE_CHECKING:
    import pandas as pd


def read_columns(
    rows: pd.DataFrame, columns: Sequence[str], *, path: Path
) -> FloatArray:
    """Return columns as ``(N, len(columns))`` finite floats.

    The index of ``rows`` is their lines in the file.

    Raises
    ------
    InputDataError
        If a cell holds something else, or a number beyond all sense.
    """
    values = np.zeros((len(rows), len(columns)))
    for i, label in enumerate(columns):
        values[:, i] = _numbers(rows[label], path)
    return values


def read_known(rows: pd.DataFrame, label: str, *, path: Path) -> FloatArray:
    """Return ``(N,)`` numbers of a column, NaN where the table says so.

    Raises
    ------
    InputDataError
        As ``read_columns``.
    """
    known = rows[label].notna().to_numpy()
    values = np.full(len(rows), np.nan)
    values[known] = read_columns(rows[known], (label,), path=path)[:, 0]
    return values


def _numbers(column: pd.Series, path: Path) -> FloatArray:
    if column.dtype.kind not in "iuf":
        return np.array(
            [_number(cell, column, at, path) for at, cell in enumerate(column)],
            dtype=np.float64,
        )
    values = column.to_numpy(dtype=np.float64)
    wrong = ~(np.abs(values) <= LARGEST)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise _fault(column, at, path, _missing_or_large(float(values[at])))
    return values


def _number(cell: object, column: pd.Series, at: int, path: Path) -> float:
    """Return a cell of a column that is not all numbers."""
    if cell != cell:
        raise _fault(column, at, path, _missing_or_large(np.nan))
    try:
        return plain_number(str(cell))
    except ValueError as error:
        raise _fault(
            column,
            at,
            path,
            f"something else than numbers: got '{str(cell)[:40]}', expected {error}",
        ) from error


def _missing_or_large(value: float) -> str:
    if not np.isfinite(value):
        return "missing or infinite numbers. Correct or remove such rows"
    return f"{value:g}, expected a number of at most {LARGEST:g}"


def _fault(column: pd.Series, at: int, path: Path, what: str) -> InputDataError:
    return InputDataError(
        f"{path}, line {column.index[at]}: {column.name} holds {what}."
    )
