"""What is drawn by several clicks: filaments, and vesicles by their membranes."""

from collections.abc import Callable

from PyQt5.QtCore import QObject

from etpicker_plugin.engine.kinds import FILAMENT, VESICLE
from etpicker_plugin.window.keys import CURVES, name_of
from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.filament_editor import FilamentEditor
from etpicker_plugin.window.qt.vesicle_editor import VesicleEditor

HOW = {
    FILAMENT: "Click along a filament; Ctrl + click or Enter ends it.",
    VESICLE: "Click a vesicle's centre; Shift + wheel sets its size. Or take Membrane.",
}
"""Kind -> how it is marked."""


class Drawn(QObject):
    """The editors of both, and the keys that mean what is being drawn."""

    def __init__(self, editor: Editor) -> None:
        super().__init__()
        self.editor = editor
        self.filaments = FilamentEditor(editor)
        self.vesicles = VesicleEditor(editor)
        editor.class_chosen.connect(self._tell_how)

    def _tell_how(self, name: str) -> None:
        """Say how what is of a class is marked, if not by one click."""
        how = HOW.get(self.editor.session.classes.kind_of(name))
        if how is not None:
            self.editor.said.emit(how)

    def select(self, pick: int) -> None:
        """Select a pick, or choose the filament that it stands for."""
        document, classes = self.editor.document, self.editor.session.classes
        name = document.filament_of(pick, classes)
        self.editor.selected = pick if name is None else None
        if name is not None:
            self.filaments.choose(name)

    def press(self, key: str) -> bool:
        """End what is being drawn, or go on; return whether the key means that."""
        name = name_of(key, CURVES)
        if name not in ("end", "leave"):
            return False
        if self.vesicles.clicks_in(self.editor.document) is not None:
            self.vesicles.end()
        elif name == "end":
            self.filaments.end_or_go_on()
        else:
            self.filaments.end()
        return True

    def delete(self) -> None:
        """Delete the selected pick, or the chosen filament."""
        if not self.filaments.delete():
            self.editor.delete_selected()

    def relabel(self) -> None:
        """Give the selected pick, or the chosen filament, the class of the next."""
        if not self.filaments.relabel():
            self.editor.relabel_selected()

    def flip_or(self, otherwise: Callable[[], None]) -> None:
        """Turn the chosen filament round; do something else if there is none."""
        if not self.filaments.flip():
            otherwise()

    def keep(self) -> None:
        """Write down what is not yet, before another tomogram is shown."""
        self.vesicles.keep()
