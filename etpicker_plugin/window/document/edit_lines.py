"""An edit as a line of JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.columns import columns_of, declared
from etpicker_plugin.window.document.annotation import REQUIRED, Annotation
from etpicker_plugin.window.document.history import Edit, Values

KINDS = (
    *("add", "delete", "move", "relabel", "confirm"),
    *("insert", "flip", "resize"),
)


def edit_to_values(edit: Edit, class_names: Sequence[str]) -> dict[str, Any]:
    """Return an edit as JSON values; classes by name."""
    values: dict[str, Any] = {"edit": edit.kind, "ids": edit.ids.tolist()}
    optional = {c.name: c for c in declared()}
    for name, column in edit.values.items():
        if name == "codes":
            values["classes"] = [class_names[code] for code in column]
        elif name == "scores":
            values["scores"] = [None if np.isnan(s) else float(s) for s in column]
        elif name in optional:
            values[name] = optional[name].to_json(column)
        else:
            values[name] = column.tolist()
    return values


def edit_from_values(values: Mapping[str, Any], annotation: Annotation) -> Edit:
    """Return the edit that a line of JSON describes.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it describes none of this annotation.
    """
    ids = np.array(values["ids"], dtype=np.intp)
    columns: Values = {}
    if "classes" in values:
        codes = [annotation.code_of(str(name)) for name in values["classes"]]
        columns["codes"] = np.array(codes, dtype=np.int32)
    if "positions_zyx" in values:
        positions = np.array(values["positions_zyx"], dtype=np.float64)
        columns["positions_zyx"] = positions.reshape(len(ids), 3)
    if "scores" in values:
        scores = [np.nan if s is None else s for s in values["scores"]]
        columns["scores"] = np.array(scores, dtype=np.float64)
    if "alive" in values:
        columns["alive"] = np.array(values["alive"], dtype=bool)
    columns.update((c.name, c.from_json(values[c.name])) for c in columns_of(values))
    _check_ids(ids, values["edit"], len(annotation))
    _check_columns(columns, values["edit"], len(ids))
    return Edit(kind=str(values["edit"]), ids=ids, values=columns)


def _check_ids(ids: NDArray[np.intp], kind: str, count: int) -> None:
    """Refuse an edit of picks that do not exist, or new ones out of order."""
    first_new = {"add": 0, "insert": len(ids) - 1}.get(kind, len(ids))
    old, new = ids[:first_new], ids[first_new:]
    known = bool(((old >= 0) & (old < count)).all())
    if not known or not np.array_equal(new, np.arange(count, count + len(new))):
        raise ValueError(f"'{kind}' of picks {ids[:3].tolist()}…, of {count} picks")


def _check_columns(columns: Values, kind: str, count: int) -> None:
    """Refuse values that are not as many as the picks, or no positions of an edit."""
    if any(len(values) != count for values in columns.values()):
        raise ValueError(f"'{kind}' of {count} picks with other numbers of values")
    if kind in ("add", "insert") and not set(REQUIRED) <= set(columns):
        raise ValueError(f"'{kind}' without position, class, score or state")
