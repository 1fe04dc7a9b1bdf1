"""Autosave: every edit is on disk before the next one, and replayed on opening.

A journal is a text file: a first line that says what it belongs to, then one JSON line
for each edit, undo and redo. A line is written and synced at once; a window that is
killed loses nothing, and at most leaves a half-written last line, which is dropped.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from etpicker_plugin.engine.disk import append_whole, open_own
from etpicker_plugin.engine.errors import InputDataError, ResourceError
from etpicker_plugin.engine.json_checks import (
    JsonFault,
    list_of,
    number,
    one_of,
    or_none,
    parse,
    record,
    text,
    whole,
    yes_or_no,
)
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.class_change import (
    MAKE,
    REDO,
    UNDO,
    ClassChange,
    change_from_values,
    change_to_values,
)
from etpicker_plugin.window.document.edit_lines import (
    KINDS,
    edit_from_values,
    edit_to_values,
)
from etpicker_plugin.window.document.history import Edit

FORMAT = 1
STEPS = ("undo", "redo")
FARTHEST = 1e6
"""Voxels: no tomogram is so large."""
HEADER = record({"format": whole(0)}, others=True)
LINE = record(
    {"edit": one_of(*KINDS, *STEPS, MAKE, UNDO, REDO)},
    {
        "ids": list_of(whole(0)),
        "classes": list_of(text),
        "positions_zyx": list_of(list_of(number(-FARTHEST, FARTHEST), 3)),
        "scores": list_of(or_none(number())),
        "alive": list_of(yes_or_no),
    },
    others=True,
)
FAULTS = (ValueError, KeyError, TypeError, IndexError, OverflowError)


class Journal:
    """An annotation whose every change is written down first."""

    def __init__(
        self, path: Path, annotation: Annotation, *, header: dict[str, Any]
    ) -> None:
        """Open the journal, and replay what it holds onto ``annotation``.

        ``annotation`` is as it was when the journal began; ``header`` says what it
        belongs to (tomogram, size, voxel size, digest of the first picks).

        Raises
        ------
        InputDataError
            If the file is damaged, or belongs to something else.
        ResourceError
            If it cannot be written.
        """
        self.path, self.annotation = path, annotation
        self.edits = 0
        lines = _read_whole_lines(path)
        if lines:
            _check_header(lines[0], header, path=path)
            for row, line in enumerate(lines[1:], 2):
                self._replay(line, row)
        self._stream = self._open()
        if not lines:
            self._write({"format": FORMAT, **header})

    def apply(self, edit: Edit) -> None:
        """Write an edit down, then make it."""
        self._write(edit_to_values(edit, self.annotation.class_names))
        self.annotation.apply(edit)
        self.edits += 1

    def undo(self) -> Edit | None:
        """Take back the last edit, and write that down."""
        return self._step("undo")

    def redo(self) -> Edit | None:
        """Make the last undone edit again, and write that down."""
        return self._step("redo")

    def change_class(self, change: ClassChange, what: str) -> None:
        """Write a change of classes down, then ``MAKE``, ``UNDO`` or ``REDO`` it."""
        self._write({"edit": what, **change_to_values(change)})
        self._change_class(change, what)
        self.edits += 1

    def close(self) -> None:
        """Close the file; everything is in it already."""
        self._stream.close()

    def _step(self, kind: str) -> Edit | None:
        edit = getattr(self.annotation, kind)()
        if edit is not None:
            self._write({"edit": kind})
            self.edits += 1
        return edit

    def _change_class(self, change: ClassChange, what: str) -> None:
        if what == UNDO:
            self.annotation.undo_class(change.token)
        else:
            self.annotation.change_class(change, again=what == REDO)

    def _open(self) -> Any:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
            return os.fdopen(open_own(self.path, flags), "ab", buffering=0)
        except OSError as error:
            raise ResourceError(
                f"The annotation {self.path} cannot be written: {error}. Give another "
                "folder (--out), or free this one."
            ) from error

    def _write(self, values: dict[str, Any]) -> None:
        words = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        before = os.fstat(self._stream.fileno()).st_size
        try:
            append_whole(self._stream.fileno(), words.encode() + b"\n")
            os.fsync(self._stream.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):  # What is not synced is not done.
                self._stream.truncate(before)
            raise ResourceError(
                f"The last edit could not be saved to {self.path}: {error}. Free some "
                "space; what was done before it is safe."
            ) from error

    def _replay(self, line: bytes, row: int) -> None:
        try:
            values = LINE(parse(line), "line")
            if values["edit"] in STEPS:
                getattr(self.annotation, values["edit"])()
            elif values["edit"] in (MAKE, UNDO, REDO):
                self._change_class(change_from_values(values), values["edit"])
            else:
                self.annotation.apply(edit_from_values(values, self.annotation))
        except FAULTS as error:
            raise InputDataError(
                f"Annotation {self.path}, line {row}: {error}; it is damaged. "
                f"Move the file away, or keep its first {row - 1} lines and open "
                "it again."
            ) from error
        self.edits += 1


def _read_whole_lines(path: Path) -> list[bytes]:
    """Return the lines that end; a torn last one is cut off the file."""
    if not path.exists():
        return []
    try:
        with os.fdopen(open_own(path, os.O_RDONLY), "rb") as stream:
            found = stream.read()
        lines = found[: found.rfind(b"\n") + 1]
        if len(lines) < len(found):
            os.truncate(path, len(lines))
    except OSError as error:
        raise ResourceError(
            f"The annotation {path} cannot be opened: {error}. Check its permissions, "
            "or give another folder (--out)."
        ) from error
    return lines.splitlines()


def _check_header(line: bytes, wanted: dict[str, Any], *, path: Path) -> None:
    """Refuse a journal of another format, tomogram or first picks."""
    try:
        found = HEADER(parse(line), "header")
        version = found["format"]
    except JsonFault as error:
        raise InputDataError(
            f"{path} is no etpicker annotation. Move it away, or give another folder "
            "(--out)."
        ) from error
    if version != FORMAT:
        raise InputDataError(
            f"Annotation {path}: format version {version}; this etpicker reads "
            f"{FORMAT}. Install the etpicker that wrote it."
        )
    for name, value in wanted.items():
        if found.get(name) != value:
            raise InputDataError(
                f"Annotation {path} began with {name.replace('_', ' ')} "
                f"{found.get(name)}, now it is {value}. It belongs to other data: "
                "give another folder (--out)."
            )
