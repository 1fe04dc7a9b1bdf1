"""The classes: key, colour, name, diameter; choosing, adding, measuring one."""

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QColor, QIcon, QPainter, QPixmap
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGroupBox,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.engine.kinds import FILAMENT, KINDS, PARTICLE, VESICLE
from etpicker_plugin.window.document.class_changes import check_class_name
from etpicker_plugin.window.document.settings import Classes, ParticleClass
from etpicker_plugin.window.drawing.colours import class_colour
from etpicker_plugin.window.qt.style import WARNING

KEY, NAME, DIAMETER, KIND = range(4)
MOST_KEYS = 9
WHAT = {
    PARTICLE: "Diameter",
    FILAMENT: "Width",
    VESICLE: "Diameter where a vesicle's own is not marked",
}
ROW_PX, HEADER_PX = 27, 32
LEAST_ROWS, MOST_ROWS = 3, 8


class ClassPanel(QGroupBox):
    """A row for each class; the chosen row is the class of the next picks."""

    chosen = pyqtSignal(str)
    changed = pyqtSignal()
    rename_asked = pyqtSignal(str, str)
    remove_asked = pyqtSignal(str)
    failed = pyqtSignal(str)

    def __init__(self, classes: Classes) -> None:
        super().__init__("Classes")
        self.classes = classes
        self.measured: float | None = None
        self.table = QTableWidget(0, 4)
        self.table.setObjectName("classes")
        self.table.setHorizontalHeaderLabels(["key", "class", "diam. [Å]", "kind"])
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Maximum)
        self.table.setShowGrid(False)
        self.table.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SingleSelection)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeToContents)
        header.setSectionResizeMode(NAME, QHeaderView.Stretch)
        self.add = QPushButton("Add …")
        self.rename = QPushButton("Rename …")
        self.remove = QPushButton("Remove …")
        self.measure = QPushButton("Diameter from ruler")
        self.measure.setEnabled(False)
        self._lay_out()
        self.refresh(classes.names()[0])
        self.table.itemSelectionChanged.connect(self._choose)
        self.table.itemChanged.connect(self._edit)
        self.add.clicked.connect(self._ask_name)
        self.rename.clicked.connect(self._ask_new_name)
        self.remove.clicked.connect(lambda: self.remove_asked.emit(self.current()))
        self.measure.clicked.connect(self.take_measured)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.addWidget(self.table)
        row = QHBoxLayout()
        for button in (self.add, self.rename, self.remove):
            row.addWidget(button)
        column.addLayout(row)
        column.addWidget(self.measure)

    def refresh(self, current: str) -> None:
        """Fill the table, and mark the class of the next picks."""
        self.table.blockSignals(True)
        names = self.classes.names()
        self.table.setRowCount(len(names))
        for row, item in enumerate(self.classes):
            key = QTableWidgetItem(f"{row + 1}" if row < MOST_KEYS else "")
            key.setIcon(_dot(class_colour(item.name, names)))
            key.setFlags(key.flags() & ~Qt.ItemIsEditable)
            name = QTableWidgetItem(item.name)
            name.setToolTip("Double-click to rename.")
            for column, cell in (
                *((KEY, key), (NAME, name)),
                (DIAMETER, _diameter_cell(item)),
            ):
                self.table.setItem(row, column, cell)
            self.table.setCellWidget(row, KIND, self._kind_box(item))
        if current in names:
            self.table.selectRow(names.index(current))
        rows = min(max(len(names), LEAST_ROWS), MOST_ROWS)
        self.table.setFixedHeight(HEADER_PX + ROW_PX * rows)
        self.table.blockSignals(False)

    def _kind_box(self, item: ParticleClass) -> QComboBox:
        """Return the box that chooses what the things of a class are."""
        box = QComboBox()
        box.addItems(KINDS)
        box.setCurrentText(self.classes.kind_of(item.name))
        box.setFocusPolicy(Qt.NoFocus)
        box.setToolTip(
            "A particle is marked by its centre; a filament by points along it; a "
            "vesicle by its centre and radius."
        )
        box.textActivated.connect(lambda kind: self._change(item.name, kind=kind))
        return box

    def current(self) -> str:
        """Return the chosen class."""
        return self.classes.names()[max(self.table.currentRow(), 0)]

    def choose_key(self, key: int) -> None:
        """Choose the class of a digit key, from 1."""
        if 1 <= key <= len(self.classes):
            self.table.selectRow(key - 1)

    def show_measured(self, length_ang: float) -> None:
        """Offer the ruler's length as a diameter."""
        self.measured = length_ang
        self.measure.setEnabled(True)
        self.measure.setText(f"Diameter: {length_ang:.0f} Å from ruler")

    def take_measured(self) -> None:
        """Give the chosen class the diameter that the ruler shows."""
        if self.measured is not None:
            self._change(self.current(), diameter_ang=round(self.measured))

    def add_class(self, name: str) -> None:
        """Add a class; what its diameter is has yet to be said."""
        name = name.strip()
        if name in self.classes.names():
            self.failed.emit(f"There is a class '{name}' already. Give another name.")
            return
        try:
            check_class_name(name)
        except EtPickerError as error:
            self.failed.emit(str(error))
            return
        self._change(name)
        self.choose_key(len(self.classes))

    def _ask_name(self) -> None:
        name, accepted = QInputDialog.getText(self, "Add class", "Name of the class:")
        if accepted:
            self.add_class(name)

    def _ask_new_name(self) -> None:
        name = self.current()
        new, accepted = QInputDialog.getText(
            self, "Rename class", f"New name of {name}:", QLineEdit.Normal, name
        )
        if accepted:
            self._rename(name, new.strip())

    def _rename(self, name: str, new: str) -> None:
        if new != name:
            self.rename_asked.emit(name, new)
        self.refresh(self.current())

    def _choose(self) -> None:
        self.chosen.emit(self.current())

    def _edit(self, item: QTableWidgetItem) -> None:
        name = self.classes.names()[item.row()]
        if item.column() == NAME:
            self._rename(name, item.text().strip())
            return
        try:
            self._change(
                name, diameter_ang=float(item.text().replace(",", ".").rstrip("? "))
            )
        except ValueError:
            self.failed.emit(f"Diameter '{item.text()}': expected a number of Å.")
            self.refresh(self.current())

    def _change(self, name: str, **values: object) -> None:
        current = self.current()
        try:
            self.classes.change(name, **values)
            self.changed.emit()
        except EtPickerError as error:
            self.failed.emit(str(error))
        self.refresh(current)


def _diameter_cell(item: ParticleClass) -> QTableWidgetItem:
    """Return the cell of a diameter; a guess has a question mark."""
    cell = QTableWidgetItem(f"{item.diameter_ang:g}{' ?' if item.guessed else ''}")
    cell.setTextAlignment(Qt.AlignRight | Qt.AlignVCenter)
    cell.setToolTip(f"{WHAT[item.kind or PARTICLE]}. Double-click to change.")
    if item.guessed:
        cell.setForeground(QColor(WARNING))
        cell.setToolTip("A guess: nobody has said it. Double-click to type it.")
    return cell


def _dot(colour: str) -> QIcon:
    """Return a dot; an icon keeps its colour in a chosen row."""
    pixmap = QPixmap(12, 12)
    pixmap.fill(Qt.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.Antialiasing)
    painter.setBrush(QColor(colour))
    painter.setPen(Qt.NoPen)
    painter.drawEllipse(1, 1, 10, 10)
    painter.end()
    return QIcon(pixmap)
