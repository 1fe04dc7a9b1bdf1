"""The cloud with its buttons: from where it is seen, and what its colours mean."""

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from etpicker_plugin.window.drawing.slices import X, Y, Z
from etpicker_plugin.window.qt.cloud_view import CloudView
from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.view_state import ViewState

DIRECTIONS = {"xy": Z, "xz": Y, "zy": X, "Reset": None}
COLOURS = ("class", "score")


class CloudPage(QWidget):
    """A row of buttons above the cloud."""

    def __init__(self, editor: Editor, state: ViewState) -> None:
        super().__init__()
        self.view = CloudView(editor, state)
        self.buttons = {text: self._button(text, a) for text, a in DIRECTIONS.items()}
        self.colours = QComboBox()
        self.colours.setObjectName("cloud_colours")
        self.colours.addItems(COLOURS)
        self.colours.setFocusPolicy(Qt.NoFocus)
        self.colours.currentTextChanged.connect(self.view.colour_by)
        row = QHBoxLayout()
        row.setContentsMargins(6, 3, 6, 0)
        row.setSpacing(4)
        for button in self.buttons.values():
            row.addWidget(button)
        row.addStretch()
        row.addWidget(QLabel("colour"))
        row.addWidget(self.colours)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.view, stretch=1)

    def _button(self, text: str, axis: int | None) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("small", True)
        button.setFocusPolicy(Qt.NoFocus)
        button.setToolTip(
            "As it was at first." if axis is None else f"As the {text} slice lies."
        )
        button.clicked.connect(lambda: self.view.look_along(axis))
        return button
