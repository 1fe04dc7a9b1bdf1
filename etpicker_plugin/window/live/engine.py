"""How the live picker is started: a command of the engine, with its configuration."""

import importlib.util
import json
import os
import re
import sys
from collections.abc import Mapping
from itertools import chain, count
from pathlib import Path
from typing import Any

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.config.live import PRETRAINED
from etpicker_plugin.window.document.session import LIVE_MODEL, Session
from etpicker_plugin.window.live.refined import RefinedModels, cannot

FOLDER = ".live"
CONFIG_FILE, LOG_FILE = "config.json", "log.txt"
SUFFIX = ".safetensors"
COMMAND = (sys.executable, "-m", "etpicker_plugin.engine", "live")
REFINE_COMMAND = (*COMMAND[:-1], "refine")
REFINE_LOG_FILE = "refine_log.txt"
REFINE_MINUTES = 10.0
MARKS_FILE = "marks.json"
LAST_WORDS = 300
LOGGED = re.compile(r"^\d\d:\d\d:\d\d [A-Z]+ ")
"""When a line was logged, and how grave it is."""


def hindrance() -> str:
    """Return why there can be no live picker here, or nothing."""
    if importlib.util.find_spec("torch") is None:
        return (
            "Live needs torch, which this Python lacks. Install it with "
            "'pip install torch', or the whole engine with "
            "'scipion3 installb etpicker'."
        )
    return ""


def configuration(session: Session, folder: Path) -> dict[str, Any]:
    """Return what the command is told once: tomograms, and where to keep features."""
    volumes = [document.volume for document in session.documents]
    masks = [d.mask.volume.path for d in session.documents if d.mask is not None]
    return {
        "tomogram": [str(volume.path.absolute()) for volume in volumes],
        "name": [volume.tomogram_id for volume in volumes],
        "voxel_size": [volume.voxel_size for volume in volumes],
        "mask": [str(p.absolute()) for p in masks if len(masks) == len(volumes)],
        "out": str(folder),
    }


def prepare(session: Session, refined: RefinedModels) -> list[str]:
    """Write the configuration, and return the command that reads it.

    Raises
    ------
    ResourceError
        If it cannot be written.
    """
    folder = session.folder / FOLDER
    with cannot(folder):
        folder.mkdir(exist_ok=True)
    values = {
        **configuration(session, refined.features()),
        "model": _model(refined),
    }
    return [*COMMAND, "--config", _write(folder / CONFIG_FILE, values)]


def prepare_refining(
    session: Session, refined: RefinedModels, question: Mapping[str, object], out: Path
) -> list[str]:
    """Write a question and the configuration; return the command that learns from it.

    Raises
    ------
    ResourceError
        If they cannot be written.
    """
    values = {
        **configuration(session, out),
        "model": _model(refined),
        "features": str(refined.features()),
        "marks": _write(out / MARKS_FILE, question),
        "max_minutes": REFINE_MINUTES,
    }
    return [*REFINE_COMMAND, "--config", _write(out / CONFIG_FILE, values)]


def _model(refined: RefinedModels) -> str:
    model = refined.model()
    return PRETRAINED if model is None else str(model)


def _write(path: Path, values: Mapping[str, object]) -> str:
    with write_whole(path) as temporary:
        text = json.dumps(values, ensure_ascii=False)
        temporary.write_text(text, encoding="utf-8")
    return str(path)


class ModelFile:
    """Where the live model goes; the one of an earlier window is not overwritten.

    The engine writes it in the folder of its own, and what is whole takes the place of
    the one that this window saved before.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.written = self.folder / FOLDER / f"{LIVE_MODEL}{SUFFIX}"
        self.path: Path | None = None

    def make_room(self) -> Path:
        """Return where the engine shall write."""
        with cannot(self.written):
            self.written.unlink(missing_ok=True)
        return self.written

    def take(self) -> Path:
        """Put what was written in its place, and return it."""
        path = self.path or self._free()
        with cannot(path):
            os.replace(self.written, path)
        self.path = path
        return path

    def _free(self) -> Path:
        names = chain([LIVE_MODEL], (f"{LIVE_MODEL}_{n}" for n in count(2)))
        paths = (self.folder / f"{name}{SUFFIX}" for name in names)
        return next(path for path in paths if not path.exists())


def last_words(log: Path) -> str:
    """Return the last line of a log, bare and shortened; nothing if there is none."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    return LOGGED.sub("", said[-1]).rstrip(".")[-LAST_WORDS:] if said else ""
