"""Parameters declared once: the CLI's flags, the JSON file and the Scipion form.

A command's parameters are the fields of one frozen dataclass, each made with
``option``. From it come command-line flags, JSON and the Scipion protocols' forms.
"""

import argparse
import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from etpicker_plugin.engine.config.assignments import (
    ONLY_CLASS,
    name_only_class,
    parse_assignments,
    parse_named_texts,
)
from etpicker_plugin.engine.config.values import convert_value
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.json_checks import JsonFault, parse

REQUIRED = dataclasses.MISSING
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
    if isinstance(hint, types.UnionType):
        return next(t for t in typing.get_args(hint) if t is not type(None))
    return hint


def add_flags(parser: argparse.ArgumentParser, config_class: type) -> None:
    """Add ``--config`` and one flag per field of a command's dataclass."""
    parser.add_argument(
        "--config",
        metavar="FILE.json",
        help="JSON file with these parameters; flags given beside it win",
    )
    for field in dataclasses.fields(config_class):
        _add_flag(parser, config_class, field)


def _add_flag(
    parser: argparse.ArgumentParser,
    config_class: type,
    field: "dataclasses.Field[Any]",
) -> None:
    if field.metadata["positional"]:
        parser.add_argument(
            field.name, nargs="?", default=argparse.SUPPRESS, help=_help_text(field)
        )
        return
    flag = "--" + field.name.replace("_", "-")
    kind = field_type(config_class, field.name)
    keywords: dict[str, Any] = {"dest": field.name, "default": argparse.SUPPRESS}
    keywords["help"] = _help_text(field)
    if field.metadata["choices"]:
        keywords["choices"] = field.metadata["choices"]
    if kind is bool:
        keywords["action"] = argparse.BooleanOptionalAction
    elif typing.get_origin(kind) is tuple:
        keywords["nargs"] = "+"
        keywords["type"] = typing.get_args(kind)[0]
        keywords["metavar"] = field.name.upper()
    elif typing.get_origin(kind) is dict:
        keywords["nargs"] = "+"
        keywords["metavar"] = "NAME=VALUE"
    else:
        keywords["type"] = kind
    parser.add_argument(flag, **keywords)


def _help_text(field: "dataclasses.Field[Any]") -> str:
    text = str(field.metadata["help"])
    if field.metadata["titles"] != field.metadata["choices"]:
        text += " " + "; ".join(field.metadata["titles"]) + "."
    if field.metadata["unit"]:
        text += f" [{field.metadata['unit']}]"
    if field.default is not REQUIRED and field.default not in (None, ()):
        text += f" (default: {field.default})"
    return text.replace("%", "%%")


def config_from_arguments(
    config_class: type[Config], arguments: argparse.Namespace
) -> Config:
    """Build a command's dataclass from parsed flags over an optional JSON file."""
    given = dict(vars(arguments))
    file_name = given.pop("config", None)
    for field in dataclasses.fields(config_class):  # type: ignore[arg-type]
        kind, name = field_type(config_class, field.name), field.name
        if typing.get_origin(kind) is not dict or name not in given:
            continue
        flag, words = "--" + name.replace("_", "-"), given[name]
        if _holds_texts(kind):
            given[name] = parse_named_texts(words, flag=flag)
        else:
            alone = field.metadata["alone"]
            given[name] = parse_assignments(words, flag=flag, alone=alone)
    values = {**(read_json(Path(file_name)) if file_name else {}), **given}
    for field in dataclasses.fields(config_class):  # type: ignore[arg-type]
        owner = field.metadata["class_in"]
        if values.get(owner) and ONLY_CLASS in given.get(field.name, ()):
            kind = field_type(config_class, owner)
            values[field.name] = name_only_class(
                given[field.name][ONLY_CLASS],
                convert_value(kind, values[owner], name=owner),
                label="--" + field.name.replace("_", "-"),
            )
    return config_from_values(config_class, values)


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
        if f.default is REQUIRED
        and f.default_factory is REQUIRED
        and values.get(name) in (None, (), [], {})
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


def _holds_texts(kind: Any) -> bool:
    return typing.get_args(kind)[1] is str


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
        kept |= counting(config, "content")
    text = json.dumps(kept, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
