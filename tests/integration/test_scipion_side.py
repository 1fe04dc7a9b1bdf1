"""What Scipion imports of the package: a list, for Python 3.8, without the heavy."""

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

spec = importlib.util.spec_from_file_location("listed", ROOT / ".ci/scipion_side.py")
listed = importlib.util.module_from_spec(spec)
spec.loader.exec_module(listed)
FILES = listed.list_files()

ABSENT = ("torch", "starfile", "pandas", "tqdm", "PyQt5", "pyqtgraph")
"""What opening Scipion's window does not wait for, and mostly cannot find there."""

IMPORTED = """
import importlib, json, pkgutil, sys
import pyworkflow
domain = pyworkflow.Config.getDomain()
domain.getProtocols(), domain.getViewers(), domain.getWizards(), domain.getObjects()
before = set(sys.modules)
import etpicker_plugin.plugin, etpicker_plugin.run_template, etpicker_plugin.bibtex
for name in ("protocols", "viewers"):
    package = importlib.import_module(f"etpicker_plugin.{name}")
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(found.name)
own = [m for n, m in sys.modules.items() if n.split(".")[0] == "etpicker_plugin"]
heads = sorted({name.split(".")[0] for name in sys.modules})
print(json.dumps({"files": [m.__file__ for m in own], "heads": heads}))
"""
GENERIC = {"list", "dict", "tuple", "set", "frozenset", "type"}
TYPED = {"collections", "collections.abc", "re", "contextlib"}


@pytest.fixture(scope="module")
def imported():
    """Return the files of ours, and the packages, that Scipion's process imports."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_all_that_scipion_imports_is_listed(imported):
    files = {Path(file).resolve() for file in imported["files"]}
    assert len(files) > 100
    assert sorted(files - set(FILES)) == []


def test_scipion_imports_nothing_of_the_engine_s_environment(imported):
    assert set(ABSENT) & set(imported["heads"]) == set()


def types_at_run_time(source):
    """Return the lines that would ask Python 3.8 for ``list[int]`` or ``int | str``."""
    tree = ast.parse(source)
    generic = set(GENERIC)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in TYPED:
            generic |= {alias.asname or alias.name for alias in node.names}
    future = any(
        isinstance(n, ast.ImportFrom) and n.module == "__future__" for n in tree.body
    )
    return sorted(line for line in _lines_of(tree, generic, skip_annotations=future))


def _lines_of(node, generic, *, skip_annotations):
    for name, value in ast.iter_fields(node):
        if skip_annotations and name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _lines_of(child, generic, skip_annotations=skip_annotations)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        if node.value.id in generic:
            yield node.lineno
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = (node.left, node.right)
        if any(isinstance(s, ast.Constant) and s.value is None for s in sides):
            yield node.lineno
        elif any(isinstance(s, ast.Name) and s.id in BUILT_IN for s in sides):
            yield node.lineno


BUILT_IN = {*GENERIC, "int", "float", "str", "bytes", "bool", "Path"}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("from __future__ import annotations\nx: list[int] = []", []),
        ("x: list[int] = []", [1]),
        ("def f(a: int) -> dict[str, int]: ...", [1]),
        ("from __future__ import annotations\nX = tuple[int, str]", [2]),
        ("from collections.abc import Mapping\nX = Mapping[str, int]", [2]),
        ("from typing import Mapping\nX = Mapping[str, int]", []),
        ("from typing import Optional\nX = Optional[str] | None", [2]),
        ("isinstance(x, int | str)", [1]),
        ("x = a | b; y = rows[0]", []),
    ],
)
def test_types_at_run_time_are_found(source, lines):
    assert types_at_run_time(source) == lines


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_type_of_a_newer_python_is_evaluated(path):
    assert types_at_run_time(path.read_text(encoding="utf-8")) == []
