"""The classes as chips: dot hides or shows, name chooses; with their counts."""

from collections.abc import Mapping

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PyQt5.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.window.document.counts import Things
from etpicker_plugin.window.drawing.colours import class_colour

COLUMNS = 2
DOT_PX, DETAIL = 13, 2
NONE_HERE = "none here"


class ClassChips(QWidget):
    """A chip for each class that has picks or is declared."""

    chosen = pyqtSignal(str)
    toggled = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.chips: dict[str, Chip] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(5)
        for column in range(COLUMNS):
            self._grid.setColumnStretch(column, 1)

    def refresh(
        self, counts: Mapping[str, Things], *, current: str, hidden: frozenset[str]
    ) -> None:
        """Show these classes and counts, which is chosen, and which are hidden."""
        names = [n for n in counts if n != NEGATIVE or counts[n].there]
        if list(self.chips) != names:
            self._make(names)
        for name, chip in self.chips.items():
            colour = class_colour(name, names)
            chip.show_state(
                counts[name],
                colour,
                shown=name not in hidden,
                chosen=name == current,
            )

    def _make(self, names: list[str]) -> None:
        for chip in self.chips.values():
            chip.setParent(None)
            chip.deleteLater()
        self.chips = {name: Chip(name) for name in names}
        for i, (name, chip) in enumerate(self.chips.items()):
            self._grid.addWidget(chip, i // COLUMNS, i % COLUMNS)
            chip.eye.clicked.connect(lambda _, n=name: self.toggled.emit(n))
            if name != NEGATIVE:
                chip.label.clicked.connect(lambda _, n=name: self.chosen.emit(n))


class Chip(QFrame):
    """A dot that can be emptied, and a name with its count."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName("chip")
        self.name = name
        self.eye = QToolButton()
        self.eye.setIconSize(QSize(DOT_PX, DOT_PX))
        self.label = QPushButton()
        self.label.setFlat(True)
        self.label.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 0, 2, 0)
        row.setSpacing(0)
        row.addWidget(self.eye)
        row.addWidget(self.label, stretch=1)
        for button in (self.eye, self.label):
            button.setFocusPolicy(Qt.NoFocus)

    def show_state(
        self, count: Things, colour: str, *, shown: bool, chosen: bool
    ) -> None:
        """Follow the class."""
        self.eye.setIcon(_dot(colour, filled=shown))
        self.eye.setToolTip(f"{'Hide' if shown else 'Show'} {self.name}.")
        name = NONE_HERE if self.name == NEGATIVE else self.name
        self.label.setText(self._fitting(name, count.number()))
        self.label.setToolTip(f"{name}: {count.words()} reach the cut-off.")
        for key, value in (("chosen", chosen), ("shown", shown)):
            self.setProperty(key, value)
        self.style().unpolish(self)
        self.style().polish(self)

    def _fitting(self, name: str, number: str) -> str:
        """Return name and number; a long name is shortened, the number never."""
        metrics = self.label.fontMetrics()
        room = self.label.width() - metrics.horizontalAdvance(f"  {number}") - 4
        short = metrics.elidedText(name, Qt.ElideRight, max(room, 20))
        return f"{short}  {number}".replace("&", "&&")


def _dot(colour: str, *, filled: bool) -> QIcon:
    """Return a dot, or an empty ring."""
    pixmap = QPixmap(DOT_PX * DETAIL, DOT_PX * DETAIL)
    pixmap.setDevicePixelRatio(DETAIL)
    pixmap.fill(Qt.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.Antialiasing)
    painter.setPen(QPen(QColor(colour), 1.6))
    if filled:
        painter.setBrush(QColor(colour))
    painter.drawEllipse(2, 2, DOT_PX - 4, DOT_PX - 4)
    painter.end()
    return QIcon(pixmap)
