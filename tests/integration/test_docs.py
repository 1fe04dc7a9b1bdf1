"""The documentation says what the code does: tables, commands, messages, links."""

import ast
import functools
import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from etpicker_plugin import protocols
from etpicker_plugin.engine.cli import COMMANDS, build_parser
from etpicker_plugin.engine.flags import config_from_arguments

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = ("etpicker_plugin", "protocols")
COMMAND = re.compile(r"^ {4}etpicker ((?:.*\\\n)*.*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")
MESSAGE_ROW = re.compile(r"^\| (.+?) \| .+ \|$", re.MULTILINE)


def load_tables():
    """Return the module that makes the site's tables; it is no part of the package."""
    path = ROOT / "docs" / "tables.py"
    spec = importlib.util.spec_from_file_location("etpicker_docs_tables", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_pages():
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def commands_shown():
    return [found.replace("\\\n", " ") for found in COMMAND.findall(read_pages())]


@functools.cache
def texts_of_source():
    """Return all strings of the code; what is filled in stands as an ellipsis."""
    paths = [p for folder in SOURCES for p in (ROOT / folder).rglob("*.py")]
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in paths)
    texts = (text_of(node) for tree in trees for node in ast.walk(tree))
    return "\n".join(text for text in texts if text)


def text_of(node):
    """Return a string's text, nothing for anything else."""
    if isinstance(node, ast.JoinedStr):
        parts = (getattr(value, "value", None) for value in node.values)
        return "".join(part if isinstance(part, str) else "…" for part in parts)
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return node.value if is_text else ""


def messages_shown():
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    return [m for m in MESSAGE_ROW.findall(text) if m != "Message"]


def test_every_form_and_every_command_has_its_table():
    shown = set(load_tables().PLACE.findall(read_pages()))

    assert {name for kind, name in shown if kind == "form"} == set(protocols.__all__)
    assert {name for kind, name in shown if kind == "command"} == set(COMMANDS)


def test_form_table_holds_label_default_choices_and_help():
    table = load_tables().form_table("ProtEtPickerTrain")

    rows = table.splitlines()
    assert "| Input | Default | Meaning |" in rows
    assert "| *Batch size [patches]* | 4 | Patches per step, on each GPU. |" in rows
    assert "| **Annotation** | **sparse**<br>complete | sparse: particles" in table
    assert "| **Time limit [min]** |  | Stop after this wall time" in table
    assert "Execution host" not in table


def test_table_keeps_the_stars_of_file_patterns():
    table = load_tables().form_table("ProtEtPickerImportCoordinates")

    assert r"File names in the folder, as '\*.csv'" in table


def test_command_table_holds_flag_default_unit_and_help():
    rows = load_tables().command_table("train").splitlines()

    assert "| `--out` | required | Folder for the model. |" in rows
    assert "| `--batch-size` | 4 | Patches per step, on each GPU. [patches] |" in rows
    assert any(
        row.startswith("| `--diameter NAME=VALUE …` | required |") for row in rows
    )
    assert any(row.startswith("| `--tomogram …` | required |") for row in rows)


def test_formats_stand_in_the_tables_with_their_programs():
    tables = load_tables()

    for table in (
        tables.command_table("convert"),
        tables.form_table("ProtEtPickerImportCoordinates"),
    ):
        assert "<br>dynamo: Dynamo table (.tbl)<br>imod: IMOD points (.pts);" in table


@pytest.mark.parametrize("line", commands_shown())
def test_commands_shown_are_understood(line):
    arguments = build_parser().parse_args(shlex.split(line, comments=True))
    config_class = COMMANDS[arguments.command].config_class
    del arguments.command

    config_from_arguments(config_class, arguments)


@pytest.mark.parametrize("message", messages_shown())
def test_messages_explained_are_those_of_the_code(message):
    pattern = re.compile(".*?".join(re.escape(part) for part in message.split("…")))

    assert pattern.search(texts_of_source())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    near = [t for t in targets if "://" not in t]

    assert [t for t in near if not (page.parent / t).exists()] == []


def test_every_picture_is_shown():
    shown = read_pages()
    pictures = sorted(path.name for path in (ROOT / "docs" / "images").iterdir())
    assert [name for name in pictures if f"images/{name}" not in shown] == []
