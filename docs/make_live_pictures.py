"""Photograph the page *Live*: one click, two candidates rejected, one accepted.

    python docs/make_live_pictures.py

Simulates two tomograms, opens them in the real window under Xvfb and openbox, clicks
one ribosome, and answers as the truth says. The pictures go to docs/images.
"""

import csv
import tempfile
from pathlib import Path

import numpy as np
from make_window_screenshots import SCREEN, UNTIL_FRAMED_MS, save_picture
from managed_screen import managed_screen

from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.simulation.simulate import simulate
from etpicker_plugin.tests.support.window_driver import click, wait_drawn, wait_until

DIAMETERS = {"ribosome": 320.0, "proteasome": 180.0}
NAMES = "tomo_01", "tomo_02"
SHAPE_XYZ = (340, 300, 80)
CLICKED = "ribosome"
ANSWERED_WITHIN_S = 240


def main() -> None:
    """Simulate, and photograph on a screen of its own."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        make_tomograms(folder)
        with managed_screen(SCREEN):
            photograph(folder)


def make_tomograms(folder: Path) -> None:
    """Simulate two tomograms of ribosomes among proteasomes."""
    config = SimulateConfig(
        out=str(folder),
        name="tomo",
        tomograms=len(NAMES),
        shape=SHAPE_XYZ,
        species=tuple(DIAMETERS),
        particles=30,
        snr=0.06,
        seed=4,
    )
    simulate(config, folder, on_progress=ignore_progress)


def read_centres(path: Path) -> np.ndarray:
    """Return the true centres zyx of the class that is clicked."""
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["class"] == CLICKED]
    return np.array([[float(row[axis]) for axis in "zyx"] for row in rows])


def photograph(folder: Path) -> None:
    """Click, reject two and accept one, and photograph after each."""
    from PyQt5.QtCore import Qt
    from PyQt5.QtTest import QTest
    from PyQt5.QtWidgets import QApplication

    from etpicker_plugin.window.document.session import Session
    from etpicker_plugin.window.drawing.slices import Look, Z
    from etpicker_plugin.window.qt.main_window import MainWindow
    from etpicker_plugin.window.qt.pages import LIVE
    from etpicker_plugin.window.qt.style import dress

    application = QApplication(["etpicker"])
    dress(application)
    config = ViewConfig(
        tomogram=tuple(str(folder / f"{name}.mrc") for name in NAMES),
        diameter=DIAMETERS,
        out=str(folder / "annotation"),
    )
    Path(config.out).mkdir()
    window = MainWindow(Session(config, Path(config.out)))
    window.show()
    window.start()
    QTest.qWait(UNTIL_FRAMED_MS)
    window.views.fit()
    window.views.set_look(Look(slab=5, sigma=1.0))
    window.tabs.setCurrentIndex(LIVE)
    truth = read_centres(folder / f"{NAMES[0]}.csv")
    view = window.views.views[Z]
    radius = DIAMETERS[CLICKED] / window.editor.document.volume.voxel_size / 2

    def settle() -> None:
        QTest.qWait(500)
        wait_until(
            lambda: window.live.picker.is_solved,
            what="the answer",
            within_s=ANSWERED_WITHIN_S,
        )
        QTest.qWait(200)
        wait_drawn(window)

    def answer(is_true: bool) -> None:
        """Go from one doubtful candidate to the next until one is such; answer it."""
        while True:
            window.live.page.doubtful.click()
            asked = window.live.questions.positions_zyx[window.live.asked]
            if (np.linalg.norm(truth - asked, axis=1).min() <= radius) == is_true:
                break
        settle()
        click(view, asked, Qt.LeftButton if is_true else Qt.RightButton)
        settle()

    try:
        place = truth[np.abs(truth[:, 0] - SHAPE_XYZ[2] / 2).argmin()]
        window.views.go_to(place)
        wait_drawn(window)
        click(view, [window.state.cursor_zyx[0], *place[1:]])
        settle()
        save_picture(window, "live_click")
        answer(False)
        answer(False)
        save_picture(window, "live_reject")
        answer(True)
        save_picture(window, "live_accept")
    finally:
        window.close()


if __name__ == "__main__":
    main()
