"""The edits that a person makes, on the open tomogram; each is saved at once."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from PyQt5.QtCore import QObject, pyqtSignal

from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.engine.geometry import lies_outside
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.window.aids.filament_edits import moving
from etpicker_plugin.window.aids.recentre import find_centre
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.class_change import ClassChange
from etpicker_plugin.window.document.class_changes import (
    redo,
    remove_class,
    rename_class,
    undo,
)
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.history import Edit
from etpicker_plugin.window.document.session import Session

EDITS = {
    "insert": "a point of a filament",
    "flip": "turning a filament round",
    "resize": "the size of a vesicle",
}
"""Kinds of edits whose number of picks says little."""


class Editor(QObject):
    """Adds, deletes, moves and relabels picks.

    Attributes
    ----------
    current_class
        Class of the next pick.
    snap
        Whether a click moves to the local centre.
    selected
        Number of the pick that was added or clicked last, or ``None``.
    hidden
        Classes that are not shown; they are saved all the same.
    """

    changed = pyqtSignal()
    class_chosen = pyqtSignal(str)
    classes_changed = pyqtSignal()
    said = pyqtSignal(str)
    failed = pyqtSignal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.document: Document = session.documents[0]
        self.current_class = session.classes.names()[0]
        self.snap = False
        self.selected: int | None = None
        self.hidden: frozenset[str] = frozenset()

    @property
    def annotation(self) -> Annotation:
        """The picks of the open tomogram."""
        return self.document.annotation

    def open(self, document: Document) -> None:
        """Go on with another tomogram."""
        self.document, self.selected = document, None
        self.changed.emit()

    def choose_class(self, name: str) -> None:
        """Set the class of the next picks."""
        self.current_class = name
        self.class_chosen.emit(name)

    def show_classes(self, hidden: frozenset[str]) -> None:
        """Hide these classes, and show the others."""
        self.hidden = hidden
        self.changed.emit()

    def add(self, position_zyx: Sequence[float], name: str | None = None) -> int | None:
        """Add a pick; return its number, or ``None`` if it lies outside."""
        name = name or self.current_class
        if not self.is_inside(position_zyx):
            return None
        if self.snap and name != NEGATIVE:
            position_zyx = self._centre_near(position_zyx, name)
        return self.add_at(position_zyx, name)

    def add_at(
        self, position_zyx: Sequence[float], name: str, **optional: ArrayLike
    ) -> int | None:
        """Add a pick exactly there; return its number, or ``None`` if it failed."""
        self.hidden -= {name}  # What is added must be seen.
        new = len(self.annotation)
        edit = self.annotation.adding(position_zyx, name, optional=optional)
        return new if self.apply(edit, select=new) else None

    def delete(self, ids: ArrayLike) -> None:
        """Delete picks."""
        chosen = np.atleast_1d(np.asarray(ids, dtype=np.intp))
        chosen = chosen[self.annotation.alive[chosen]]
        left = None if self.selected in chosen else self.selected
        if len(chosen):
            self.apply(self.annotation.deleting(chosen), select=left)

    def delete_whole(self, pick: int) -> None:
        """Delete a pick; of a filament all points."""
        self.delete(self._points_with(pick))

    def move(self, pick: int, position_zyx: Sequence[float]) -> None:
        """Move a pick."""
        self.selected = pick
        if self.is_inside(position_zyx):
            ids = self._points_with(pick)
            voxel = self.document.volume.voxel_size
            edit = moving(self.annotation, ids, pick, position_zyx, voxel_size=voxel)
            self.apply(edit, select=pick)
        else:
            self.changed.emit()

    def resize(self, pick: int, radius_ang: float) -> None:
        """Give a pick a radius of its own."""
        self.apply(self.annotation.resizing(pick, radius_ang), select=pick)

    def recentre(self, pick: int) -> None:
        """Move a pick to the local centre."""
        position = self.annotation.positions_zyx[pick]
        name = self.annotation.class_of(pick)
        self.move(pick, self._centre_near(position, name))

    def relabel(self, ids: ArrayLike, name: str) -> None:
        """Give picks another class, and what is of one filament with them."""
        ids = self._whole(ids)
        self.apply(self.annotation.relabelling(ids, name), select=self.selected)

    def confirm(self, pick: int, name: str | None = None) -> None:
        """Say that a pick is right, or what it is; of a filament all points."""
        annotation = self.annotation
        name = name or annotation.class_of(pick)
        edit = annotation.confirming(self._points_with(pick), name)
        self.apply(edit, select=self.selected)

    def delete_selected(self) -> None:
        """Delete the selected pick, if there is one."""
        if self.selected is not None:
            self.delete(self.selected)

    def recentre_selected(self) -> None:
        """Move the selected pick to the local centre."""
        if self.selected is not None:
            self.recentre(self.selected)

    def relabel_selected(self) -> None:
        """Give the selected pick the class of the next picks."""
        if self.selected is not None:
            self.relabel(self.selected, self.current_class)

    def rename_class(self, name: str, to: str) -> None:
        """Give a class another name, in all tomograms; or make it one with another."""
        self._change_classes(lambda: rename_class(self.session, name, to))

    def remove_class(self, name: str) -> None:
        """Remove a class and its picks, in all tomograms."""
        self._change_classes(lambda: remove_class(self.session, name))

    def undo(self) -> None:
        """Take the last edit back."""
        self._step(undo, "Nothing to undo.", "Undone")

    def redo(self) -> None:
        """Make the last undone edit again."""
        self._step(redo, "Nothing to redo.", "Done again")

    def _change_classes(self, change: Callable[[], None]) -> None:
        try:
            change()
        except EtPickerError as error:
            self.failed.emit(str(error))
        # Even if it failed: what is on disk may be ahead of what is shown.
        self.selected = None
        self.classes_changed.emit()
        self.changed.emit()

    def _step(
        self,
        step: Callable[[Session, Document], Edit | ClassChange | None],
        nothing: str,
        did: str,
    ) -> None:
        try:
            made = step(self.session, self.document)
        except EtPickerError as error:
            self.failed.emit(str(error))
            return
        self.selected = None
        if isinstance(made, ClassChange):
            self.said.emit(f"{did}: {made.kind}, in all tomograms")
            self.classes_changed.emit()
        else:
            self.said.emit(f"{did}: {_words(made)}" if made else nothing)
        self.changed.emit()

    def apply(self, edit: Edit, *, select: int | None) -> bool:
        """Write an edit down and make it; one that cannot be saved changes nothing."""
        try:
            self.document.journal.apply(edit)
        except EtPickerError as error:
            self.failed.emit(str(error))
            return False
        # Not before: a pick that could not be saved does not exist.
        self.selected = select
        self.changed.emit()
        return True

    def is_inside(self, position_zyx: Sequence[float]) -> bool:
        """Return whether a position lies in the tomogram; if not, say so."""
        inside = not lies_outside(position_zyx, self.document.volume.shape_zyx).any()
        if not inside:
            self.said.emit("That is outside the tomogram.")
        return inside

    def _points_with(self, pick: int) -> np.ndarray:
        """Return the points of the filament that a pick is on, or the pick alone."""
        classes = self.session.classes
        name = self.document.filament_of(pick, classes)
        return (
            np.array([pick])
            if name is None
            else self.document.filaments(classes)[name].ids
        )

    def _whole(self, ids: ArrayLike) -> np.ndarray:
        """Return picks and what is of one filament with any of them."""
        chosen = np.atleast_1d(np.asarray(ids, dtype=np.intp))
        parts = [self._points_with(pick) for pick in chosen.tolist()]
        return np.unique(np.concatenate([chosen, *parts]))

    def _centre_near(self, position_zyx: Sequence[float], name: str) -> np.ndarray:
        diameter = self.session.classes[name].diameter_ang
        try:
            return find_centre(
                self.document.volume, position_zyx, diameter_ang=diameter
            )
        except EtPickerError as error:
            self.failed.emit(str(error))
            return np.asarray(position_zyx)


def _words(edit: Edit) -> str:
    """Return what to call an edit."""
    return EDITS.get(edit.kind) or f"{edit.kind} ({len(edit.ids)})"
