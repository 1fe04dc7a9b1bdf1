"""Command-line flags, made from a command's dataclass; see ``config.options``."""

from __future__ import annotations

import argparse
import dataclasses
import typing
from pathlib import Path
from typing import Any

from etpicker_plugin.engine.config.assignments import (
    ONLY_CLASS,
    name_only_class,
    parse_assignments,
    parse_named_texts,
)
from etpicker_plugin.engine.config.options import (
    REQUIRED,
    Config,
    config_from_values,
    field_type,
    read_json,
)
from etpicker_plugin.engine.config.values import convert_value


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
    field: dataclasses.Field[Any],
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


def _help_text(field: dataclasses.Field[Any]) -> str:
    text = str(field.metadata["help"])
    if field.metadata["titles"] != field.metadata["choices"]:
        text += " " + "; ".join(field.metadata["titles"]) + "."
    if field.metadata["unit"]:
        text += f" [{field.metadata['unit']}]"
    if field.default not in (REQUIRED, dataclasses.MISSING, None, ()):
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


def _holds_texts(kind: Any) -> bool:
    return typing.get_args(kind)[1] is str
