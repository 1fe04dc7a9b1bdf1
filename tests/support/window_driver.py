"""Drives the real window: clicks and drags by voxel position."""

import time

from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication

DRAWN_WITHIN_S = 30


def wait_until(condition, *, what, within_s=DRAWN_WITHIN_S):
    """Let the window work until a condition holds."""
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen in {within_s} s")
        QTest.qWait(10)


def wait_drawn(window):
    """Wait until every view shows the cursor's slice."""
    wait_until(window.views.is_drawn, what="drawing")
    QApplication.processEvents()


def pixel_of(view, position_zyx):
    """Return the pixel that a position falls into."""
    point = view.pixel_of(position_zyx)
    return QPoint(int(point.x() // 1), int(point.y() // 1))


def click(view, position_zyx, button=Qt.LeftButton, modifier=Qt.NoModifier):
    """Click the pixel that a position falls into."""
    QTest.mouseClick(view.viewport(), button, modifier, pixel_of(view, position_zyx))
    QApplication.processEvents()


def drag(view, start_zyx, end_zyx, button=Qt.LeftButton):
    """Press at one position, move in steps, and let go at another."""
    start, end = pixel_of(view, start_zyx), pixel_of(view, end_zyx)
    send(view, QEvent.MouseButtonPress, start, button, button)
    for i in range(1, 11):
        send(
            view,
            QEvent.MouseMove,
            start + (end - start) * i / 10,
            Qt.NoButton,
            button,
        )
        QTest.qWait(15)
    send(view, QEvent.MouseButtonRelease, end, button, Qt.NoButton)
    QApplication.processEvents()


def send(view, kind, pixel, button, buttons):
    viewport = view.viewport()
    place = QPointF(pixel)
    event = QMouseEvent(
        kind,
        place,
        QPointF(viewport.mapToGlobal(pixel)),
        button,
        buttons,
        Qt.NoModifier,
    )
    QApplication.sendEvent(viewport, event)
