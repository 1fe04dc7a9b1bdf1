"""Photograph filaments and a vesicle as they are drawn, for the documentation.

    python docs/make_filament_pictures.py

Simulates a tomogram, opens it in the real window under Xvfb and openbox, and clicks
along microtubules and on a membrane, where the truth says. The pictures go to
docs/images.
"""

import tempfile
from pathlib import Path

import numpy as np
from make_window_screenshots import SCREEN, UNTIL_FRAMED_MS, save_picture
from managed_screen import managed_screen

from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.filaments.marks import filaments_of
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.simulation.simulate import simulate
from etpicker_plugin.tests.support.window_driver import click, wait_drawn

NAME = "tomo"
SHAPE_XYZ = (300, 270, 110)
KINDS = {"mt": "filament", "liposome": "vesicle"}
DIAMETERS = {"mt": 250.0, "liposome": 600.0}
CLICKS, DRAWN = 6, 3


def main() -> None:
    """Simulate, and photograph on a screen of its own."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        config = SimulateConfig(
            out=str(folder),
            name=NAME,
            tomograms=1,
            shape=SHAPE_XYZ,
            species=("ribosome",),
            particles=12,
            filament_species={"mt": 4},
            vesicle_species={"liposome": 4},
            membranes=1,
            filaments=2,
            snr=0.2,
            seed=7,
        )
        simulate(config, folder, on_progress=ignore_progress)
        with managed_screen(SCREEN):
            photograph(folder)


def photograph(folder: Path) -> None:
    """Draw filaments and look along one; fit a vesicle and look round it."""
    from PyQt5.QtCore import Qt
    from PyQt5.QtTest import QTest
    from PyQt5.QtWidgets import QApplication

    from etpicker_plugin.window.document.session import Session
    from etpicker_plugin.window.drawing.slices import Look, Z
    from etpicker_plugin.window.qt.gestures import Tool
    from etpicker_plugin.window.qt.main_window import MainWindow
    from etpicker_plugin.window.qt.style import dress

    application = QApplication(["etpicker"])
    dress(application)
    (path,) = folder.glob("*.mrc")
    config = ViewConfig(
        tomogram=(str(path),),
        diameter=DIAMETERS,
        kind=KINDS,
        out=str(folder / "annotation"),
    )
    Path(config.out).mkdir()
    window = MainWindow(Session(config, Path(config.out)))
    window.show()
    window.start()
    QTest.qWait(UNTIL_FRAMED_MS)
    window.tools.straighten.trigger()
    QTest.qWait(200)
    window.views.fit()
    window.views.set_look(Look(slab=5, sigma=1.0))
    truth = read_csv(path.with_suffix(".csv"), tomogram_id=NAME)

    def click_at(place: np.ndarray, modifier: Qt.KeyboardModifier) -> None:
        window.state.move_cursor(place)
        wait_drawn(window)
        at = [window.state.cursor_zyx[0], *place[1:]]
        click(window.views.views[Z], at, modifier=modifier)

    try:
        for course in to_draw(truth):
            *first, last = course
            for place in first:
                click_at(place, Qt.NoModifier)
            click_at(last, Qt.ControlModifier)
        window.state.move_cursor(course[CLICKS // 2])
        save_picture(window, "window_filament")
        QTest.keyClick(window, Qt.Key_2)
        window.tools.choose(Tool.MEMBRANE)
        for place in on_membrane(truth, window.editor.document.volume.voxel_size):
            click_at(place, Qt.NoModifier)
        window.drawn.vesicles.end()
        save_picture(window, "window_vesicle")
    finally:
        window.close()


def to_draw(truth: Particles) -> list[np.ndarray]:
    """Return places to click on along filaments, the one deepest inside last."""
    found = sorted(
        filaments_of(truth, "mt"), key=lambda f: np.median(depths(f.points_zyx))
    )
    return [
        f.points_zyx[np.linspace(0, len(f.points_zyx) - 1, CLICKS).round().astype(int)]
        for f in found[-DRAWN:]
    ]


def on_membrane(truth: Particles, voxel_size: float) -> np.ndarray:
    """Return five places on the vesicle that lies deepest inside, in one slice."""
    rows = np.flatnonzero(truth.class_names == "liposome")
    centres = truth.positions_zyx[rows]
    radii = truth.optional["radius"][rows] / voxel_size
    best = int((depths(centres) - radii).argmax())
    angles = np.deg2rad((20, 95, 170, 240, 300))
    around = np.stack([0 * angles, np.sin(angles), np.cos(angles)], axis=1)
    return centres[best] + radii[best] * around


def depths(places_zyx: np.ndarray) -> np.ndarray:
    """Return how far places lie from the nearest face, voxels."""
    last = np.array(SHAPE_XYZ[::-1]) - 1
    return np.minimum(places_zyx, last - places_zyx).min(axis=1)


if __name__ == "__main__":
    main()
