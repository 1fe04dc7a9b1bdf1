"""The last step of installing the engine's environment, run in it: see that it works.

    python -m etpicker_plugin.engine.installed FOLDER

It says in a line what works, puts ``etpicker`` beside Python, notes in the environment
which installation it is of, and leaves in FOLDER a file by which Scipion knows that the
installation came to its end.
"""

from __future__ import annotations

import importlib
import json
import platform
import shlex
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from etpicker_plugin import __version__
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.json_checks import JsonFault, parse, record, text

INSTALL = "scipion3 installb etpicker"
STAMP = "engine.json"
NOTE = "etpicker-installation"
"""In the environment: the folder to remove if another is to be made."""
NEEDED = ("scipy", "mrcfile", "matplotlib", "pandas", "starfile", "safetensors", "tqdm")

INSTALLED = record({"version": text, "python": text})


@dataclass(frozen=True)
class Installed:
    """What was installed: the version of etpicker, and the path of its Python."""

    version: str
    python: str


def read_stamp(folder: Path | str) -> Installed | None:
    """Return what an installation left in a folder; nothing if it did not end."""
    try:
        values = INSTALLED(parse((Path(folder) / STAMP).read_bytes()), STAMP)
    except (OSError, JsonFault):
        return None
    return Installed(**values)


def write_stamp(folder: Path | str, installed: Installed) -> None:
    """Leave what was installed."""
    with write_whole(Path(folder) / STAMP) as temporary:
        temporary.write_text(json.dumps(asdict(installed)), encoding="utf-8")


def read_note(prefix: Path | str) -> str:
    """Return the installation's folder that an environment is of, or nothing."""
    try:
        return (Path(prefix) / NOTE).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def write_note(prefix: Path | str, folder: Path | str) -> None:
    """Leave in an environment the installation's folder."""
    path = Path(prefix) / NOTE
    path.write_text(f"{Path(folder).resolve()}\n", encoding="utf-8")


def describe() -> str:
    """Return in a line what works here.

    Raises
    ------
    ImportError
        If a package that every command needs cannot be imported.
    """
    for name in NEEDED:
        importlib.import_module(name)
    import torch

    place = "the CPU"
    if torch.cuda.is_available():
        place = torch.cuda.get_device_name(0)
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"etpicker {__version__} works: {versions}, on {place}; {_window()}."


def _window() -> str:
    """Return whether the window can start: Qt needs libraries of the system."""
    try:
        for name in ("PyQt5.QtWidgets", "pyqtgraph"):
            importlib.import_module(name)
    except ImportError as error:
        return f"the window does not ({error})"
    return "the window too"


def write_command(python: Path) -> None:
    """Put ``etpicker`` beside a Python, which may lie under a path of any length."""
    command = python.with_name("etpicker")
    line = f'exec {shlex.quote(str(python))} -m etpicker_plugin.engine "$@"'
    command.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    command.chmod(0o755)


def main(folder: str) -> None:
    """Check this Python and leave the note in ``folder``."""
    sys.stdout.write(f"{describe()}\n")
    write_command(Path(sys.executable))
    write_note(sys.prefix, folder)
    write_stamp(folder, Installed(version=__version__, python=sys.executable))


if __name__ == "__main__":
    main(sys.argv[1])
