"""What a command leaves of its progress and its end: a queue may lose exit codes."""

from pathlib import Path
from typing import Any

RECORDS_FOLDER = "records"
"""In the output folder, so that a record is never taken for an output."""

PROGRESS_FILE = "progress.jsonl"
ERROR_FILE = "error.json"
FINISHED_FILE = "finished.json"

FINISH_FILE = "finish"
"""In the output folder: asks a training to finish early, with its best model."""


def records_folder(config: Any) -> Path:
    """Return the folder of a command's progress and end."""
    own = getattr(config, "records_folder", None)
    return Path(config.out, RECORDS_FOLDER) if own is None else Path(own())


def progress_file(out: Path) -> Path:
    """Return where a command that writes to a folder reports its progress."""
    return out / RECORDS_FOLDER / PROGRESS_FILE


def forget_end(folder: Path) -> None:
    """Remove what a former run has said of its end."""
    for name in (ERROR_FILE, FINISHED_FILE):
        (folder / name).unlink(missing_ok=True)
