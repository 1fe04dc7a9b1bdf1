"""Tools, undo and redo, snap, and what each is for."""

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QActionGroup, QDoubleSpinBox, QLabel, QToolBar

from etpicker_plugin.window.qt.gestures import Tool

TOOLS = {
    Tool.LOOK: ("Look", "L", "Click: put the cursor there. Drag: move the picture."),
    Tool.PICK: (
        "Pick",
        "P",
        "Click: add a pick. Drag a pick: move it. Right-click: delete it. "
        "Shift-click: cursor.",
    ),
    Tool.NEGATIVE: (
        "None here",
        "N",
        "Click where a particle might be suspected and there is none.",
    ),
    Tool.ERASE: ("Erase", "E", "Drag: delete all picks in the ball about the mouse."),
    Tool.MEASURE: ("Measure", "M", "Drag: measure a length."),
}


class ToolBar(QToolBar):
    """The actions along the top."""

    tool_chosen = pyqtSignal(object)
    eraser_changed = pyqtSignal(float)

    def __init__(self) -> None:
        super().__init__("Tools")
        self.setMovable(False)
        self.setToolButtonStyle(Qt.ToolButtonTextOnly)
        self._group = QActionGroup(self)
        self._tools = {tool: self._add_tool(tool) for tool in Tool}
        self.eraser = QDoubleSpinBox(
            minimum=10, maximum=20000, decimals=0, singleStep=20, suffix=" Å", value=200
        )
        self.eraser.setToolTip("Diameter of the eraser.")
        self.eraser.setFocusPolicy(Qt.ClickFocus)
        self.addWidget(QLabel("  eraser "))
        self.addWidget(self.eraser)
        self.eraser.valueChanged.connect(self.eraser_changed)
        self.addSeparator()
        self.undo = self._add("Undo", QKeySequence.Undo, "Take the last edit back.")
        self.redo = self._add("Redo", QKeySequence.Redo, "Make it again.")
        self.relabel = self._add(
            "Set class", "C", "Give the selected pick the chosen class."
        )
        self.recentre = self._add(
            "Recentre", "R", "Move the selected pick to the local centre."
        )
        self.snap = self._add("Snap", "S", "Move each new pick to the local centre.")
        self.snap.setCheckable(True)
        self.addSeparator()
        self.fit = self._add("Fit", "F", "Show all of the tomogram.")
        self.save = self._add(
            "Save", QKeySequence.Save, "Write NAME.csv now; edits are saved anyway."
        )
        self.done = self._add("Done", QKeySequence("Ctrl+Q"), "Save and close.")
        self.choose(Tool.PICK)

    def choose(self, tool: Tool) -> None:
        """Take a tool."""
        self._tools[tool].trigger()

    def hint(self, tool: Tool) -> str:
        """Say what a tool does."""
        return TOOLS[tool][2]

    def _add_tool(self, tool: Tool) -> QAction:
        text, key, hint = TOOLS[tool]
        action = self._add(text, key, hint)
        action.setCheckable(True)
        action.triggered.connect(lambda: self.tool_chosen.emit(tool))
        self._group.addAction(action)
        return action

    def _add(self, text: str, key: object, hint: str) -> QAction:
        action = self.addAction(text)
        action.setShortcut(QKeySequence(key))
        shown = QKeySequence(key).toString(QKeySequence.NativeText)
        action.setToolTip(f"{hint} [{shown}]")
        return action
