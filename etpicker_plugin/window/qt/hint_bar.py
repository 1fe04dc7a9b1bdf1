"""What the window does not know, said above the slices until it does."""

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QInputDialog, QLabel, QPushButton

from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.window.document.settings import Classes

LEAST_ANG, MOST_ANG = 10.0, 5000.0


class HintBar(QFrame):
    """Asks for the diameters that nobody has said; hidden while there is none."""

    changed = pyqtSignal()
    failed = pyqtSignal(str)

    def __init__(self, classes: Classes) -> None:
        super().__init__()
        self.setObjectName("hint")
        self.classes = classes
        self.text = QLabel()
        self.text.setTextFormat(Qt.PlainText)
        self.text.setWordWrap(True)
        self.button = QPushButton("Type it …")
        self.button.setFocusPolicy(Qt.NoFocus)
        self.button.clicked.connect(self._ask)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 6, 4)
        row.addWidget(self.text, stretch=1)
        row.addWidget(self.button)
        self.refresh()

    def refresh(self) -> None:
        """Say which diameter is not known, one after the other."""
        unknown = self.classes.guessed()
        self.setVisible(bool(unknown))
        if unknown:
            name = unknown[0]
            size = self.classes[name].diameter_ang
            more = f" ({len(unknown) - 1} more unknown)" if unknown[1:] else ""
            self.text.setText(
                f"The diameter of {name} is not known{more}: its circles are drawn, "
                f"and Live looks, with {size:g} Å, a guess. Type it, or measure it (M)."
            )

    def _ask(self) -> None:
        name = self.classes.guessed()[0]
        size, accepted = QInputDialog.getDouble(
            self,
            "Diameter",
            f"Diameter of {name} in Å:",
            self.classes[name].diameter_ang,
            LEAST_ANG,
            MOST_ANG,
            1,
        )
        if accepted:
            self.take(name, size)

    def take(self, name: str, diameter_ang: float) -> None:
        """Give a class its diameter."""
        try:
            self.classes.change(name, diameter_ang=diameter_ang)
        except EtPickerError as error:
            self.failed.emit(str(error))
        self.changed.emit()
