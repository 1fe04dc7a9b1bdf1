"""A micrograph in the window: one plane, clicked and saved as tomograms are."""

import numpy as np
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest

from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.tests.support.micrographs import (
    make_curved_micrograph,
    write_micrograph,
)
from etpicker_plugin.tests.support.window_driver import (
    click,
    wait_drawn,
    wait_until,
)
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


def test_filaments_and_vesicles_are_drawn_in_the_one_view(open_window, tmp_path):
    """By clicks along, by the wheel, and on a rim; then straightened, and saved."""
    path = tmp_path / "mic_b.mrc"
    make_curved_micrograph(path, (263, 351), seed=1)
    window = open_window(
        path,
        diameter={"mt": 250.0, "liposome": 540.0},
        kind={"mt": "filament", "liposome": "vesicle"},
    )
    view = window.views.views[Z]
    places = np.array([[0.0, 60, 40], [0, 95, 120], [0, 118, 200], [0, 150, 290]])
    for place in places[:-1]:
        click(view, place)
    click(view, places[-1], modifier=Qt.ControlModifier)
    wait_drawn(window)
    (trace,) = view.traces.shown.traces
    np.testing.assert_allclose(trace.points_zyx, places, atol=1)
    window.tools.straighten.trigger()
    wait_until(lambda: len(window.strip.strips) == 1, what="straightening")

    QTest.keyClick(window, Qt.Key_2)
    QTest.keyClick(window, Qt.Key_O)
    centre, radius = np.array([0.0, 200.0, 120.0]), 30.0
    for angle in np.deg2rad((10, 100, 190, 300)):
        click(view, centre + radius * np.array([0, np.sin(angle), np.cos(angle)]))
    QTest.keyClick(window, Qt.Key_Return)
    wait_drawn(window)
    wait_until(
        lambda: [s.name for s in window.strip.strips] == ["round, in xy"],
        what="unrolling",
    )
    window.save()
    window.close()

    text = (tmp_path / "annotation" / "mic_b.csv").read_text()
    assert text.startswith("class,x,y,score,")
    found = read_csv(
        tmp_path / "annotation" / "mic_b.csv", tomogram_id="mic_b", flat=True
    )
    assert found.class_names.tolist() == ["mt"] * 4 + ["liposome"]
    assert found.optional["filament"].tolist() == ["mt_1"] * 4 + [""]
    np.testing.assert_allclose(found.positions_zyx[:4], places, atol=1)
    np.testing.assert_allclose(found.positions_zyx[4], centre, atol=1)
    assert abs(found.optional["radius"][4] - 10 * radius) < 10
