"""Plain values, as they stand in JSON, turned into what a parameter is declared as."""

import os
import typing
from typing import Any

from etpicker_plugin.engine.errors import ConfigError


def convert_value(kind: Any, value: Any, *, name: str) -> Any:
    """Return a value as a parameter of this type.

    Raises
    ------
    ConfigError
        If it is none.
    """
    try:
        if typing.get_origin(kind) is tuple:
            if isinstance(value, str):  # Not a list of its letters.
                raise TypeError
            item = typing.get_args(kind)[0]
            return tuple(convert_value(item, v, name=name) for v in value)
        if typing.get_origin(kind) is dict:
            item = typing.get_args(kind)[1]
            named = value.items()
            return {str(k): convert_value(item, v, name=name) for k, v in named}
        return _convert_one(kind, value)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        wanted = f"a value of type {getattr(kind, '__name__', kind)}"
        if isinstance(value, str) and kind is str:
            wanted = "text that a file's name can hold"
        raise ConfigError(f"{name}: got {value!r}, expected {wanted}.") from error


def _convert_one(kind: Any, value: Any) -> Any:
    if kind is bool:
        if not isinstance(value, bool):
            raise TypeError
        return value
    if value is None or isinstance(value, (bool, list, dict)):
        raise TypeError
    if kind is str:
        return _convert_text(value)
    if kind is int and float(value) != int(value):
        raise ValueError
    return kind(value)


def _convert_text(value: Any) -> str:
    """Return a text that can name a file; NUL and halves of characters cannot."""
    if not isinstance(value, str):
        raise TypeError
    if b"\0" in os.fsencode(value):
        raise ValueError
    return value
