"""The optional columns of a record: checked, chosen from, and joined with another's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etpicker_plugin.engine.columns import ColumnValues, Values, declared


def checked(optional: Mapping[str, ArrayLike | None], count: int) -> dict[str, Values]:
    """Return the columns that are there, each with its type and shape.

    Raises
    ------
    KeyError
        If one is not declared.
    """
    by_name = {column.name: column for column in declared()}
    return {
        name: by_name[name].array(values, count)
        for name, values in optional.items()
        if values is not None
    }


def select_rows(
    optional: ColumnValues, chosen: NDArray[np.bool_] | NDArray[np.intp]
) -> dict[str, Values]:
    """Return each column at a boolean mask or at indices."""
    return {name: values[chosen] for name, values in optional.items()}


def join_rows(parts: Sequence[tuple[int, ColumnValues]]) -> dict[str, Values]:
    """Return the columns of several records, given with their lengths, one by one.

    A column that one of them lacks is missing there.
    """
    there = {name for _, optional in parts for name in optional}
    return {
        column.name: np.concatenate(
            [
                part[column.name] if column.name in part else column.unknown(count)
                for count, part in parts
            ]
        )
        for column in declared()
        if column.name in there
    }
