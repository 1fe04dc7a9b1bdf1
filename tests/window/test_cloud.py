"""The real window: the picks in space, turned, zoomed, clicked."""

import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QMouseEvent, QWheelEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication

from etpicker_plugin.tests.support.window_driver import wait_drawn
from etpicker_plugin.window.drawing.camera import ALONG, SLANTED
from etpicker_plugin.window.drawing.slices import X, Y, Z

ROWS = ["large,20,20,20,0.2", "large,60,50,8,0.9", "small,10,50,30,0.4"]
COLOURS = {"large": (255, 176, 0), "small": (53, 201, 255)}


@pytest.fixture
def window(open_window, phantoms, tmp_path):
    (tmp_path / "TS_a.csv").write_text("class,x,y,z,score\n" + "\n".join(ROWS) + "\n")
    window = open_window(phantoms[0] / "TS_a.mrc", coordinates=[tmp_path / "TS_a.csv"])
    QTest.keyClick(window, Qt.Key_V)
    wait_drawn(window)
    return window


def cloud(window):
    return window.views.cloud.view


def mouse(view, kind, point, button, buttons):
    place = QPointF(point)
    event = QMouseEvent(kind, place, button, buttons, Qt.NoModifier)
    QApplication.sendEvent(view, event)


def drag(view, start, end, button=Qt.LeftButton):
    mouse(view, QEvent.MouseButtonPress, start, button, button)
    mouse(view, QEvent.MouseMove, end, Qt.NoButton, button)
    mouse(view, QEvent.MouseButtonRelease, end, button, Qt.NoButton)


def colour_at(view, position_zyx):
    pixel = view.pixel_of(position_zyx)
    colour = view.grab().toImage().pixelColor(int(pixel.x()), int(pixel.y()))
    return np.array([colour.red(), colour.green(), colour.blue()])


def is_like(colour, wanted):
    """Return whether it is the wanted colour, darker or lighter."""
    ratio = np.dot(colour, wanted) / np.linalg.norm(colour) / np.linalg.norm(wanted)
    return ratio > 0.99


def test_it_takes_the_place_of_xy_and_gives_it_back(window):
    xy = window.views.views[Z]
    assert cloud(window).isVisible()
    assert xy.isVisible()
    assert cloud(window).width() > xy.width()
    QTest.keyClick(window, Qt.Key_V)
    assert not cloud(window).isVisible()
    assert xy.width() > window.views.views[X].width()
    assert window.views.corner.isVisible()


@pytest.mark.parametrize("axis", [Z, Y, X])
def test_a_pick_is_drawn_in_its_classs_colour_where_it_is(window, axis):
    view = cloud(window)
    for text, wanted in (("xy", Z), ("xz", Y), ("zy", X)):
        if wanted == axis:
            window.views.cloud.buttons[text].click()
    np.testing.assert_array_equal(view.camera.rotation, ALONG[axis])
    window.state.move_cursor([0, 0, 0])  # All picks lie above the pane.
    assert is_like(colour_at(view, (8, 50, 60)), COLOURS["large"])
    assert is_like(colour_at(view, (30, 50, 10)), COLOURS["small"])
    window.views.cloud.buttons["Reset"].click()
    np.testing.assert_array_equal(view.camera.rotation, SLANTED)


def test_a_click_jumps_to_the_pick_in_the_slices(window):
    view = cloud(window)
    point = view.pixel_of((8, 50, 60)).toPoint()
    QTest.mouseClick(view, Qt.LeftButton, Qt.NoModifier, point)
    wait_drawn(window)
    assert window.editor.selected == 1
    assert window.state.cursor_zyx == [8, 50, 60]
    assert window.views.views[Z].index == 8
    QTest.mouseClick(view, Qt.LeftButton, Qt.NoModifier, QPoint(3, 3))
    assert window.editor.selected == 1


def test_a_drag_turns_and_does_not_click(window):
    view = cloud(window)
    before = view.camera.rotation
    start = view.pixel_of((8, 50, 60)).toPoint()
    drag(view, start, start + QPoint(60, 25))
    assert window.editor.selected is None
    assert not np.allclose(view.camera.rotation, before)
    where = view.pixel_of((8, 50, 60))
    assert view.pick_at(where) == 1


def test_the_right_button_moves_and_the_wheel_zooms_about_the_mouse(window):
    view = cloud(window)
    before = view.pixel_of((20, 20, 20))
    drag(view, QPoint(50, 50), QPoint(80, 40), Qt.RightButton)
    after = view.pixel_of((20, 20, 20))
    assert (after - before) == QPointF(30, -10)
    event = QWheelEvent(
        after,
        QPointF(view.mapToGlobal(after.toPoint())),
        QPoint(),
        QPoint(0, 240),
        Qt.NoButton,
        Qt.NoModifier,
        Qt.NoScrollPhase,
        False,
    )
    far = view.pixel_of((8, 50, 60)) - after
    QApplication.sendEvent(view, event)
    assert view.camera.zoom == pytest.approx(1.15**2)
    now = view.pixel_of((20, 20, 20))
    assert (now - after).manhattanLength() < 1e-6
    wider = view.pixel_of((8, 50, 60)) - now
    assert wider.x() / far.x() == pytest.approx(1.15**2)


def test_hidden_classes_cut_off_and_edits_are_followed(window):
    view = cloud(window)
    place = view.pixel_of((20, 20, 20))
    assert view.pick_at(place) == 0
    window.tabs.judge()
    window.judge.scores.cut.setValue(0.5)
    assert view.pick_at(place) is None
    window.judge.scores.all.click()
    window.judge.chips.chips["large"].eye.click()
    assert view.pick_at(place) is None
    assert view.pick_at(view.pixel_of((30, 50, 10))) == 2
    window.judge.chips.chips["large"].eye.click()
    assert view.pick_at(place) == 0
    window.editor.delete(0)
    assert view.pick_at(place) is None


def test_colours_by_score_have_a_legend(window):
    view = cloud(window)
    window.views.cloud.buttons["xy"].click()
    window.state.move_cursor([0, 0, 0])  # All picks lie above the pane.
    window.views.cloud.colours.setCurrentText("score")
    assert view.cloud is None or view.cloud.by_score
    assert is_like(colour_at(view, (8, 50, 60)), (251, 231, 37))
    assert is_like(colour_at(view, (20, 20, 20)), (59, 31, 107))
    assert view.cloud.scores == (0.2, 0.9)


def test_the_shown_slice_is_a_pane_in_the_box(window):
    view = cloud(window)
    window.views.cloud.buttons["xz"].click()
    heights = []
    for z in (5, 30):
        window.state.move_cursor([z, 0, 0])
        image = view.grab().toImage()
        x = int(view.pixel_of((z, 30, 37)).x()) + 40
        blue = [y for y in range(image.height()) if image.pixelColor(x, y).blue() > 200]
        heights.append(np.mean(blue))
        assert heights[-1] == pytest.approx(view.pixel_of((z, 30, 37)).y(), abs=1.5)
    assert heights[0] > heights[1]


def test_slices_keep_their_size_where_the_cloud_is_large(window):
    before = window.state.scale
    QTest.keyClick(window, Qt.Key_F)
    assert window.state.scale == pytest.approx(before, rel=0.1)
