"""The picks of a class as pictures, the best first: click to go there, X to reject."""

import numpy as np
from PyQt5.QtCore import QAbstractListModel, QModelIndex, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QImage, QKeyEvent, QPixmap
from PyQt5.QtWidgets import QAbstractItemView, QListView

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.window.drawing.slices import Look
from etpicker_plugin.window.drawing.thumbnails import cut_thumbnail
from etpicker_plugin.window.qt.editor import Editor

PICTURE = 72
MOST_KEPT = 2000
BATCH = 20_000
"""Rows that are laid out at first, and again whenever their end is reached."""

REJECT_KEYS = (Qt.Key_X, Qt.Key_Delete, Qt.Key_Backspace)


class GalleryModel(QAbstractListModel):
    """Picks of one class that count, by falling score; pictures made on demand."""

    def __init__(self, editor: Editor) -> None:
        super().__init__()
        self.editor = editor
        self.look = Look()
        self.ids = np.zeros(0, dtype=np.intp)
        self._listed = 0
        self._pictures: dict[tuple[float, ...], QPixmap] = {}

    def refresh(self, name: str) -> None:
        """List the picks of a class anew, if they are others than before."""
        document = self.editor.document
        ids = document.annotation.ids_of(name)
        ids = ids[document.shown(self.editor.session.classes, ids)]
        scores = np.nan_to_num(document.annotation.scores[ids], nan=-np.inf)
        ids = ids[np.argsort(-scores, kind="stable")]
        if not np.array_equal(ids, self.ids):
            self.beginResetModel()
            self.ids = ids
            self._listed = min(len(ids), max(BATCH, self._listed))
            self.endResetModel()

    def show_look(self, look: Look) -> None:
        """Show the pictures as the slices are shown."""
        self.look = look
        self.forget_pictures()

    def forget_pictures(self) -> None:
        """Make the pictures anew: of another tomogram, or with another look."""
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
        """Return a pick's picture or its score."""
        pick = int(self.ids[index.row()])
        if role == Qt.DecorationRole:
            return self._picture(pick)
        if role == Qt.DisplayRole:
            score = self.editor.annotation.scores[pick]
            return f"{score:.3f}" if np.isfinite(score) else "marked"
        return None

    def _picture(self, pick: int) -> QPixmap:
        annotation = self.editor.annotation
        position = annotation.positions_zyx[pick]
        key = (pick, *position.tolist())
        if key not in self._pictures:
            if len(self._pictures) > MOST_KEPT:
                self._pictures.clear()
            self._pictures[key] = self._make(position, annotation.class_of(pick))
        return self._pictures[key]

    def _make(self, position: np.ndarray, name: str) -> QPixmap:
        document = self.editor.document
        diameter = self.editor.session.classes[name].diameter_ang
        try:
            grey = cut_thumbnail(
                document.volume, position, diameter_ang=diameter, look=self.look
            )
        except InputDataError as error:
            self.editor.failed.emit(str(error))
            grey = np.zeros((2, 2), dtype=np.uint8)
        height, width = grey.shape
        image = QImage(grey.tobytes(), width, height, width, QImage.Format_Grayscale8)
        return QPixmap.fromImage(image).scaled(
            PICTURE, PICTURE, Qt.IgnoreAspectRatio, Qt.SmoothTransformation
        )


class Gallery(QListView):
    """The pictures in rows."""

    jumped = pyqtSignal(int)

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
        self.setSelectionMode(QAbstractItemView.SingleSelection)
        self.setToolTip("Click: go there. X: reject the pick. Arrow keys: next.")
        self.selectionModel().currentChanged.connect(self._jump)

    def refresh(self, name: str) -> None:
        """List the picks of a class, staying at the same place."""
        row = self.currentIndex().row()
        place = self.verticalScrollBar().value()
        before = self.pictures.ids
        self.pictures.refresh(name)
        if self.pictures.ids is not before and row >= 0 and len(self.pictures.ids):
            self.doItemsLayout()
            self.verticalScrollBar().setValue(place)
            row = min(row, self.pictures.rowCount() - 1)
            self.setCurrentIndex(self.pictures.index(row))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Reject the current pick, and go to the next."""
        row = self.currentIndex().row()
        if event.key() in REJECT_KEYS and 0 <= row < len(self.pictures.ids):
            self.pictures.editor.delete(int(self.pictures.ids[row]))
        else:
            super().keyPressEvent(event)

    def _jump(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid():
            self.jumped.emit(int(self.pictures.ids[index.row()]))
