"""Autosave: every edit is on disk before the next one, and replayed on opening.

A journal is a text file: a first line that says what it belongs to, then one JSON line
for each edit, undo and redo. A line is written and synced at once; a window that is
killed loses nothing, and at most leaves a half-written last line, which is dropped.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from etpicker_plugin.engine.errors import InputDataError, ResourceError
from etpicker_plugin.window.document.annotation import (
    Annotation,
    edit_from_values,
    edit_to_values,
)
from etpicker_plugin.window.document.class_change import (
    MAKE,
    REDO,
    UNDO,
    ClassChange,
    change_from_values,
    change_to_values,
)
from etpicker_plugin.window.document.history import Edit

FORMAT = 1


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
            for number, line in enumerate(lines[1:], 2):
                self._replay(line, number)
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
            return self.path.open("ab", buffering=0)
        except OSError as error:
            raise ResourceError(
                f"The annotation {self.path} cannot be written: {error}. Give another "
                "folder (--out), or free this one."
            ) from error

    def _write(self, record: dict[str, Any]) -> None:
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
        line = text.encode()
        before = self._stream.tell()
        try:
            if self._stream.write(line) != len(line):
                raise OSError("the disk is full")
            os.fsync(self._stream.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):  # Half a line would spoil the next.
                self._stream.truncate(before)
            raise ResourceError(
                f"The last edit could not be saved to {self.path}: {error}. Free some "
                "space; what was done before it is safe."
            ) from error

    def _replay(self, line: bytes, number: int) -> None:
        try:
            values = json.loads(line)
            if values["edit"] in ("undo", "redo"):
                getattr(self.annotation, values["edit"])()
            elif values["edit"] in (MAKE, UNDO, REDO):
                self._change_class(change_from_values(values), values["edit"])
            else:
                self.annotation.apply(edit_from_values(values, self.annotation))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise InputDataError(
                f"Annotation {self.path}, line {number}: {error!r}; it is damaged. "
                f"Move the file away, or keep its first {number - 1} lines and open "
                "it again."
            ) from error
        self.edits += 1


def _read_whole_lines(path: Path) -> list[bytes]:
    """Return the lines that end; a torn last one is cut off the file."""
    if not path.exists():
        return []
    try:
        text = path.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]
        if len(whole) < len(text):
            os.truncate(path, len(whole))
    except OSError as error:
        raise ResourceError(
            f"The annotation {path} cannot be opened: {error}. Check its permissions, "
            "or give another folder (--out)."
        ) from error
    return whole.splitlines()


def _check_header(line: bytes, wanted: dict[str, Any], *, path: Path) -> None:
    """Refuse a journal of another format, tomogram or first picks."""
    try:
        found = json.loads(line)
        version = found["format"]
    except (ValueError, KeyError, TypeError) as error:
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
