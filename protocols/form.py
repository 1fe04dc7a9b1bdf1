"""The Scipion form and the engine's parameters are one: made from the dataclasses."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Sequence
from typing import Any

from pyworkflow.protocol import params

from etpicker_plugin.engine.config.assignments import (
    parse_assignments,
    parse_named_texts,
)
from etpicker_plugin.engine.config.options import REQUIRED, field_type


@dataclasses.dataclass(frozen=True)
class FormParameter:
    """One parameter as the form shows it.

    ``kind`` is int, float, bool, text, file, words (several names), assignments
    (NAME=VALUE words) or enum, whose choices are shown as ``titles``; ``optional``
    allows an empty field.
    """

    field: str
    name: str
    kind: str
    default: Any
    label: str
    help: str
    choices: tuple[str, ...]
    titles: tuple[str, ...]
    advanced: bool
    optional: bool
    required: bool
    example: str


def camel_case(name: str) -> str:
    """Return ``max_minutes`` as ``maxMinutes``."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def form_parameter(config_class: type, field_name: str) -> FormParameter:
    """Describe one field of a command's dataclass as a form parameter."""
    field = next(f for f in dataclasses.fields(config_class) if f.name == field_name)
    kind = _kind(config_class, field)
    label = field.metadata["label"] or field.name.replace("_", " ").capitalize()
    unit = field.metadata["unit"]
    return FormParameter(
        field=field.name,
        name=camel_case(field.name),
        kind=kind,
        default=_default(field, kind),
        label=f"{label} [{unit}]" if unit else label,
        help=field.metadata["help"],
        choices=tuple(field.metadata["choices"]),
        titles=tuple(field.metadata["titles"]),
        advanced=field.metadata["advanced"],
        optional=kind in ("words", "assignments", "names") or field.default is None,
        required=field.default is REQUIRED,
        example=field.metadata["example"],
    )


def _kind(config_class: type, field: dataclasses.Field[Any]) -> str:
    hint = field_type(config_class, field.name)
    if field.metadata["choices"]:
        return "enum"
    if field.metadata["file"]:
        return "file"
    if typing.get_origin(hint) is dict:
        numbers = typing.get_args(hint)[1] is float
        return "assignments" if numbers else "names"
    if typing.get_origin(hint) is tuple:
        return "words"
    return {int: "int", float: "float", bool: "bool", str: "text"}[hint]


def _default(field: dataclasses.Field[Any], kind: str) -> Any:
    if kind in ("assignments", "names"):
        return ""
    value = None if field.default is REQUIRED else field.default
    if kind == "words":
        return " ".join(value or ())
    if kind == "enum":
        return field.metadata["choices"].index(value) if value else 0
    return value


def form_parameters(
    config_class: type, fields: Sequence[str]
) -> tuple[FormParameter, ...]:
    """Describe several fields, in the order given."""
    return tuple(form_parameter(config_class, name) for name in fields)


def add_parameters(
    form: params.Form, config_class: type, fields: Sequence[str], **keywords: Any
) -> None:
    """Add fields to a form; ``keywords`` (``condition``) go to each, and overrule."""
    classes = {
        "int": params.IntParam,
        "float": params.FloatParam,
        "bool": params.BooleanParam,
        "enum": params.EnumParam,
        "file": params.FileParam,
    }
    for parameter in form_parameters(config_class, fields):
        described = {
            "default": parameter.default,
            "label": parameter.label,
            "help": _help(parameter),
            "choices": list(parameter.titles),
            "expertLevel": params.LEVEL_ADVANCED
            if parameter.advanced
            else params.LEVEL_NORMAL,
            "allowsNull": parameter.optional,
            "important": parameter.required,
        }
        kind = classes.get(parameter.kind, params.StringParam)
        form.addParam(parameter.name, kind, **described | keywords)


def _help(parameter: FormParameter) -> str:
    parts = [parameter.help]
    if parameter.kind in ("assignments", "names"):
        parts.append("Write NAME=VALUE for each class, separated by spaces.")
    if parameter.kind == "words":
        parts.append("Separate them by spaces.")
    if parameter.example:
        parts.append(f"For example: {parameter.example}")
    return "\n".join(parts)


def read_parameters(
    protocol: Any, config_class: type, fields: Sequence[str]
) -> dict[str, Any]:
    """Return the values that the form holds, as the dataclass wants them.

    Raises
    ------
    ConfigError
        If a list of NAME=VALUE cannot be read.
    """
    values = {}
    for parameter in form_parameters(config_class, fields):
        value = protocol.getAttributeValue(parameter.name)
        if parameter.kind == "enum":
            values[parameter.field] = parameter.choices[value]
        elif parameter.kind == "words":
            if split_words(value):
                values[parameter.field] = split_words(value)
        elif parameter.kind == "assignments":
            values[parameter.field] = read_assignments(value, label=parameter.label)
        elif parameter.kind == "names":
            values[parameter.field] = parse_named_texts(
                assignment_words(value), flag=parameter.label
            )
        elif value is not None:
            values[parameter.field] = value
    return values


def read_assignments(text: str | None, *, label: str) -> dict[str, float]:
    """Read NAME=VALUE words.

    Raises
    ------
    ConfigError
        If a word is none, a name repeats, or a value is no number.
    """
    return parse_assignments(assignment_words(text), flag=label)


def assignment_words(text: str | None) -> list[str]:
    """Split NAME=VALUE words, and NAME:VALUE: 'scipion template' takes no second =."""
    return [w if "=" in w else w.replace(":", "=", 1) for w in split_words(text)]


def split_words(text: str | None) -> list[str]:
    """Split names at spaces and commas."""
    return (text or "").replace(",", " ").split()
