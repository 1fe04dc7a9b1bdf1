"""Opens the window and tells how it lies on the screen, as JSON.

    python window_probe.py FOLDER TOMOGRAM COORDINATES

Run in a process of its own: how large Qt's pixels are is decided when it starts.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAbstractButton, QApplication, QLabel, QToolBar, QWidget

from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.tests.support.window_driver import wait_drawn
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.qt.main_window import MainWindow
from etpicker_plugin.window.qt.style import dress

UNTIL_FRAMED_MS = 1500


def main() -> None:
    """Print the frame, the screen, and what is cut off on each page."""
    folder, tomogram, coordinates = sys.argv[1:]
    application = QApplication(["etpicker"])
    dress(application)
    config = ViewConfig(
        tomogram=(tomogram,),
        coordinates=(coordinates,),
        diameter={"large": 140.0, "bubble": 300.0},
        kind={"bubble": "vesicle"},  # It shows tools that are hidden without.
    )
    window = MainWindow(Session(config, Path(folder)))
    window.show()
    window.start()
    QTest.qWait(UNTIL_FRAMED_MS)
    wait_drawn(window)
    screen = application.primaryScreen()
    found = {
        "ratio": screen.devicePixelRatio(),
        "frame": edges(window.frameGeometry()),
        "inside": edges(window.geometry()),
        "screen": edges(screen.availableGeometry()),
        "cut_off": {},
    }
    for page in range(window.tabs.count()):
        window.tabs.setCurrentIndex(page)
        QTest.qWait(150)
        found["cut_off"][window.tabs.tabText(page)] = cut_off(window)
    window.tools.cloud.trigger()
    QTest.qWait(150)
    found["cut_off"]["cloud"] = cut_off(window)
    window.show_help()
    QTest.qWait(UNTIL_FRAMED_MS)
    found["help"] = edges(window._help.frameGeometry())
    found["help_cut_off"] = cut_off(window._help)
    sys.stdout.write(json.dumps(found))
    window.close()


def edges(rectangle) -> list[int]:
    """Return left, top, right and bottom, these two exclusive."""
    x, y, width, height = rectangle.getRect()
    return [x, y, x + width, y + height]


def cut_off(window: QWidget) -> list[str]:
    """Return the texts that do not fit across, and buttons that the tool bar hides."""
    found = []
    for kind in (QAbstractButton, QLabel):
        for widget in window.findChildren(kind):
            if not widget.isVisible() or not widget.text():
                continue
            seen = widget.visibleRegion().boundingRect()
            wraps = isinstance(widget, QLabel) and widget.wordWrap()
            small = not wraps and widget.minimumSizeHint().width() > widget.width()
            if small or 0 < seen.width() < widget.width():
                found.append(widget.text())
    for bar in window.findChildren(QToolBar):
        for action in bar.actions():
            if action.isVisible() and not bar.widgetForAction(action).isVisible():
                found.append(action.text() or "separator")
    return found


if __name__ == "__main__":
    main()
