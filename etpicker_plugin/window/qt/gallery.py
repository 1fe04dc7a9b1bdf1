"""The picks of a class as pictures, the best first: click to go there, X to reject."""

import numpy as np
from PyQt5.QtCore import QAbstractListModel, QModelIndex, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QImage, QKeyEvent, QPainter, QPixmap
from PyQt5.QtWidgets import QAbstractItemView, QListView

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.drawing.slices import Look
from etpicker_plugin.window.drawing.thumbnails import cut_thumbnail
from etpicker_plugin.window.keys import KEYS
from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.key_press import key_text
from etpicker_plugin.window.qt.style import FAINT

PICTURE = 72
MOST_KEPT = 2000
BATCH = 20_000
"""Rows that are laid out at first, and again whenever their end is reached."""

SHADE = QColor(22, 24, 29, 150)
"""Lies over the pictures of picks below the cut-off."""


class GalleryModel(QAbstractListModel):
    """Picks of one class, by falling score; pictures made on demand.

    Attributes
    ----------
    ids, places
        ``(N,)`` each pick's number, and its tomogram's place in the session.
    n_kept
        So many at the beginning reach the cut-off; what a person marked comes last.
    all_tomograms
        Whether not only the open one's picks are listed.
    """

    def __init__(self, editor: Editor) -> None:
        super().__init__()
        self.editor = editor
        self.look = Look()
        self.all_tomograms = len(editor.session.documents) > 1
        self.ids = np.zeros(0, dtype=np.intp)
        self.places = np.zeros(0, dtype=np.intp)
        self._scores = np.zeros(0)
        self.n_kept = 0
        self._listed = 0
        self._pictures: dict[tuple[float, ...], QPixmap] = {}

    def refresh(self, name: str) -> None:
        """List the picks of a class anew, if they are others than before."""
        ids, places, scores = self._find(name)
        threshold = self.editor.session.classes[name].threshold
        self.n_kept = int((scores >= threshold).sum())
        same = np.array_equal(ids, self.ids) and np.array_equal(places, self.places)
        if same and np.array_equal(scores, self._scores, equal_nan=True):
            return
        self.beginResetModel()
        self.ids, self.places, self._scores = ids, places, scores
        self._listed = min(len(ids), max(BATCH, self._listed))
        self.endResetModel()

    def _find(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return numbers, places and scores of the picks, sorted; a filament is one."""
        shown, classes = self.editor.document, self.editor.session.classes
        found = [
            (place, d.judged_scores(classes), d.things(classes, name))
            for place, d in enumerate(self.editor.session.documents)
            if self.all_tomograms or d is shown
        ]
        ids = np.concatenate([own for _, _, own in found])
        places = np.concatenate([np.full(len(own), p) for p, _, own in found])
        scores = np.concatenate([judged[own] for _, judged, own in found])
        order = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")
        return ids[order], places[order].astype(np.intp), scores[order]

    def document_of(self, row: int) -> Document:
        """Return the tomogram of a row."""
        return self.editor.session.documents[self.places[row]]

    def show_look(self, look: Look) -> None:
        """Show the pictures as the slices are shown."""
        self.look = look
        self._pictures.clear()
        self.layoutChanged.emit()

    def rowCount(self, _parent: QModelIndex | None = None) -> int:
        """Return the number of picks that are laid out."""
        return self._listed

    def canFetchMore(self, _parent: QModelIndex) -> bool:
        """Return whether there are more."""
        return self._listed < len(self.ids)

    def fetchMore(self, _parent: QModelIndex) -> None:
        """Lay out some more: a million at once would take seconds at every edit."""
        end = min(self._listed + BATCH, len(self.ids))
        self.beginInsertRows(QModelIndex(), self._listed, end - 1)
        self._listed = end
        self.endInsertRows()

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> object:
        """Return a pick's picture, its score, or where it is."""
        row = index.row()
        score = self._scores[row]
        below = self.n_kept <= row and np.isfinite(score)
        if role == Qt.DecorationRole:
            return self._picture(row, below)
        if role == Qt.DisplayRole:
            return f"{score:.3f}" if np.isfinite(score) else "marked"
        if role == Qt.ForegroundRole and below:
            return QColor(FAINT)
        if role == Qt.ToolTipRole:
            end = ", below the cut-off" if below else ""
            return f"{self.document_of(row).name}{end}. X: reject it."
        return None

    def _picture(self, row: int, below: bool) -> QPixmap:
        document, pick = self.document_of(row), int(self.ids[row])
        position = document.annotation.positions_zyx[pick]
        diameter = document.diameter_of(pick, self.editor.session.classes)
        key = (self.places[row], pick, below, diameter, *position.tolist())
        if key not in self._pictures:
            if len(self._pictures) > MOST_KEPT:
                self._pictures.clear()
            made = self._make(row, position, diameter)
            self._pictures[key] = _shaded(made) if below else made
        return self._pictures[key]

    def _make(self, row: int, position: np.ndarray, diameter: float) -> QPixmap:
        volume = self.document_of(row).volume
        try:
            grey = cut_thumbnail(
                volume, position, diameter_ang=diameter, look=self.look
            )
        except InputDataError as error:
            self.editor.failed.emit(str(error))
            grey = np.zeros((2, 2), dtype=np.uint8)
        height, width = grey.shape
        image = QImage(grey.tobytes(), width, height, width, QImage.Format_Grayscale8)
        return QPixmap.fromImage(image).scaled(
            PICTURE, PICTURE, Qt.IgnoreAspectRatio, Qt.SmoothTransformation
        )


def _shaded(picture: QPixmap) -> QPixmap:
    painter = QPainter(picture)
    painter.fillRect(picture.rect(), SHADE)
    painter.end()
    return picture


class Gallery(QListView):
    """The pictures in rows."""

    jumped = pyqtSignal(object, int)

    def __init__(self, editor: Editor) -> None:
        super().__init__()
        self.setObjectName("gallery")
        self.pictures = GalleryModel(editor)
        self.setModel(self.pictures)
        self.setViewMode(QListView.IconMode)
        self.setResizeMode(QListView.Adjust)
        self.setMovement(QListView.Static)
        self.setUniformItemSizes(True)
        self.setIconSize(QSize(PICTURE, PICTURE))
        self.setGridSize(QSize(PICTURE + 10, PICTURE + 22))
        self.setMinimumHeight(2 * (PICTURE + 22))
        self.setSelectionMode(QAbstractItemView.SingleSelection)
        self.selectionModel().currentChanged.connect(self._jump)

    def refresh(self, name: str) -> None:
        """List the picks of a class, staying at the same place."""
        row = self.currentIndex().row()
        place = self.verticalScrollBar().value()
        before = self.pictures.ids
        self.pictures.refresh(name)
        self.viewport().update()  # The cut-off may be another.
        if self.pictures.ids is not before and row >= 0 and len(self.pictures.ids):
            self.doItemsLayout()
            self.verticalScrollBar().setValue(place)
            row = min(row, self.pictures.rowCount() - 1)
            self.setCurrentIndex(self.pictures.index(row))

    def go_to_cut_off(self, name: str) -> None:
        """Go to the last pick of a class that reaches the cut-off, among its like."""
        self.refresh(name)
        row = max(self.pictures.n_kept - 1, 0)
        while row >= self.pictures.rowCount() and self.pictures.canFetchMore(None):
            self.pictures.fetchMore(None)
        if row < self.pictures.rowCount():
            index = self.pictures.index(row)
            self.setCurrentIndex(index)
            self.scrollTo(index, QAbstractItemView.PositionAtCenter)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Reject the current pick, and go to the next."""
        row = self.currentIndex().row()
        if key_text(event) in KEYS["reject"].keys and 0 <= row < len(self.pictures.ids):
            self._reject(row)
        else:
            super().keyPressEvent(event)

    def _reject(self, row: int) -> None:
        """Delete a pick; one of another tomogram is shown first."""
        pick, editor = int(self.pictures.ids[row]), self.pictures.editor
        if self.pictures.document_of(row) is editor.document:
            editor.delete_whole(pick)
        else:
            self.jumped.emit(self.pictures.document_of(row), pick)

    def _jump(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid():
            row = index.row()
            self.jumped.emit(
                self.pictures.document_of(row), int(self.pictures.ids[row])
            )
