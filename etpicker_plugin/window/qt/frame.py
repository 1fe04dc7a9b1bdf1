"""The frame of the window: what lies at its sides, and that it fits the screen."""

from PyQt5.QtCore import QRect, QSize, Qt
from PyQt5.QtGui import QCursor, QGuiApplication
from PyQt5.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QMessageBox,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

DECORATION = QSize(12, 44)
"""Left free for what the window manager draws, until it is known how much that is."""


def dock(
    window: QMainWindow,
    area: Qt.DockWidgetArea,
    title: str,
    widget: QWidget,
    width: int,
) -> None:
    """Put a widget at a side; without a title it has no bar to move it by."""
    holder = QDockWidget(title)
    holder.setFeatures(QDockWidget.DockWidgetMovable)
    if not title:
        holder.setTitleBarWidget(QWidget())
    holder.setWidget(widget)
    window.addDockWidget(area, holder)
    window.resizeDocks([holder], [width], Qt.Horizontal)


def stacked(above: QWidget, widget: QWidget, below: QWidget) -> QWidget:
    """Return a widget with a thin one above it and a low one below."""
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(above)
    column.addWidget(widget, stretch=1)
    column.addWidget(below)
    return page


def scrolled(*widgets: QWidget, stretch: bool = False) -> QScrollArea:
    """Return widgets one below the other, with a bar to scroll them by where needed.

    With ``stretch`` the last one takes what room there is.
    """
    page, area = QWidget(), QScrollArea()
    column = QVBoxLayout(page)
    column.setContentsMargins(8, 6, 8, 6)
    for widget in widgets:
        column.addWidget(widget)
    if stretch:
        column.setStretchFactor(widgets[-1], 1)
    else:
        column.addStretch()
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
    bar = area.verticalScrollBar().sizeHint().width()
    area.setMinimumWidth(page.minimumSizeHint().width() + bar)
    return area


def warning(parent: QWidget) -> QMessageBox:
    """Return a box for an error; names in its text may look like HTML."""
    box = QMessageBox(QMessageBox.Warning, "etpicker", "", parent=parent)
    box.setTextFormat(Qt.PlainText)
    return box


def available_geometry() -> QRect:
    """Return the part of the mouse's screen that windows may cover."""
    screen = QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
    return screen.availableGeometry()


def fit_to_screen(window: QMainWindow, wanted: QSize) -> None:
    """Put the window in the middle, of the wanted size or of what there is room for."""
    available = available_geometry()
    window.resize(wanted.boundedTo(available.size() - DECORATION))
    outer = window.size() + DECORATION
    corner = available.center() - QRect(available.topLeft(), outer).center()
    window.move(available.topLeft() + corner)


def keep_on_screen(window: QMainWindow) -> None:
    """Pull a window that is shown, with its frame, into the screen."""
    available, frame = available_geometry(), window.frameGeometry()
    too_much = frame.size() - frame.size().boundedTo(available.size())
    if not too_much.isNull():
        window.resize(window.size() - too_much)
        frame.setSize(frame.size() - too_much)
    left = min(max(frame.left(), available.left()), available.right() - frame.width())
    top = min(max(frame.top(), available.top()), available.bottom() - frame.height())
    left, top = max(left, available.left()), max(top, available.top())
    if (left, top) != (frame.left(), frame.top()):
        window.move(left, top)
