"""JSON of other programs: read with messages that say what is wrong where."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import InputDataError


def read_object(path: Path) -> dict[str, Any]:
    """Return the one JSON object of a file.

    Raises
    ------
    InputDataError
        If the file cannot be read or holds something else.
    """
    return parse_object(read_text(path), str(path))


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises
    ------
    InputDataError
        If it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputDataError(
            f"Coordinates {path} cannot be read: {error}. Check the path."
        ) from error


def parse_object(text: str, where: str) -> dict[str, Any]:
    """Return the JSON object of a text; ``where`` is named in the message.

    Raises
    ------
    InputDataError
        If it holds something else.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputDataError(f"Coordinates {where}: no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise InputDataError(
            f"Coordinates {where}: expected one JSON object, "
            f"got {type(found).__name__}."
        )
    return found


def to_numbers(value: object, shape: tuple[int, ...], where: str) -> FloatArray:
    """Return a value as an array of finite numbers of that shape.

    Raises
    ------
    InputDataError
        If it is none.
    """
    try:
        numbers = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.full(1, np.nan)
    if numbers.shape != shape or not np.isfinite(numbers).all():
        size = " x ".join(map(str, shape)) or "one"
        raise InputDataError(
            f"Coordinates {where}: got {str(value)[:60]}, expected {size} number(s)."
        )
    return numbers


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
            f"Coordinates {where}: no location with x, y and z; got {str(point)[:60]}."
        )
    return to_numbers([location[axis] for axis in "xyz"], (3,), where)
