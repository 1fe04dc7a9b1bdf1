"""The command that repeats a run, for reports."""

from __future__ import annotations

import dataclasses
import shlex
from typing import Any


def command_line(command: str, config: Any) -> str:
    """Return the command with these parameters, defaults left out, to be copied."""
    words = ["etpicker", command]
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value != _default(field):
            words += _flag_words("--" + field.name.replace("_", "-"), value)
    return shlex.join(words)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _flag_words(flag: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    if isinstance(value, dict):
        return [flag, *(f"{name}={_text(item)}" for name, item in value.items())]
    if isinstance(value, tuple):
        return [flag, *(_text(item) for item in value)]
    return [flag, _text(value)]


def _text(value: Any) -> str:
    """Return a value as it is typed: numbers without a trailing ``.0``, all digits."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)
