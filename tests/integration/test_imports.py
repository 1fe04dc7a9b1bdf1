"""The layers: which room imports which, and what a command does not wait for."""

import ast
import json
import os
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import pytest

from etpicker_plugin.tests.support.phantoms import write_tomogram
from etpicker_plugin.tests.support.untrained import make_untrained_model

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "etpicker_plugin"
SCIPION = ("pyworkflow", "pwem", "tomo")
QT = ("PyQt5", "pyqtgraph")

WITHOUT_SCIPION = f"""
import sys
for name in {SCIPION}:
    sys.modules[name] = None
from etpicker_plugin.engine.cli import COMMANDS
for command in COMMANDS.values():
    command.load()
import etpicker_plugin
assert not hasattr(etpicker_plugin, "Plugin")
try:
    from etpicker_plugin import Plugin
except ImportError:
    pass
else:
    raise SystemExit("a Plugin without Scipion")
"""
WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
import pyworkflow
domain = pyworkflow.Config.getDomain()
found = [domain.getProtocols(), domain.getViewers(), domain.getWizards()]
assert all(any("EtPicker" in name for name in names) for names in found), found
import etpicker_plugin.run_template
"""
WITHOUT_QT = """
import sys
for name in ("PyQt5", "pyqtgraph"):
    sys.modules[name] = None
import etpicker_plugin.wizards, etpicker_plugin.viewers
"""
WINDOW_ALONE = f"""
import sys
for name in ("torch", *{SCIPION}):
    sys.modules[name] = None
import etpicker_plugin.window.qt.main_window
"""
WINDOW_WITHOUT_QT = f"""
import importlib, pkgutil, sys
for name in ("torch", *{SCIPION}, *{QT}):
    sys.modules[name] = None
for room in ("document", "aids", "live", "drawing"):
    package = importlib.import_module(f"etpicker_plugin.window.{{room}}")
    for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(found.name)
"""
OTHER_MISSING = """
import sys
sys.modules["pwem.objects"] = None
import etpicker_plugin
for ask in (lambda: etpicker_plugin.Plugin, lambda: hasattr(etpicker_plugin, "Plugin")):
    try:
        ask()
    except ModuleNotFoundError as error:
        assert error.name == "pwem.objects", error.name
    else:
        raise SystemExit("a broken pwem was taken for an absent one")
"""
PLUGIN = """
import sys
import etpicker_plugin
assert "pwem" not in sys.modules
from etpicker_plugin import Plugin
assert Plugin.__module__ == "etpicker_plugin"
assert etpicker_plugin.Plugin is Plugin
assert Plugin().getName() == "etpicker_plugin"
assert Plugin().getPath() == etpicker_plugin.__path__[0]
try:
    etpicker_plugin.plug_in
except AttributeError as error:
    assert "plug_in" in str(error)
else:
    raise SystemExit("any name is an attribute")
"""


@pytest.mark.parametrize(
    "code",
    [
        WITHOUT_SCIPION,
        WITHOUT_TORCH,
        WITHOUT_QT,
        WINDOW_ALONE,
        WINDOW_WITHOUT_QT,
        OTHER_MISSING,
        PLUGIN,
    ],
    ids=[
        "engine without Scipion",
        "protocols without torch",
        "wizards and viewers without Qt",
        "window without Scipion and torch",
        "the window's other rooms without Qt",
        "broken pwem is told",
        "Plugin when it is asked for",
    ],
)
def test_import_in_a_fresh_process(code):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


# ------------------------- what a command does not wait for --------------------
HEAVY = (*SCIPION, *QT, "torch", "matplotlib", "scipy", "pandas", "starfile")
HELP = ("mrcfile", "safetensors", "tqdm", *HEAVY)
NOT_IMPORTED = {
    "--help": HELP,
    "convert --help": HELP,
    "models": HEAVY,
    "exemplars": HEAVY,
    "doctor": HELP,
    "convert": (*SCIPION, *QT, "torch", "matplotlib", "pandas", "starfile"),
    "evaluate": (*SCIPION, *QT, "torch", "pandas", "starfile", "safetensors"),
    "compare": (*SCIPION, *QT, "torch", "pandas", "starfile", "safetensors"),
}
"""Command -> what it works without. Matching needs scipy, reports need matplotlib."""

RUN = """
import json, sys
from etpicker_plugin.engine.cli import main
try:
    code = main(sys.argv[1:])
except SystemExit as end:
    code = end.code
sys.stderr.write("\\n" + json.dumps({"code": code, "modules": sorted(sys.modules)}))
"""
CSV = "class,x,y,z\na,9,2,3\na,4,5.5,6\na,7,8,1\n"


@pytest.fixture(scope="module")
def arguments(tmp_path_factory):
    """Return the words of a small run of each command, by its name."""
    folder = tmp_path_factory.mktemp("small")
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "TS_1.csv").write_text(CSV)
    write_tomogram(folder / "TS_1.mrc", np.zeros((11, 13, 17), np.float32))
    model = make_untrained_model(folder / "model.safetensors")
    first, second = folder / "one/TS_1.csv", folder / "two/TS_1.csv"
    words = {
        "--help": "--help",
        "convert --help": "convert --help",
        "convert": f"convert --input {first} --input-format csv --output-format txt "
        f"--tomogram {folder / 'TS_1.mrc'} --out {folder / 'converted'}",
        "models": f"models {model.parent}",
        "doctor": f"doctor --folder {folder}",
        "exemplars": f"exemplars --model {model} --out {folder / 'exemplars'}",
        "evaluate": f"evaluate --picks {first} --truth {second} --diameter a=80 "
        f"--voxel-size 10 --out {folder / 'evaluated'}",
        "compare": f"compare --picks one={folder / 'one'} two={folder / 'two'} "
        f"--tomogram {folder / 'TS_1.mrc'} --diameter a=80 --out {folder / 'compared'}",
    }
    return {name: line.split() for name, line in words.items()}


@pytest.mark.parametrize("command", NOT_IMPORTED)
def test_a_command_does_not_import_what_it_works_without(command, arguments):
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments[command]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    end = json.loads(done.stderr.splitlines()[-1])
    assert end["code"] in (0, None), done.stderr
    assert set(end["modules"]) & set(NOT_IMPORTED[command]) == set()


# ------------------------- which room imports which ----------------------------
BASE = {"root", "base", "config"}
"""The single files of the engine, its parameters, and the package for its version."""

DATA = {"volumes", "formats"}
CURVED = {"filaments", "vesicles"}
ENGINE = {
    "root": {"plugin"},
    "base": set(),
    "config": {"formats"},  # their names are choices
    "volumes": set(),
    "formats": set(),
    "conversion": {*DATA, *CURVED},
    "filaments": set(),
    "model": set(),
    "lineage": {"model"},
    "vesicles": {"volumes"},
    "evidence": {"volumes", "maps", "simulation"},
    "picking": {*DATA, *CURVED, "model", "maps", "evidence"},
    "evaluation": {*DATA, *CURVED},
    "fewshot": {"model", "volumes", "picking"},
    "training": {
        *(*DATA, *CURVED, "model", "picking", "evaluation", "fewshot", "maps"),
    },
    "update": {*DATA, "model", "picking", "evaluation", "training"},
    "live": {*DATA, "model", "picking", "evaluation", "fewshot", "training"},
    "comparison": {*DATA, "evaluation"},
    "simulation": {"volumes", "vesicles"},
    "maps": {*DATA, "simulation"},
    "relion": {*DATA},
    "subtomograms": {*DATA, "filaments", "model"},
    "averaging": {*DATA, "model", "relion", "subtomograms"},
    "verdict.places": {*DATA, *CURVED, "comparison", "subtomograms"},
    "verdict.alignment": {
        *("verdict.places", "comparison", "relion", "subtomograms", *DATA),
    },
    "verdict.origins": {
        *("verdict.places", "verdict.alignment", "comparison", "evaluation"),
        "subtomograms",
        "volumes",
    },
    "verdict.curved": {
        *("verdict.places", "verdict.alignment", "verdict.origins"),
        *("comparison", "subtomograms", "filaments", "volumes"),
    },
    "verdict.measures": {"verdict.places", "verdict.alignment", "relion", "volumes"},
    "verdict.reporting": {
        *("verdict.places", "verdict.alignment", "verdict.origins"),
        *("verdict.curved", "verdict.measures", "comparison"),
    },
    "verdict.flat": {
        *("verdict.places", "verdict.measures", "verdict.reporting", "averaging"),
        *("comparison", "relion", "subtomograms", "volumes"),
    },
    "verdict": {
        *("verdict.places", "verdict.alignment", "verdict.origins"),
        *("verdict.curved", "verdict.measures", "verdict.reporting", "verdict.flat"),
        *("comparison", "relion", "subtomograms"),
    },
    # It tries networks, models and RELION, each in a process that may crash; Qt and
    # Scipion by name alone, as the command line does the window.
    "doctor": {"model", "lineage", "relion"},
    "command line": {"plugin"},  # where Scipion installed it
}
WINDOW = {
    "window.document": {*DATA, "model"},  # its card: what a model's threshold is
    "window.aids": {"window.document", "evaluation", "filaments", "vesicles"},
    "window.live": {"window.document", "formats"},
    "window.drawing": {"window.document", "window.aids", "window.live", "filaments"},
    "window.keys": set(),
    "window.qt": {
        *("window.document", "window.aids", "window.live", "window.drawing"),
        "window.keys",
    },
    "window": {"window.document", "window.qt"},
}
SCIPION_SIDE = {
    "plugin": set(),
    "objects": {"model"},
    "convert": {*DATA, "relion", "subtomograms", "averaging", "volumes"},
    "protocols": {
        *("plugin", "objects", "convert", "window.document", *DATA, "model"),
        *("picking", "update", "relion", "subtomograms", "averaging"),
    },
    "viewers": {
        *("protocols", "objects", "convert", "window.document", "volumes", "training"),
    },
    "wizards": {"protocols", "viewers", "convert", "window.document", "volumes"},
    "look_scipion": {"plugin", "protocols"},
    "demo": {"plugin", "viewers", "convert", "volumes", "evaluation"},
}
MAY_IMPORT = {**ENGINE, **WINDOW, **SCIPION_SIDE}
"""Room -> the rooms it may import beside itself and BASE; in functions too."""

WITH_TORCH = {
    "base",
    "model",
    "evidence",
    "picking",
    "fewshot",
    "training",
    "update",
    "doctor",
}
FILES_OF_ROOMS = {
    "cli": "command line",
    "command": "command line",
    "flags": "command line",
    "__main__": "command line",
    "constants": "root",
    "engine_environment": "plugin",
    "engine_installation": "plugin",
    "bibtex": "root",
    "relion_tomo": "convert",
    "run_template": "demo",
}


def module_of(path):
    """Return the name that a file is imported by."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == PACKAGE else (PACKAGE, *parts)
    return ".".join(parts).removesuffix(".__init__")


@cache
def modules():
    """Return the file of every module of the package, without its tests."""
    folders = (ROOT / PACKAGE, ROOT / "protocols")
    return {module_of(p): p for folder in folders for p in folder.rglob("*.py")}


def room_of(module):
    """Return the room that a module of the package stands in."""
    words = module.split(".")[1:]
    if words[:1] == ["engine"]:
        name = words[1] if len(words) > 1 else "base"
        if name == "verdict" and ".".join(words[1:3]) in MAY_IMPORT:
            return ".".join(words[1:3])
        return name if name in MAY_IMPORT else FILES_OF_ROOMS.get(name, "base")
    if words[:1] == ["window"]:
        name = ".".join(words[:2])
        return name if name in MAY_IMPORT else "window"
    if not words:
        return "root"
    name = "convert" if words[0].startswith("convert_") else words[0]
    return FILES_OF_ROOMS.get(name, name)


def imports_of(path, *, at_start=False):
    """Yield the modules that a file imports; only those of its own start, or all."""

    def walk(node):
        for child in ast.iter_child_nodes(node):
            if at_start and isinstance(child, ast.FunctionDef | ast.Lambda):
                continue
            if at_start and isinstance(child, ast.If) and "TYPE" in ast.dump(child):
                continue
            if isinstance(child, ast.Import):
                yield from (alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert not child.level, f"{path}: import from the package's name"
                yield from (named(child.module, alias.name) for alias in child.names)
            else:
                yield from walk(child)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")))


def named(module, name):
    """Return the module that ``from module import name`` needs."""
    if (module, name) == (PACKAGE, "Plugin"):
        return f"{PACKAGE}.plugin"
    return f"{module}.{name}" if f"{module}.{name}" in modules() else module


def own_imports(path, **when):
    return {i for i in imports_of(path, **when) if i.split(".")[0] == PACKAGE}


def test_rooms_import_what_they_may():
    wrong = [
        f"{module} ({room_of(module)}) imports {other}"
        for module, path in modules().items()
        for other in sorted(own_imports(path))
        if room_of(other) not in {room_of(module), *BASE, *MAY_IMPORT[room_of(module)]}
    ]
    assert wrong == []


def test_every_border_points_one_way():
    rooms = {room: others - {room} for room, others in MAY_IMPORT.items()}
    order = list(TopologicalSorter(rooms).static_order())
    assert set(order) == set(MAY_IMPORT)
    below = set().union(*(rooms[room] for room in (*ENGINE, *WINDOW)))
    # The package hands its Plugin out, if it is asked for it.
    assert below & set(SCIPION_SIDE) == {"plugin"}
    assert not set().union(*ENGINE.values()) & set(WINDOW)


def test_no_module_imports_itself_in_a_circle():
    at_start = {m: own_imports(p, at_start=True) for m, p in modules().items()}
    # The package's own start imports nothing of its own; its rooms' list what is there.
    assert at_start[PACKAGE] == set()
    assert len(list(TopologicalSorter(at_start).static_order())) >= len(modules())


def test_torch_is_imported_where_networks_are():
    found = {
        room_of(module)
        for module, path in modules().items()
        if any(name.split(".")[0] == "torch" for name in imports_of(path))
    }
    assert found == WITH_TORCH


def test_only_scipions_side_imports_scipion():
    found = {
        room_of(module)
        for module, path in modules().items()
        if any(name.split(".")[0] in SCIPION for name in imports_of(path))
    }
    assert found <= set(SCIPION_SIDE)
    assert {"plugin", "protocols", "viewers", "wizards"} <= found


def test_only_the_windows_own_rooms_import_qt():
    found = {
        room_of(module)
        for module, path in modules().items()
        if any(name.split(".")[0] in QT for name in imports_of(path))
    }
    assert found == {"window", "window.qt"}
