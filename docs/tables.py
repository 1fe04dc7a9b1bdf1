"""Parameter tables of the site, made from the forms and the commands themselves.

mkdocs calls ``on_page_markdown``. A line ``::: form CLASS`` becomes the table of that
protocol's form, ``::: command NAME`` that of a command's flags, and ``::: keys`` those
of the window's keys and gestures.
"""

import atexit
import dataclasses
import os
import re
import shutil
import tempfile
import typing
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

PLACE = re.compile(r"^::: (form|command|keys)(?: (\S+))?$", re.MULTILINE)
STAR_OF_PATTERN = re.compile(r"(?<!\w)\*(?=\.)")
NOT_OURS = ("General", "Parallelization", "Streaming")
"""Sections that Scipion puts into forms."""
ADVANCED = "In italics: what *Expert level: Advanced* shows."


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the tables where a page asks for them."""
    makers = {"form": form_table, "command": command_table, "keys": key_tables}
    return PLACE.sub(lambda found: makers[found[1]](found[2]), markdown)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def cell(text: str) -> str:
    """Return a text that stays in one cell."""
    literal = STAR_OF_PATTERN.sub(r"\\*", text.strip())
    return literal.replace("|", "\\|").replace("\n", "<br>")


# ------------------------------- keys -----------------------------------------
def key_tables(_: str | None) -> str:
    """Return the window's keys and gestures, as its help shows them."""
    from etpicker_plugin.window.keys import help_rows

    return "\n\n".join(
        table((heading, ""), [(cell(keys), cell(text)) for keys, text in rows])
        for heading, rows in help_rows()
    )


# ------------------------------- forms ----------------------------------------
def form_table(class_name: str) -> str:
    """Return the parameters of a protocol's form, by its tabs."""
    protocols = import_protocols()
    parts = []
    for section in getattr(protocols, class_name)().iterDefinitionSections():
        if section.getLabel() not in NOT_OURS:
            rows = list(form_rows(section))
            head = (section.getLabel(), "Default", "Meaning")
            parts.append(table(head, rows))
    return "\n\n".join([*parts, ADVANCED])


def import_protocols() -> Any:
    """Import the protocols with a Scipion home of their own: nothing is the user's."""
    if "ETPICKER_DOCS_HOME" not in os.environ:
        home = tempfile.mkdtemp(prefix="etpicker_docs_")
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        os.environ.update(
            ETPICKER_DOCS_HOME=home,
            SCIPION_HOME=home,
            SCIPION_USER_DATA=home,
            SCIPION_DOMAIN="pwem",
            SCIPION_NOTIFY="False",
        )
    with warnings.catch_warnings():
        # mkdocs shows the deprecations of every library.
        warnings.simplefilter("ignore")
        from etpicker_plugin import protocols

    return protocols


def form_rows(section: Any) -> Iterator[tuple[str, ...]]:
    """Yield label, default and help of every parameter that the form shows."""
    for _, parameter in section.iterParams():
        label = parameter.getLabel()
        if label and str(parameter.condition) != "False":
            advanced = bool(parameter.expertLevel.get())
            yield (
                f"*{label}*" if advanced else f"**{label}**",
                default_of(parameter),
                cell(parameter.getHelp()),
            )


def default_of(parameter: Any) -> str:
    """Return a parameter's default as the form shows it; choices with the others."""
    from pyworkflow.protocol.params import BooleanParam

    value = parameter.default.get() if parameter.default is not None else None
    choices = getattr(parameter, "choices", None)
    if choices:
        others = [choice for i, choice in enumerate(choices) if i != int(value)]
        return "<br>".join([f"**{choices[int(value)]}**", *others])
    if isinstance(parameter, BooleanParam):
        return "Yes" if str(value) == "True" else "No"
    return "" if value is None else str(value)


# ------------------------------- commands -------------------------------------
def command_table(name: str) -> str:
    """Return the flags of a command."""
    from etpicker_plugin.engine.cli import COMMANDS

    config_class = COMMANDS[name].config_class
    rows = [
        (flag_of(config_class, f), default_of_field(f), meaning_of(f))
        for f in dataclasses.fields(config_class)
    ]
    return table(("Flag", "Default", "Meaning"), rows)


def flag_of(config_class: type, field: "dataclasses.Field[Any]") -> str:
    """Return a flag with what it takes, as it is typed."""
    from etpicker_plugin.engine.config.options import field_type

    if field.metadata["positional"]:
        return f"`{field.name.upper()}`"
    kind = field_type(config_class, field.name)
    flag = "--" + field.name.replace("_", "-")
    if kind is bool:
        return f"`{flag}`, `--no-{flag[2:]}`"
    if typing.get_origin(kind) is dict:
        return f"`{flag} NAME=VALUE …`"
    return f"`{flag} …`" if typing.get_origin(kind) is tuple else f"`{flag}`"


def default_of_field(field: "dataclasses.Field[Any]") -> str:
    """Return what a flag is without being given."""
    from etpicker_plugin.engine.config.options import REQUIRED

    required = field.default is REQUIRED
    choices = dict(
        zip(field.metadata["choices"], field.metadata["titles"], strict=True)
    )
    if choices:
        others = [shown for choice, shown in choices.items() if choice != field.default]
        chosen = ["required, one of"] if required else []
        chosen += [f"**{choices[field.default]}**"] if field.default in choices else []
        return "<br>".join([*chosen, *others])
    if required:
        return "required"
    if field.default is dataclasses.MISSING:
        return ""
    if isinstance(field.default, bool):
        return "yes" if field.default else "no"
    if field.default is None or field.default in ((), ""):
        return ""
    if isinstance(field.default, tuple):
        return " ".join(str(value) for value in field.default)
    return str(field.default)


def meaning_of(field: "dataclasses.Field[Any]") -> str:
    """Return a flag's help and unit."""
    unit = field.metadata["unit"]
    return cell(field.metadata["help"] + (f" [{unit}]" if unit else ""))
