"""What a command leaves of its end, beside its outputs: a queue may lose exit codes."""

from pathlib import Path
from typing import Any

ERROR_FILE = "error.json"
FINISHED_FILE = "finished.json"
END_FILES = (ERROR_FILE, FINISHED_FILE)


def records_folder(config: Any) -> Path:
    """Return the folder of a command's progress and end: its own, or its outputs'."""
    own = getattr(config, "records_folder", None)
    return Path(config.out) if own is None else Path(own())


def forget_end(folder: Path) -> None:
    """Remove what a former run has said of its end."""
    for name in END_FILES:
        (folder / name).unlink(missing_ok=True)
