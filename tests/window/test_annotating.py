"""The real window: click, move, delete, undo, change class, save."""

import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPoint, Qt
from PyQt5.QtTest import QTest

from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.tests.support.phantoms import SHAPES_ZYX
from etpicker_plugin.tests.support.window_driver import (
    click,
    drag,
    pixel_of,
    send,
    wait_drawn,
    wait_until,
)
from etpicker_plugin.window.drawing.slices import X, Y, Z
from etpicker_plugin.window.qt.gestures import Tool

SHAPE = np.array(SHAPES_ZYX["TS_a"])
WANTED = {
    Z: np.array([0.0, 47.3, 19.6]),
    Y: np.array([11.7, 0.0, 60.2]),
    X: np.array([30.4, 9.8, 0.0]),
}
"""Where to click in each view; across it, the slice that is shown."""


def half_pixel(window):
    """Half a screen pixel in voxels."""
    return 0.5 / window.state.scale + 1e-9


def on_slice(window, axis, position):
    position = position.copy()
    position[axis] = window.state.cursor_zyx[axis]
    return position


def saved(window, name="TS_a"):
    window.save()
    return read_csv(window.session.folder / f"{name}.csv", tomogram_id=name)


@pytest.mark.parametrize("axis", [Z, Y, X], ids=["xy", "xz", "zy"])
def test_a_click_lands_where_it_was_aimed(open_window, phantoms, axis):
    window = open_window(phantoms[0] / "TS_a.mrc")
    wanted = on_slice(window, axis, WANTED[axis])
    click(window.views.views[axis], wanted)
    assert len(window.editor.annotation) == 1
    found = window.editor.annotation.positions_zyx[0]
    assert found[axis] == wanted[axis]
    np.testing.assert_allclose(found, wanted, atol=half_pixel(window))
    np.testing.assert_allclose(
        saved(window).positions_zyx[0], wanted, atol=half_pixel(window) + 5e-4
    )


@pytest.mark.parametrize("axis", [Z, Y, X], ids=["xy", "xz", "zy"])
def test_a_click_on_a_bright_voxel_finds_it_in_the_file(open_window, tmp_path, axis):
    """The picture is not shifted or flipped: aimed by its pixels, not by our maths."""
    import mrcfile

    volume = np.zeros(SHAPE, dtype=np.int16)
    voxel = SHAPE // 2
    voxel[[a for a in (Z, Y, X) if a != axis]] += (-7, 11)
    volume[tuple(voxel)] = 1000
    with mrcfile.new(tmp_path / "dot.mrc") as mrc:
        mrc.set_data(volume)
        mrc.voxel_size = 10.0
    window = open_window(tmp_path / "dot.mrc")
    window.views.set_look(type(window.views.look)(low=0, high=100))
    window.state.zoom(3.0, voxel)
    wait_drawn(window)
    view = window.views.views[axis]
    pixel = brightest_pixel(view)
    QTest.mouseClick(view.viewport(), Qt.LeftButton, Qt.NoModifier, pixel)
    found = window.editor.annotation.positions_zyx[0]
    np.testing.assert_allclose(found, voxel, atol=2 * half_pixel(window))


def brightest_pixel(view):
    """Return the middle of the brightest spot of what the view shows on the screen."""
    for line in view._lines:
        line.hide()
    image = view.viewport().grab().toImage().convertToFormat(24)  # Grayscale8
    width, height = image.width(), image.height()
    pointer = image.constBits()
    pointer.setsize(image.sizeInBytes())
    grey = np.frombuffer(pointer, np.uint8).reshape(height, -1)[:, :width].astype(int)
    grey[:24] = grey[-40:] = 0  # caption and scale bar
    rows, columns = np.nonzero(grey > max(0.6 * grey.max(), 120))
    return QPoint(round(columns.mean()), round(rows.mean()))


def test_move_delete_undo_redo_and_class(open_window, phantoms):
    window = open_window(phantoms[0] / "TS_a.mrc")
    view, annotation = window.views.views[Z], window.editor.annotation
    first = on_slice(window, Z, np.array([0, 20.0, 30.0]))
    second = on_slice(window, Z, np.array([0, 45.0, 55.0]))
    goal = on_slice(window, Z, np.array([0, 33.0, 21.0]))
    click(view, first)
    QTest.keyClick(window, Qt.Key_2)
    click(view, second)
    wait_drawn(window)
    assert [annotation.class_of(i) for i in (0, 1)] == ["large", "small"]

    drag(view, first, goal)
    np.testing.assert_allclose(
        annotation.positions_zyx[0], goal, atol=2 * half_pixel(window)
    )
    window.tools.undo.trigger()
    np.testing.assert_allclose(
        annotation.positions_zyx[0], first, atol=half_pixel(window)
    )
    window.tools.redo.trigger()

    click(view, second, Qt.RightButton)
    assert annotation.alive.tolist() == [True, False]
    window.tools.undo.trigger()
    assert annotation.alive.tolist() == [True, True]

    click(view, goal)  # On a pick: selects it, and adds none.
    assert len(annotation) == 2
    window.tools.relabel.trigger()
    assert annotation.class_of(0) == "small"
    particles = saved(window)
    assert particles.class_names.tolist() == ["small", "small"]
    np.testing.assert_allclose(
        particles.positions_zyx, [goal, second], atol=2 * half_pixel(window) + 5e-4
    )


def test_a_pick_is_moved_across_in_another_view(open_window, phantoms):
    window = open_window(phantoms[0] / "TS_a.mrc")
    start = on_slice(window, Z, np.array([0, 25.0, 40.0]))
    click(window.views.views[Z], start)
    wait_drawn(window)
    goal = np.add(start, (9, 0, 0))
    drag(window.views.views[Y], start, goal)
    np.testing.assert_allclose(
        window.editor.annotation.positions_zyx[0], goal, atol=2 * half_pixel(window)
    )


def test_what_is_saved_is_right_in_scipions_frame(open_window, phantoms):
    from tomo.constants import SCIPION
    from tomo.objects import SetOfTomograms, Tomogram

    from etpicker_plugin.convert import append_particles, create_coordinates

    window = open_window(phantoms[0] / "TS_a.mrc")
    wanted = on_slice(window, Z, np.array([0, 47.3, 19.6]))
    click(window.views.views[Z], wanted)
    tomogram = Tomogram(location=str(phantoms[0] / "TS_a.mrc"))
    tomogram.setTsId("TS_a")
    tomogram.setSamplingRate(10.0)
    tomograms = SetOfTomograms.create(str(window.session.folder))
    tomograms.setSamplingRate(10.0)
    tomograms.append(tomogram)
    coordinates = create_coordinates(
        str(window.session.folder),
        "",
        precedents=tomograms,
        sampling_rate=10.0,
        box_size=14,
        kind="particle",
        label="large",
    )
    append_particles(coordinates, tomogram, saved(window), groups={"large": 1})
    (found,) = [
        c.getPosition(SCIPION) for c in coordinates.iterCoordinates(volume=tomogram)
    ]
    # Scipion's frame: from the centre, n/2, so that odd sizes give halves.
    centred = wanted[::-1] - SHAPE[::-1] / 2
    np.testing.assert_allclose(found, centred, atol=half_pixel(window) + 5e-4)


def test_a_long_press_that_hardly_moves_is_a_click(open_window, phantoms):
    window = open_window(phantoms[0] / "TS_a.mrc")
    wanted = on_slice(window, Z, np.array([0, 47.3, 19.6]))
    view = window.views.views[Z]
    pixel = pixel_of(view, wanted)
    send(view, QEvent.MouseButtonPress, pixel, Qt.LeftButton, Qt.LeftButton)
    QTest.qWait(700)
    for shift in (1, 2):
        moved = pixel + QPoint(shift, 0)
        send(view, QEvent.MouseMove, moved, Qt.NoButton, Qt.LeftButton)
        QTest.qWait(50)
    send(view, QEvent.MouseButtonRelease, moved, Qt.LeftButton, Qt.NoButton)
    assert len(window.editor.annotation) == 1
    found = window.editor.annotation.positions_zyx[0]
    np.testing.assert_allclose(found, wanted, atol=6 * half_pixel(window))


def test_negatives_are_kept_apart(open_window, phantoms):
    window = open_window(phantoms[0] / "TS_a.mrc")
    QTest.keyClick(window, Qt.Key_0)
    assert window.gestures.tool is Tool.NEGATIVE
    click(window.views.views[Z], on_slice(window, Z, np.array([0, 20.0, 30.0])))
    assert saved(window).class_names.tolist() == [NEGATIVE]
    assert window.session.classes.names() == ["large", "small"]


def test_snap_finds_the_centre_of_a_sphere(open_window, phantoms):
    folder, truth = phantoms
    window = open_window(folder / "TS_a.mrc")
    large = truth["TS_a"][truth["TS_a"]["class"] == "large"]
    centre = np.array([large[0][axis] for axis in "zyx"])
    window.views.go_to(centre)
    wait_drawn(window)
    window.tools.snap.trigger()
    click(window.views.views[Z], np.add(on_slice(window, Z, centre), (0, 2.5, -2)))
    found = window.editor.annotation.positions_zyx[0]
    np.testing.assert_allclose(found, centre, atol=0.6)


def test_wheel_and_arrow_keys_change_the_slice(open_window, phantoms):
    window = open_window(phantoms[0] / "TS_a.mrc")
    before = list(window.state.cursor_zyx)
    QTest.keyClick(window, Qt.Key_Up)
    QTest.keyClick(window, Qt.Key_PageUp)
    assert window.state.cursor_zyx == [before[0] + 11, *before[1:]]
    wait_drawn(window)
    assert window.views.views[Z].index == before[0] + 11


def test_ruler_measures_and_gives_the_diameter(open_window, phantoms):
    window = open_window(phantoms[0] / "TS_a.mrc")
    window.tools.choose(Tool.MEASURE)
    start = on_slice(window, Z, np.array([0, 20.0, 20.0]))
    drag(window.views.views[Z], start, np.add(start, (0, 12, 16)))
    assert window.classes.measured == pytest.approx(200, abs=40 * half_pixel(window))
    window.classes.measure.click()
    assert window.session.classes["large"].diameter_ang == round(
        window.classes.measured
    )
    assert len(window.editor.annotation) == 0


def test_a_pick_that_could_not_be_saved_is_not_there(
    open_window, phantoms, monkeypatch
):
    def full(_descriptor):
        raise OSError("the disk is full")

    window = open_window(phantoms[0] / "TS_a.mrc")
    kept = window.editor.add([3.0, 4.0, 5.0])
    with monkeypatch.context() as patched:
        patched.setattr("etpicker_plugin.window.document.journal.os.fsync", full)
        click(window.views.views[Z], on_slice(window, Z, np.array([0, 20.0, 30.0])))
    assert "the disk is full" in window._message.text()
    window._message.close()
    assert len(window.editor.annotation) == 1
    assert window.editor.selected == kept
    QTest.keyClick(window, Qt.Key_Delete)
    assert window.editor.annotation.alive.tolist() == [False]
    assert window.editor.selected is None


def test_the_eraser_takes_what_its_ball_holds(open_window, phantoms):
    folder, _ = phantoms
    window = open_window(folder / "TS_a.mrc")
    z = float(window.state.cursor_zyx[0])
    for position in ([z, 20, 30], [z, 24, 30], [z + 9, 20, 30], [z, 50, 60]):
        window.editor.add(position)
    window.tools.choose(Tool.ERASE)
    window.tools.eraser.setValue(120)
    click(window.views.views[Z], np.array([z, 21.0, 30.0]))
    assert window.editor.annotation.alive.tolist() == [False, False, True, True]


def test_contrast_by_dragging_leaves_the_picks_alone(open_window, phantoms):
    window = open_window(phantoms[0] / "TS_a.mrc")
    start = on_slice(window, Z, np.array([0, 20.0, 20.0]))
    drag(window.views.views[Z], start, np.add(start, (0, 10, 20)), Qt.RightButton)
    assert window.views.look.contrast > 1
    assert window.views.look.brightness > 0
    assert len(window.editor.annotation) == 0


def test_numbers_follow_a_right_drag_and_can_be_typed(open_window, phantoms):
    window = open_window(phantoms[0] / "TS_a.mrc")
    panel, view = window.look, window.views.views[Z]
    wait_until(lambda: panel.levels.text() != "", what="the levels")
    before = levels_of(panel)
    start = on_slice(window, Z, np.array([0, 20.0, 20.0]))
    drag(view, start, np.add(start, (0, 10, 20)), Qt.RightButton)
    wait_drawn(window)
    look = window.views.look
    assert panel.contrast.value() == round(look.contrast, 2) > 1
    assert panel.brightness.value() == round(100 * look.brightness) > 0
    wait_until(lambda: levels_of(panel) != before, what="other levels")
    low, high = levels_of(panel)
    assert high - low == pytest.approx(
        (before[1] - before[0]) / look.contrast, rel=1e-3
    )
    panel.slab.setValue(3)  # What was dragged stays as it is, to the last digit.
    assert window.views.look.contrast == look.contrast
    assert window.views.look.brightness == look.brightness
    panel.contrast.setValue(2)
    panel.brightness.setValue(-10)
    assert (window.views.look.contrast, window.views.look.brightness) == (2, -0.1)
    panel.equalise.setChecked(True)
    wait_until(lambda: panel.levels.text() == "equalised", what="equalising")
    panel.reset.click()
    assert (panel.contrast.value(), panel.brightness.value()) == (1, 0)


def levels_of(panel):
    """Return the values that the panel says are black and white."""
    return [float(text.replace("−", "-")) for text in panel.levels.text().split(" … ")]


def test_the_list_counts_and_opens_another_tomogram(open_window, phantoms):
    folder, truth = phantoms
    window = open_window(
        folder / "TS_a.mrc",
        folder / "TS_b.mrc",
        coordinates=[folder / "TS_b.csv"],
    )
    table = window.tomograms
    counts = [table.item(1, column).text() for column in (1, 2)]
    names = truth["TS_b"]["class"]
    assert counts == [str((names == n).sum()) for n in ("large", "small")]
    table.setCurrentCell(1, 0)
    wait_drawn(window)
    assert window.editor.document.name == "TS_b"
    click(window.views.views[Z], on_slice(window, Z, np.array([0, 1.0, 1.0])))
    wait_until(
        lambda: table.item(1, 1).text() == str((names == "large").sum() + 1),
        what="counting",
    )


def test_a_volume_that_goes_away_is_told_and_the_annotation_stays(
    open_window, phantoms, tmp_path
):
    import shutil

    path = tmp_path / "TS_a.mrc"
    shutil.copy(phantoms[0] / "TS_a.mrc", path)
    window = open_window(path)
    path.write_bytes(path.read_bytes()[:5000])
    window.state.step(0, 3)
    wait_until(lambda: window._message is not None, what="the message")
    assert "was changed while it was open" in window._message.text()
    window._message.close()
    window.editor.add([3.0, 4.0, 5.0])
    assert len(saved(window)) == 1


def test_with_the_tool_look_a_click_selects_and_adds_nothing(open_window, phantoms):
    window = open_window(phantoms[0] / "TS_a.mrc")
    place = on_slice(window, Z, np.array([0, 20.0, 30.0]))
    window.editor.add(place)
    window.editor.selected = None
    window.tools.choose(Tool.LOOK)
    click(window.views.views[Z], place)
    assert window.editor.selected == 0
    click(window.views.views[Z], on_slice(window, Z, np.array([0, 50.0, 10.0])))
    assert len(window.editor.annotation) == 1
    np.testing.assert_allclose(window.state.cursor_zyx[1:], [50, 10], atol=1)


def test_saving_says_how_many_of_how_many(open_window, phantoms, tmp_path):
    rows = [f"large,{20 + i},20,20,{score}" for i, score in enumerate((0.2, 0.9, 0.5))]
    (tmp_path / "TS_a.csv").write_text("class,x,y,z,score\n" + "\n".join(rows) + "\n")
    window = open_window(phantoms[0] / "TS_a.mrc", coordinates=[tmp_path / "TS_a.csv"])
    window.tools.save.trigger()
    assert "Saved all 3 picks" in window.status.currentMessage()
    window.judge.scores.cut.setValue(0.4)
    window.tools.save.trigger()
    message = window.status.currentMessage()
    assert "Saved 2 of 3 picks; 1 is below the cut-off" in message


def test_the_eraser_spares_what_is_hidden(open_window, phantoms):
    window = open_window(phantoms[0] / "TS_a.mrc")
    z = float(window.state.cursor_zyx[0])
    window.editor.add([z, 20, 30], "large")
    window.editor.add([z, 22, 30], "small")
    window.editor.show_classes(frozenset({"small"}))
    window.tools.choose(Tool.ERASE)
    window.tools.eraser.setValue(120)
    click(window.views.views[Z], np.array([z, 21.0, 30.0]))
    assert window.editor.annotation.alive.tolist() == [False, True]
