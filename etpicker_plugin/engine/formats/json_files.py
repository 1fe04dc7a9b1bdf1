"""JSON of other programs: read with messages that say what is wrong where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.text_files import read_text
from etpicker_plugin.engine.json_checks import JsonFault, parse
from etpicker_plugin.engine.plain_numbers import LARGEST


def read_object(path: Path) -> dict[str, Any]:
    """Return the one JSON object of a file.

    Raises
    ------
    InputDataError
        If the file cannot be read or holds something else.
    """
    return parse_object(read_text(path), str(path))


def parse_object(text: str, where: str) -> dict[str, Any]:
    """Return the JSON object of a text; ``where`` is named in the message.

    Raises
    ------
    InputDataError
        If it holds something else.
    """
    try:
        # Another program may write NaN where we read nothing.
        found = parse(text, finite=False)
    except JsonFault as fault:
        raise InputDataError(f"Coordinates {where}: {fault}.") from fault
    if not isinstance(found, dict):
        raise InputDataError(
            f"Coordinates {where}: expected one JSON object, "
            f"got {type(found).__name__}."
        )
    return found


def to_numbers(value: object, shape: tuple[int, ...], where: str) -> FloatArray:
    """Return a value as an array of finite numbers of that shape.

    Texts and truths are no numbers.

    Raises
    ------
    InputDataError
        If it is none.
    """
    try:
        found = np.array(value, dtype=object)
    except ValueError:
        found = np.array(None, dtype=object)
    if found.shape != shape or not all(_is_number(v) for v in found.flat):
        size = " x ".join(map(str, shape)) or "one"
        raise InputDataError(
            f"Coordinates {where}: got {shown(value)}, expected {size} number(s), "
            f"finite and at most {LARGEST:g}."
        )
    return found.astype(np.float64)


def to_text(value: object, where: str) -> str:
    """Return a value that is a text.

    Raises
    ------
    InputDataError
        If it is none, or empty.
    """
    if not isinstance(value, str) or not value:
        raise InputDataError(
            f"Coordinates {where}: got {shown(value)}, expected a text."
        )
    return value


def shown(value: object) -> str:
    """Return the beginning of a value for a message."""
    try:
        return str(value)[:60]
    except RecursionError:
        return "lists within lists"


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and abs(value) <= LARGEST  # type: ignore[arg-type]


def read_location(point: object, where: str) -> FloatArray:
    """Return ``(3,)`` xyz of a point's ``location``, an object with x, y and z.

    Raises
    ------
    InputDataError
        If there is none.
    """
    location = point.get("location") if isinstance(point, dict) else None
    if not isinstance(location, dict) or not {"x", "y", "z"} <= set(location):
        raise InputDataError(
            f"Coordinates {where}: no location with x, y and z; got {shown(point)}."
        )
    return to_numbers([location[axis] for axis in "xyz"], (3,), where)
