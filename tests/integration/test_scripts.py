"""What scripts beside the package take of it is there: no gate runs them."""

import ast
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("benchmarks", "pretraining", "docs")
SCRIPTS = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_what_a_script_imports_is_there(script):
    tree = ast.parse(script.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        names, beside = (
            [n.name for n in node.names],
            script.parent / f"{node.module}.py",
        )
        if beside.exists():
            known = ast.parse(beside.read_text(encoding="utf-8"))
            assert set(names) <= set(_names_of(known)), node.module
        elif node.module.startswith("etpicker_plugin"):
            module = importlib.import_module(node.module)
            for name in names:
                if not hasattr(module, name):
                    importlib.import_module(f"{node.module}.{name}")
        elif node in tree.body:  # In functions stands what may be missing.
            assert importlib.util.find_spec(node.module.split(".")[0]), node.module


def _names_of(tree):
    """Yield what a script defines or imports by name."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))
