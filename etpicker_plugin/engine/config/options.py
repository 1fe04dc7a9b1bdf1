"""Parameters declared once: the CLI's flags, the JSON file and the Scipion form.

A command's parameters are the fields of one frozen dataclass, each made with
``option``. From it come command-line flags, JSON and the Scipion protocols' forms.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from etpicker_plugin.engine.config.values import convert_value
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.json_checks import JsonFault, parse

REQUIRED = object()
"""The default of a parameter that has none. The one that ``dataclasses`` have must not
stand behind others before Python 3.10."""

Config = TypeVar("Config")

COUNTS = ("value", "content", "no")
"""How a parameter tells one run from another: by its value; by what the files that it
names hold, wherever they lie; or not at all, because the result is the same."""


def option(
    default: Any,
    help_text: str,
    *,
    label: str = "",
    unit: str = "",
    choices: Sequence[str] = (),
    titles: Sequence[str] = (),
    advanced: bool = False,
    positional: bool = False,
    counts: str = "value",
    of: str = "",
    example: str = "",
    file: bool = False,
    alone: bool = False,
    class_in: str = "",
) -> Any:
    """Declare one parameter of a command.

    ``default`` is the value, or ``REQUIRED``. ``unit`` (``Å``, ``voxels``, ``min``)
    is shown in help texts and form labels; ``titles`` are the choices as people are
    shown them, each with its own word; ``advanced`` hides the parameter from the
    form's normal level; ``positional`` lets it be typed without its flag; ``counts``
    is one of ``COUNTS``; ``of`` names the parameter whose files this one's belong to,
    one to one; ``alone`` lets a number stand without NAME=; ``class_in`` does too, and
    names the parameter whose CSV files, or folders of them, tell the class (see
    ``assignments``);
    ``example`` is what one may type; ``file`` says that it is a path.
    """
    if counts not in COUNTS:
        raise ValueError(f"counts: got '{counts}', expected one of {COUNTS}")
    metadata = {
        "help": help_text,
        "label": label,
        "unit": unit,
        "choices": tuple(choices),
        "titles": tuple(titles or choices),
        "advanced": advanced,
        "positional": positional,
        "counts": counts,
        "of": of,
        "example": example,
        "file": file,
        "alone": alone or bool(class_in),
        "class_in": class_in,
    }
    if isinstance(default, dict):
        return dataclasses.field(default_factory=dict, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def field_type(config_class: type, name: str) -> Any:
    """Return the resolved type of a field, without an optional ``None``."""
    hint = typing.get_type_hints(config_class)[name]
    if type(None) in typing.get_args(hint):
        return next(t for t in typing.get_args(hint) if t is not type(None))
    return hint


def config_from_values(config_class: type[Config], values: Mapping[str, Any]) -> Config:
    """Build a command's dataclass from plain values, as they stand in JSON.

    A value of ``None`` is none given: the parameter's default is taken.

    Raises
    ------
    ConfigError
        If a parameter is unknown, missing, of the wrong type or not a choice.
    """
    fields = {f.name: f for f in dataclasses.fields(config_class)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise ConfigError(
            f"Unknown parameter(s) {', '.join(unknown)}. "
            f"Expected some of: {', '.join(fields)}."
        )
    missing = [
        name
        for name, f in fields.items()
        if f.default is REQUIRED and values.get(name) in (None, (), [], {})
    ]
    if missing:
        flags = ", ".join("--" + name.replace("_", "-") for name in missing)
        raise ConfigError(f"Missing parameter(s): {flags}. Give each a value.")
    converted = {
        name: convert_value(field_type(config_class, name), value, name=name)
        for name, value in values.items()
        if value is not None
    }
    for name, value in converted.items():
        choices = fields[name].metadata["choices"]
        if choices and value not in choices:
            raise ConfigError(
                f"{name}: got '{value}', expected one of: {', '.join(choices)}."
            )
    return config_class(**converted)


def read_json(path: Path) -> dict[str, Any]:
    """Read a parameter file.

    Raises
    ------
    ConfigError
        If the file is missing or does not hold one JSON object.
    """
    try:
        values = parse(path.read_bytes())
    except (OSError, JsonFault) as error:
        raise ConfigError(f"Cannot read the parameter file {path}: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(
            f"{path}: expected one JSON object of parameters, "
            f"got {type(values).__name__}."
        )
    return values


def config_to_values(config: Any) -> dict[str, Any]:
    """Return a command's parameters as plain JSON values."""
    values = dataclasses.asdict(config)
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
    }


def counting(config: Any, how: str) -> dict[str, Any]:
    """Return the parameters, as plain JSON values, that count in one of ``COUNTS``."""
    counted = {
        f.name for f in dataclasses.fields(config) if f.metadata["counts"] == how
    }
    return {n: v for n, v in config_to_values(config).items() if n in counted}


def option_of(config: Any, name: str) -> str:
    """Return the parameter whose files those of this one belong to, or nothing."""
    field = next(f for f in dataclasses.fields(config) if f.name == name)
    return str(field.metadata["of"])


def config_digest(config: Any, *, files: bool = True) -> str:
    """Return a short digest of the parameters that the result depends on.

    Without ``files``, those that name input files are left out: where they lie says
    nothing of what they hold (see ``run_folder``).
    """
    kept = counting(config, "value")
    if files:
        kept.update(counting(config, "content"))
    text = json.dumps(kept, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
