"""The tomograms with their counts per class."""

import html
from collections.abc import Callable, Mapping

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
)

from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.window.document.counts import count_things
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.drawing.colours import class_colour
from etpicker_plugin.window.qt.style import FAINT

LEAST_PX, MOST_PX, EDGE_PX = 170, 310, 6


class TomogramList(QTableWidget):
    """One row for each tomogram; choosing one opens it."""

    chosen = pyqtSignal(object)

    def __init__(
        self, session: Session, candidates: Callable[[Document], Mapping[str, int]]
    ) -> None:
        """Show a session; ``candidates`` are those of each class in a tomogram."""
        super().__init__(len(session.documents), 1)
        self.session, self.candidates = session, candidates
        self.setObjectName("tomograms")
        self.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.setSelectionMode(QAbstractItemView.SingleSelection)
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.setShowGrid(False)
        self.setFocusPolicy(Qt.NoFocus)
        self.verticalHeader().hide()
        for row, document in enumerate(session.documents):
            item = QTableWidgetItem(document.name)
            path = html.escape(str(document.volume.path))
            item.setToolTip(f"<span>{path}</span>")
            self.setItem(row, 0, item)
        self.refresh()
        self.currentCellChanged.connect(self._choose)

    def refresh(self, document: Document | None = None) -> None:
        """Count again: one tomogram, or all, and with the classes there are now."""
        names = [*self.session.classes.names(), NEGATIVE]
        self.setColumnCount(1 + len(names))
        self.setHorizontalHeaderLabels(["tomogram", *names[:-1], "none"])
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.Fixed)  # Each cell would resize all.
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(36)
        for column, name in enumerate(names, 1):
            colour = QColor(class_colour(name, names))
            self.horizontalHeaderItem(column).setForeground(colour)
        for row, item in enumerate(self.session.documents):
            if document is None or item is document:
                self._count(row, item, names)
        header.setSectionResizeMode(QHeaderView.ResizeToContents)

    def step(self, rows: int) -> None:
        """Open the tomogram so many rows on, if there is one."""
        row = self.currentRow() + rows
        if 0 <= row < self.rowCount():
            self.setCurrentCell(row, 0)

    def show_document(self, document: Document) -> None:
        """Open a tomogram, if it is not open."""
        self.setCurrentCell(self.session.documents.index(document), 0)

    def fitting_width(self) -> int:
        """Return the pixels that show all columns, within limits."""
        wanted = self.horizontalHeader().length() + EDGE_PX
        return min(max(wanted, LEAST_PX), MOST_PX)

    def _count(self, row: int, document: Document, names: list[str]) -> None:
        counts = count_things([document], self.session.classes)
        candidates = self.candidates(document)
        for column, name in enumerate(names, 1):
            count, more = counts[name].kept, candidates.get(name, 0)
            text = f"{count:,} + {more:,}" if more else f"{count:,}" if count else "·"
            cell = QTableWidgetItem(text)
            beside = f", {more:,} candidates more" if more else ""
            cell.setToolTip(f"{counts[name].words()}{beside}")
            cell.setTextAlignment(Qt.AlignRight | Qt.AlignVCenter)
            if not count + more:
                cell.setForeground(QColor(FAINT))
            self.setItem(row, column, cell)

    def _choose(self, row: int, _column: int, before: int, _before: int) -> None:
        if row != before and row >= 0:
            self.chosen.emit(self.session.documents[row])
