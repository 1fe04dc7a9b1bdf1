"""A folder to work in: can it be written, is there room, are there locks."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from pathlib import Path

from etpicker_plugin.engine.disk import cannot_write
from etpicker_plugin.engine.doctor.finding import BAD, OK, WARNING, Finding, of_error

GIGABYTE = 1e9
FEW_GIGABYTES = 2.0
"""A training takes less; the probability maps of a few tomograms more."""
PIECE = b"\0" * 4096


def check_folder(folder: Path) -> list[Finding]:
    """Write a file there, which is gone again afterwards."""
    path = folder.absolute()
    if not folder.is_dir():
        return [
            Finding("folder", BAD, f"{path} is no folder", "Make it, or give another.")
        ]
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".etpicker_test_") as probe:
            probe.write(PIECE)
            probe.flush()
            locks = _can_lock(probe.fileno())
        free = shutil.disk_usage(folder).free / GIGABYTE
    except OSError as error:
        refusal = cannot_write(f"Folder {path}", folder / "file", error)
        return [of_error("folder", BAD, refusal)]
    what = f"{path} can be written, {free:.3g} GB are free"
    if free < FEW_GIGABYTES:
        remedy = "Free some space: probability maps and boxes take more than that."
        return [Finding("folder", WARNING, what, remedy)]
    if not locks:
        return [
            Finding(
                "folder",
                WARNING,
                f"{what}, but its disk has no locks",
                "Do not run two commands in one output folder at the same time.",
            )
        ]
    return [Finding("folder", OK, what)]


def _can_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
