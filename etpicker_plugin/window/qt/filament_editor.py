"""Filaments while a person draws them: one is chosen, and clicks may go on with it."""

import numpy as np
from PyQt5.QtCore import QObject, pyqtSignal

from etpicker_plugin.engine.kinds import FILAMENT
from etpicker_plugin.window.aids.filament_edits import (
    beginning,
    deleting,
    flipping,
    inserting,
)
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.filament_points import (
    FilamentPoints,
    new_filament_name,
)
from etpicker_plugin.window.document.history import Edit
from etpicker_plugin.window.drawing.traces import Hit
from etpicker_plugin.window.qt.editor import Editor

ENDED = "Filament ended. Click elsewhere to begin another; F turns it round."


class FilamentEditor(QObject):
    """Adds, inserts and deletes points of the chosen filament, and turns it round.

    Attributes
    ----------
    is_drawing
        Whether the next click goes on with the chosen filament.
    """

    class_wanted = pyqtSignal(str)

    def __init__(self, editor: Editor) -> None:
        super().__init__()
        self.editor = editor
        self.is_drawing = False
        self._name: str | None = None
        self._of: Document | None = None

    # --------------------------- what is chosen -------------------------------
    def is_current(self) -> bool:
        """Return whether the class of the next picks is one of filaments."""
        editor = self.editor
        return editor.session.classes.kind_of(editor.current_class) == FILAMENT

    def holds(self, pick: int | None) -> bool:
        """Return whether a pick is a point of a filament."""
        classes = self.editor.session.classes
        return self.editor.document.filament_of(pick, classes) is not None

    def chosen(self) -> FilamentPoints | None:
        """Return the filament that the selected point is on, or that was clicked."""
        document, classes = self.editor.document, self.editor.session.classes
        if document is not self._of:
            self._of, self._name, self.is_drawing = document, None, False
        if self.editor.selected is not None:
            name = document.filament_of(self.editor.selected, classes)
            self.is_drawing &= name == self._name
            self._name = name
        return document.filaments(classes).get(self._name or "")

    def choose(self, name: str | None) -> None:
        """Choose a filament, and no point of it."""
        self.is_drawing = False
        self._of, self._name = self.editor.document, name
        self.editor.selected = None
        self.editor.changed.emit()

    # --------------------------- drawing --------------------------------------
    def click(self, position_zyx: np.ndarray, hit: Hit | None, *, last: bool) -> bool:
        """Take a click with the tool *Pick*; return whether it made a point.

        ``hit`` is the curve under the mouse; ``last`` ends the filament.
        """
        chosen = self.chosen()
        made = False
        if hit is not None and chosen is not None and hit.name == chosen.name:
            made = self._insert(chosen, hit.gap, position_zyx)
        elif hit is not None and not self.is_drawing:
            self.choose(hit.name)
        else:
            made = self._go_on(chosen, position_zyx)
        if last:
            self.end()
        return made

    def end(self) -> None:
        """End the filament that is being drawn."""
        if not self.is_drawing:
            return
        self.is_drawing = False
        chosen = self.chosen()
        alone = chosen is not None and len(chosen.ids) == 1
        self.editor.said.emit(
            "One point makes no filament: it is not saved before it has two."
            if alone
            else ENDED
        )
        self.editor.changed.emit()

    def end_or_go_on(self) -> None:
        """End the filament, or go on with the chosen one behind its last point."""
        chosen = self.chosen()
        if self.is_drawing or chosen is None:
            self.end()
            return
        self.is_drawing = True
        self.class_wanted.emit(chosen.class_name)
        self.editor.selected = int(chosen.ids[-1])
        self.editor.said.emit("Click to go on behind the last point.")
        self.editor.changed.emit()

    def _go_on(self, chosen: FilamentPoints | None, position: np.ndarray) -> bool:
        editor = self.editor
        if not editor.is_inside(position):
            return False
        annotation, name = editor.annotation, editor.current_class
        new = len(annotation)
        if self.is_drawing and chosen is not None and chosen.class_name == name:
            edit = self._inserting(chosen, len(chosen.ids), position)
        else:
            edit = beginning(
                annotation, new_filament_name(annotation, name), name, position
            )
        editor.hidden -= {name}
        self.is_drawing = editor.apply(edit, select=new) or self.is_drawing
        return len(annotation) > new

    def _insert(self, chosen: FilamentPoints, gap: int, position: np.ndarray) -> bool:
        if not self.editor.is_inside(position):
            return False
        edit = self._inserting(chosen, gap, position)
        # The new point has the number of the one that was there before.
        return self.editor.apply(edit, select=int(np.append(chosen.ids, -1)[gap]))

    def _inserting(
        self, chosen: FilamentPoints, place: int, position: np.ndarray
    ) -> Edit:
        document = self.editor.document
        voxel = document.volume.voxel_size
        return inserting(
            document.annotation, chosen.ids, place, position, voxel_size=voxel
        )

    # --------------------------- changing -------------------------------------
    def flip(self) -> bool:
        """Turn the chosen filament round; return whether there is one."""
        chosen = self.chosen()
        if chosen is None:
            return False
        edit = flipping(self.editor.annotation, chosen.ids)
        if self.editor.apply(edit, select=None):
            self.editor.said.emit("Turned round: the arrow shows which way it goes.")
        return True

    def delete(self) -> bool:
        """Delete the selected point, or else the chosen filament; if there is one."""
        chosen, point = self.chosen(), self.editor.selected
        if chosen is None:
            return False
        if point is None and self.is_drawing:
            point = int(chosen.ids[-1])
        if point is None:
            self.delete_filament(chosen.name)
        else:
            self.delete_point(point)
        return True

    def delete_point(self, point: int) -> None:
        """Delete a point, and select the one before it."""
        document, classes = self.editor.document, self.editor.session.classes
        ids = document.filaments(classes)[document.filament_of(point, classes)].ids
        voxel = document.volume.voxel_size
        edit = deleting(document.annotation, ids, point, voxel_size=voxel)
        left = ids[ids != point]
        place = max(int(np.searchsorted(left, point)) - 1, 0)
        self.editor.apply(edit, select=int(left[place]) if len(left) else None)

    def relabel(self) -> bool:
        """Give the chosen filament the class of the next picks, if there is one."""
        chosen = self.chosen()
        if chosen is not None:
            self.editor.relabel(chosen.ids, self.editor.current_class)
        return chosen is not None

    def delete_filament(self, name: str) -> None:
        """Delete all points of a filament."""
        found = self.editor.document.filaments(self.editor.session.classes)[name]
        self.is_drawing = False
        self.editor.delete(found.ids)
        self.editor.said.emit(
            f"Deleted a filament of {len(found.ids)} points. Undo brings it back."
        )
