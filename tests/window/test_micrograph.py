"""A micrograph in the window: one plane, clicked and saved as tomograms are."""

import numpy as np
from PyQt5.QtCore import Qt

from etpicker_plugin.tests.support.micrographs import write_micrograph
from etpicker_plugin.tests.support.window_driver import click, wait_drawn
from etpicker_plugin.window.drawing.slices import X, Y, Z


def test_a_micrograph_is_shown_clicked_and_saved(open_window, tmp_path):
    image = np.random.default_rng(0).normal(size=(180, 260))
    path = write_micrograph(tmp_path / "mic_a.mrc", image, pixel_size=4.0)

    window = open_window(path, diameter={"large": 140.0})
    click(window.views.views[Z], np.array([0.0, 60.0, 91.0]), Qt.LeftButton)
    wait_drawn(window)
    shown = [window.views.views[axis].isVisible() for axis in (Z, Y, X)]
    window.close()

    assert shown == [True, False, False]
    header, row = (tmp_path / "annotation" / "mic_a.csv").read_text().split()
    assert header == "class,x,y,score"
    name, x, y, _ = row.split(",")
    assert name == "large"
    assert abs(float(x) - 91) < 1
    assert abs(float(y) - 60) < 1
