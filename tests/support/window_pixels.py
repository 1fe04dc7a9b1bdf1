"""Opens the window and tells which of its pixels places in the xy slice fall into.

    python window_pixels.py VALUES PLACES

VALUES are those of ``etpicker view``, PLACES a list of x, y in voxels, both as JSON; so
is what is printed, a list of pixels. Run in a process of its own, as the window is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication

from etpicker_plugin.engine.config.options import config_from_values
from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.tests.support.window_driver import pixel_of, wait_drawn
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.drawing.slices import Z
from etpicker_plugin.window.qt.main_window import MainWindow
from etpicker_plugin.window.qt.style import dress

UNTIL_FRAMED_MS = 1000


def main() -> None:
    """Print the pixels."""
    values, places = map(json.loads, sys.argv[1:])
    application = QApplication(["etpicker"])
    dress(application)
    config = config_from_values(ViewConfig, values)
    window = MainWindow(Session(config, Path(config.out)))
    window.show()
    window.start()
    QTest.qWait(UNTIL_FRAMED_MS)
    wait_drawn(window)
    view = window.views.views[Z]
    found = []
    for x, y in places:
        pixel = view.viewport().mapTo(window, pixel_of(view, (0.0, y, x)))
        found.append((pixel.x(), pixel.y()))
    sys.stdout.write(json.dumps(found))
    window.close()


if __name__ == "__main__":
    main()
