"""How the live picker is started: a command of the engine, with its configuration."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.disk import cannot_write
from etpicker_plugin.window.document.session import Session

FOLDER = ".live"
CONFIG_FILE, LOG_FILE = "config.json", "log.txt"
MODEL_FILE = "live_model.safetensors"
COMMAND = (sys.executable, "-m", "etpicker_plugin.engine", "live")
LAST_WORDS = 300


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
    return {
        "tomogram": [str(volume.path.absolute()) for volume in volumes],
        "name": [volume.tomogram_id for volume in volumes],
        "voxel_size": [volume.voxel_size for volume in volumes],
        "out": str(folder),
    }


def prepare(session: Session) -> list[str]:
    """Write the configuration, and return the command that reads it.

    Raises
    ------
    ResourceError
        If it cannot be written.
    """
    folder = session.folder / FOLDER
    path = folder / CONFIG_FILE
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_write(f"The folder {folder}", folder, error) from error
    with write_whole(path) as temporary:
        text = json.dumps(configuration(session, folder), ensure_ascii=False)
        temporary.write_text(text, encoding="utf-8")
    return [*COMMAND, "--config", str(path)]


def last_words(log: Path) -> str:
    """Return the last line of a log, shortened; nothing if there is none."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    return said[-1][-LAST_WORDS:] if said else ""
