"""Tools, undo and redo, snap, and what each is for."""

from collections.abc import Collection, Sequence

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QActionGroup, QDoubleSpinBox, QLabel, QToolBar

from etpicker_plugin.engine.kinds import FILAMENT, VESICLE
from etpicker_plugin.window.keys import KEYS, shown_keys
from etpicker_plugin.window.qt.drawn import Drawn
from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.gestures import Tool

NAMES = {
    Tool.LOOK: "Look",
    Tool.PICK: "Pick",
    Tool.NEGATIVE: "None here",
    Tool.ERASE: "Erase",
    Tool.MEASURE: "Measure",
    Tool.MEMBRANE: "Membrane",
}


class ToolBar(QToolBar):
    """The actions along the top; their keys and meanings stand in ``keys``."""

    tool_chosen = pyqtSignal(object)
    eraser_changed = pyqtSignal(float)

    def __init__(self) -> None:
        super().__init__("Tools")
        self.setMovable(False)
        self.setToolButtonStyle(Qt.ToolButtonTextOnly)
        self._group = QActionGroup(self)
        self._tools = {tool: self._add_tool(tool) for tool in Tool}
        self._add_eraser()
        self.addSeparator()
        self.undo = self._add("Undo", "undo")
        self.redo = self._add("Redo", "redo")
        self.relabel = self._add("Set class", "relabel")
        self.recentre = self._add("Recentre", "recentre")
        self.snap = self._add("Snap", "snap", checkable=True)
        self.addSeparator()
        self.cloud = self._add("3D", "cloud", checkable=True)
        self.straighten = self._add("Straighten", "straighten", checkable=True)
        self.fit = self._add("Fit", "fit")
        self.flip = self._add("", "flip", shown=False)
        self.next = self._add("", "next", shown=False)
        self.previous = self._add("", "previous", shown=False)
        self.addSeparator()
        self.save = self._add("Save", "save")
        self.done = self._add("Done", "done")
        self.help = self._add("?", "help")
        self.choose(Tool.PICK)

    def _add_eraser(self) -> None:
        self.eraser = QDoubleSpinBox(
            minimum=10, maximum=20000, decimals=0, singleStep=20, suffix=" Å", value=200
        )
        self.eraser.setToolTip("Diameter of the eraser.")
        self.eraser.setFocusPolicy(Qt.ClickFocus)
        self.addWidget(QLabel(" ⌀ "))
        self.addWidget(self.eraser)
        self.eraser.valueChanged.connect(self.eraser_changed)

    def serve(self, editor: Editor, drawn: Drawn) -> None:
        """Let editors do what the actions on picks say."""
        self.undo.triggered.connect(editor.undo)
        self.redo.triggered.connect(editor.redo)
        self.recentre.triggered.connect(editor.recentre_selected)
        self.relabel.triggered.connect(drawn.relabel)
        self.snap.toggled.connect(lambda snap: setattr(editor, "snap", snap))

    def offer(self, kinds: Collection[str]) -> None:
        """Show what helps with classes of these kinds, and hide what does not."""
        self._tools[Tool.MEMBRANE].setVisible(VESICLE in kinds)
        self.straighten.setVisible(FILAMENT in kinds or VESICLE in kinds)
        if VESICLE not in kinds and self._tools[Tool.MEMBRANE].isChecked():
            self.choose(Tool.PICK)

    def choose(self, tool: Tool) -> None:
        """Take a tool."""
        self._tools[tool].trigger()

    def hint(self, tool: Tool) -> str:
        """Say what a tool does."""
        return KEYS[tool.value].text

    def _add_tool(self, tool: Tool) -> QAction:
        action = self._add(NAMES[tool], tool.value, checkable=True)
        action.triggered.connect(lambda: self.tool_chosen.emit(tool))
        self._group.addAction(action)
        return action

    def _add(
        self, text: str, name: str, *, checkable: bool = False, shown: bool = True
    ) -> QAction:
        """Add an action with its keys; one that is not shown has only these."""
        action = QAction(text, self)
        binding = KEYS[name]
        action.setShortcuts([QKeySequence(key) for key in binding.keys])
        action.setToolTip(f"{binding.text} [{shown_keys(binding)}]")
        action.setCheckable(checkable)
        if shown:
            self.addAction(action)
        return action

    def lend(self, keys: Sequence[str]) -> None:
        """Give up keys that the page in sight needs; those before come back."""
        for tool, action in self._tools.items():
            own = [k for k in KEYS[tool.value].keys if k not in keys]
            action.setShortcuts([QKeySequence(k) for k in own])

    def key_actions(self) -> list[QAction]:
        """Return what has keys and no button: the window must hold them."""
        return [self.next, self.previous, self.flip]
