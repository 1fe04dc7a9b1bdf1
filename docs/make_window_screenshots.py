"""Photograph the etpicker window with picks of a model, for the documentation.

    python docs/make_window_screenshots.py --tomogram T.mrc --coordinates T.csv \\
        --diameter NAME=Å ...

takes the arguments of ``etpicker view``; the coordinates are best those of ``etpicker
pick`` with a low threshold. Needs Xvfb.
"""

import argparse
import os
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.flags import add_flags, config_from_arguments
from etpicker_plugin.tests.support.screen import screen
from etpicker_plugin.tests.support.window_driver import wait_drawn

IMAGES = Path(__file__).parent / "images"
SCREEN = "1280x800x24"
COLOURS = 128
BEFORE_PICTURE_MS = 600
UNTIL_FRAMED_MS = 1000


def main() -> None:
    """Open the window on a screen of its own, and save a picture of each page."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_flags(parser, ViewConfig)
    config = config_from_arguments(ViewConfig, parser.parse_args())
    with screen(SCREEN) as display, tempfile.TemporaryDirectory() as folder:
        os.environ["DISPLAY"] = display or ""
        os.environ.setdefault("QT_QPA_PLATFORM", "xcb")
        manager = subprocess.Popen(["openbox"], stderr=subprocess.DEVNULL)
        try:
            photograph_pages(replace(config, out=folder))
        finally:
            manager.terminate()


def photograph_pages(config: ViewConfig) -> None:
    """Annotate, judge and ask for suggestions, and photograph each."""
    from PyQt5.QtTest import QTest
    from PyQt5.QtWidgets import QApplication

    from etpicker_plugin.window.document.session import Session
    from etpicker_plugin.window.drawing.slices import Look
    from etpicker_plugin.window.qt.main_window import MainWindow
    from etpicker_plugin.window.qt.pages import ANNOTATE, SUGGEST
    from etpicker_plugin.window.qt.style import dress

    application = QApplication(["etpicker"])
    dress(application)
    window = MainWindow(Session(config, Path(config.out)))
    window.show()
    window.start()
    QTest.qWait(UNTIL_FRAMED_MS)
    wait_drawn(window)
    window.views.fit()
    window.views.set_look(Look(slab=3, sigma=1.0))
    window.tabs.judge()
    window.judge.scores.choose_automatically()
    window.judge.to_cut_off.click()
    save_picture(window, "window_judge")
    best = int(window.editor.annotation.scores.argmax())
    window.tools.cloud.trigger()
    window._jump(best)
    save_picture(window, "window_cloud")
    window.tools.cloud.trigger()
    window.views.fit()
    window.tabs.setCurrentIndex(SUGGEST)
    window.suggest.start.click()
    save_picture(window, "window_suggest")
    window.tabs.setCurrentIndex(ANNOTATE)
    window._jump(best)
    save_picture(window, "window_annotate")
    window.close()


def save_picture(window, name: str) -> None:
    """Save what the window shows, in few colours."""
    from PIL import Image
    from PyQt5.QtTest import QTest

    QTest.qWait(BEFORE_PICTURE_MS)
    wait_drawn(window)
    path = IMAGES / f"{name}.png"
    window.grab().save(str(path))
    with Image.open(path) as picture:
        # An octree keeps the few pixels in the classes' colours as they are.
        few = picture.convert("RGB").quantize(COLOURS, Image.Quantize.FASTOCTREE)
    few.save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
