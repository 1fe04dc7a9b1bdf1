"""Tomograms that could not be picked: one note each, so that no process shares a file.

``OUT/failed/NAME.json`` holds the reason until the tomogram is picked.
"""

from __future__ import annotations

import json
from pathlib import Path

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.disk import cannot_write
from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.engine.result_files import read_record

FAILED_FOLDER = "failed"
UNREADABLE = "It could not be picked; the note of why cannot be read."


def note_failure(name: str, kind: str, message: str, *, out_dir: Path) -> None:
    """Note why a tomogram could not be picked.

    Raises
    ------
    ResourceError
        If the note cannot be written.
    """
    folder = out_dir / FAILED_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(f"The folder {folder}", folder, error) from error
    record = {"tomogram": name, "kind": kind, "message": message}
    with write_whole(folder / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")


def note_error(name: str, error: EtPickerError, *, out_dir: Path) -> None:
    """Note the error that a tomogram met."""
    note_failure(name, type(error).__name__, str(error), out_dir=out_dir)


def forget_failure(name: str, *, out_dir: Path) -> None:
    """Remove the note of a tomogram that is tried again, or picked."""
    (out_dir / FAILED_FOLDER / f"{name}.json").unlink(missing_ok=True)


def read_failures(out_dir: Path) -> dict[str, str]:
    """Return the reason of every tomogram noted, by name, sorted."""
    notes = sorted((out_dir / FAILED_FOLDER).glob("[!.]*.json"))
    return {n.stem: str(read_record(n).get("message", UNREADABLE)) for n in notes}
