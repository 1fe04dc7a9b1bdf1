"""The real window: filaments drawn by clicks, vesicles by wheel, rim and membrane."""

import shutil

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QWheelEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication

from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.tests.support.window_driver import (
    click,
    drag,
    pixel_of,
    wait_drawn,
    wait_until,
)
from etpicker_plugin.window.drawing.slices import X, Y, Z
from etpicker_plugin.window.qt.gestures import Tool

DIAMETERS = {"mt": 60.0, "ves": 200.0, "dot": 50.0}
KINDS = {"mt": "filament", "ves": "vesicle"}


@pytest.fixture
def window(open_window, phantoms):
    return open_window(phantoms[0] / "TS_a.mrc", diameter=DIAMETERS, kind=KINDS)


def half_pixel(window):
    return 0.5 / window.state.scale + 1e-9


def saved(window):
    window.save()
    return read_csv(window.session.folder / "TS_a.csv", tomogram_id="TS_a")


def course(window, name="mt_1"):
    found = window.editor.document.filaments(window.session.classes)
    return window.editor.annotation.positions_zyx[found[name].ids]


def turn_wheel(view, position, notches, modifier):
    pixel = pixel_of(view, position)
    event = QWheelEvent(
        QPointF(pixel),
        QPointF(view.viewport().mapToGlobal(pixel)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.NoButton,
        modifier,
        Qt.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)
    QApplication.processEvents()


def draw(window):
    """Click twice in xy, twice in zy; return the four places."""
    xy, zy = window.views.views[Z], window.views.views[X]
    z = window.state.cursor_zyx[0]
    places = [[z, 12.0, 15.0], [z, 30.0, 22.0]]
    for place in places:
        click(xy, place)
    wait_drawn(window)
    assert window.state.cursor_zyx == [z, 30, 22]
    places += [[z + 6.0, 41.0, 22.0], [z + 10.0, 52.0, 22.0]]
    click(zy, places[2])
    click(zy, places[3], modifier=Qt.ControlModifier)
    wait_drawn(window)
    return np.array(places)


def test_a_filament_drawn_in_two_views_is_saved_in_order(window):
    places = draw(window)
    assert not window.drawn.filaments.is_drawing
    atol = half_pixel(window)
    np.testing.assert_allclose(course(window), places, atol=atol)
    found = saved(window)
    assert found.class_names.tolist() == ["mt"] * 4
    assert found.optional["filament"].tolist() == ["mt_1"] * 4
    np.testing.assert_allclose(found.positions_zyx, places, atol=atol + 5e-4)
    for view in window.views.views.values():
        (trace,) = view.traces.shown.traces
        np.testing.assert_allclose(trace.points_zyx, course(window))
    # Another click elsewhere begins another one.
    click(window.views.views[Z], [window.state.cursor_zyx[0], 50, 60])
    QTest.keyClick(window, Qt.Key_Return)
    assert "One point makes no filament" in window.status.currentMessage()
    assert saved(window).optional["filament"].tolist() == ["mt_1"] * 4
    assert "1 filament(s) of one point left out" in window.status.currentMessage()


def test_points_are_dragged_inserted_flipped_and_undone(window):
    places = draw(window)
    view, atol = window.views.views[X], 2 * half_pixel(window)
    goal = np.add(places[2], (4, -3, 0))
    drag(view, places[2], goal)
    np.testing.assert_allclose(course(window)[2], goal, atol=atol)
    window.tools.undo.trigger()
    np.testing.assert_allclose(course(window), places, atol=atol)

    QTest.keyClick(window, Qt.Key_F)
    np.testing.assert_allclose(course(window), places[::-1], atol=atol)
    np.testing.assert_allclose(
        saved(window).positions_zyx, places[::-1], atol=atol + 5e-4
    )
    window.tools.undo.trigger()

    # Between the third and the fourth, on the curve: the filament is chosen already.
    (trace,) = view.traces.shown.traces
    between = trace.course_zyx[np.flatnonzero(trace.gaps == 3)].mean(axis=0)
    middle = trace.course_zyx[
        np.linalg.norm(trace.course_zyx - between, axis=1).argmin()
    ]
    click(view, middle)
    np.testing.assert_allclose(course(window)[[0, 1, 2, 4]], places, atol=atol)
    np.testing.assert_allclose(course(window)[3, :2], middle[:2], atol=1.5)
    assert (
        window.editor.selected
        == window.editor.document.filaments(window.session.classes)["mt_1"].ids[3]
    )

    QTest.keyClick(window, Qt.Key_Delete)
    np.testing.assert_allclose(course(window), places, atol=atol)
    window.drawn.filaments.choose("mt_1")
    QTest.keyClick(window, Qt.Key_Delete)
    assert not window.editor.document.filaments(window.session.classes)
    window.tools.undo.trigger()
    assert len(course(window)) == 4


def test_a_curve_is_chosen_by_a_click_and_drawn_on_with_enter(window):
    places = draw(window)
    click(window.views.views[Z], [window.state.cursor_zyx[0], 50, 60])
    QTest.keyClick(window, Qt.Key_Escape)
    click(
        window.views.views[X], np.add(places[1], (0, 30, 0))
    )  # It begins a third one.
    assert window.drawn.filaments.chosen().name == "mt_3"
    QTest.keyClick(window, Qt.Key_Escape)
    window.tools.choose(Tool.LOOK)
    (trace,) = [t for t in window.views._traces.traces if t.name == "mt_1"]
    place = trace.course_zyx[len(trace.course_zyx) - 4]
    window.state.move_cursor(place)
    wait_drawn(window)
    click(window.views.views[X], place)
    assert window.drawn.filaments.chosen().name == "mt_1"
    assert window.editor.selected is None
    window.tools.choose(Tool.PICK)
    QTest.keyClick(window, Qt.Key_3)
    QTest.keyClick(window, Qt.Key_Return)
    assert window.classes.current() == window.editor.current_class == "mt"
    place = [window.state.cursor_zyx[0], 57.0, 34.0]
    click(window.views.views[Z], place)
    assert len(course(window)) == 5
    np.testing.assert_allclose(course(window)[-1], place, atol=half_pixel(window))


def test_particles_are_marked_on_filaments_and_vesicles(window):
    draw(window)
    view, z = window.views.views[Z], window.state.cursor_zyx[0]
    QTest.keyClick(window, Qt.Key_2)
    click(view, [z, 30, 50])
    QTest.keyClick(window, Qt.Key_3)
    (trace,) = view.traces.shown.traces
    near = np.abs(trace.course_zyx[:, 0] - z) < 0.6
    on_curve = trace.course_zyx[near][-1]
    click(view, on_curve)  # It is the filament's last point.
    click(view, [z, 30, 40])  # On the rim of the vesicle.
    names = saved(window).class_names.tolist()
    assert (names.count("dot"), names.count("ves"), names.count("mt")) == (2, 1, 4)


def test_the_wheel_and_the_rim_give_a_vesicle_its_radius(window):
    view, z = window.views.views[Z], window.state.cursor_zyx[0]
    QTest.keyClick(window, Qt.Key_2)
    centre = np.array([z, 33.0, 37.0])
    click(view, centre)
    assert np.isnan(saved(window).optional.get("radius", np.array([np.nan])))
    before = window.state.cursor_zyx[0]
    for _ in range(4):
        turn_wheel(view, centre, 1, Qt.ShiftModifier)
    edits = window.editor.document.journal.edits
    wait_until(
        lambda: window.editor.document.journal.edits > edits, what="keeping the size"
    )
    assert window.editor.document.journal.edits == edits + 1
    assert window.state.cursor_zyx[0] == before
    radius = 100 * 1.03**4
    assert saved(window).optional["radius"][0] == pytest.approx(radius, abs=0.06)
    for axis in (Z, Y, X):
        wait_drawn(window)
        assert window.views.views[axis].sections.radii.max() == pytest.approx(
            radius / 10, rel=0.02
        )

    pick_zyx = window.editor.annotation.positions_zyx[0]
    up = np.array([0, 1.0, 0])
    drag(view, pick_zyx + up * radius / 10, pick_zyx + up * 15)
    found = saved(window)
    assert found.optional["radius"][0] == pytest.approx(
        150, abs=20 * half_pixel(window)
    )
    np.testing.assert_allclose(found.positions_zyx[0], pick_zyx, atol=5e-4)
    window.tools.undo.trigger()
    window.tools.undo.trigger()
    assert np.isnan(window.editor.annotation.optional["radius"][0])


def test_clicks_on_a_membrane_fit_a_sphere(window):
    view, z = window.views.views[Z], window.state.cursor_zyx[0]
    QTest.keyClick(window, Qt.Key_2)
    QTest.keyClick(window, Qt.Key_O)
    assert window.gestures.tool is Tool.MEMBRANE
    centre, radius = np.array([z, 30.0, 40.0]), 12.0
    for angle in np.deg2rad((10, 130, 250)):
        assert len(window.editor.annotation) == 0
        click(view, centre + radius * np.array([0, np.sin(angle), np.cos(angle)]))
    atol = 3 * half_pixel(window)
    annotation = window.editor.annotation
    np.testing.assert_allclose(annotation.positions_zyx[0], centre, atol=atol)
    assert annotation.optional["radius"][0] == pytest.approx(120, abs=10 * atol)
    # A fourth one off their plane: the same vesicle, now from all four.
    wait_drawn(window)
    window.state.move_cursor(centre)
    wait_drawn(window)
    click(window.views.views[Y], np.add(centre, (radius, 0, 0)))
    assert len(annotation) == 1
    np.testing.assert_allclose(annotation.positions_zyx[0], centre, atol=2 * atol)
    QTest.keyClick(window, Qt.Key_Return)
    assert not window.drawn.vesicles.clicks
    found = saved(window)
    assert found.class_names.tolist() == ["ves"]
    assert found.optional["radius"][0] == pytest.approx(120, abs=20 * atol)


def test_a_kind_is_chosen_in_the_list_and_remembered(open_window, phantoms):
    window = open_window(phantoms[0] / "TS_a.mrc", diameter={"dot": 50.0})
    click(window.views.views[Z], [window.state.cursor_zyx[0], 12, 15])
    box = window.classes.table.cellWidget(0, 3)
    box.setCurrentText("filament")
    box.textActivated.emit("filament")
    for x in (30, 44):
        click(window.views.views[Z], [window.state.cursor_zyx[0], 40, x])
    wait_until(
        lambda: window.tomograms.item(0, 1).toolTip() == "2 filaments (3 points)",
        what="counting",
    )
    folder = window.session.folder
    window.close()
    again = open_window(phantoms[0] / "TS_a.mrc", out=folder, diameter={})
    assert again.session.classes.kind_of("dot") == "filament"
    assert len(course(again, "dot_1")) == 2


FILAMENTS = """class,x,y,z,score,filament
mt,12,14,20,0.3,a
mt,20,30,20,0.9,a
mt,24,45,20,0.5,a
mt,50,12,18,0.4,b
mt,58,40,26,0.2,b
mt,40,55,10,,c
mt,62,58,10,,c
"""


def test_filaments_are_judged_as_a_whole(open_window, phantoms, tmp_path):
    (tmp_path / "TS_a.csv").write_text(FILAMENTS)
    window = open_window(
        phantoms[0] / "TS_a.mrc",
        diameter={"mt": 60.0, "actin": 40.0},
        kind={"actin": "filament"},
        coordinates=[tmp_path / "TS_a.csv"],
    )
    assert window.tabs.is_judging()
    gallery = window.judge.gallery
    wait_until(lambda: len(gallery.pictures.ids) == 3, what="listing")
    assert gallery.pictures.ids.tolist() == [1, 4, 6]
    assert window.judge.chips.chips["mt"].label.toolTip() == (
        "mt: 3 filaments (7 points) reach the cut-off."
    )
    np.testing.assert_allclose(np.sort(window.judge.scores.scores), [0.4, 0.9])
    window.judge.scores.set_cut(0.5)
    assert saved(window).optional["filament"].tolist() == ["a"] * 3 + ["c"] * 2
    assert [t.name for t in window.views._traces.traces] == ["a", "c"]

    gallery.setCurrentIndex(gallery.pictures.index(0))
    assert window.drawn.filaments.chosen().name == "a"
    QTest.keyClick(gallery, Qt.Key_X)
    assert saved(window).optional["filament"].tolist() == ["c"] * 2
    window.tools.undo.trigger()
    window.drawn.filaments.choose("a")
    window.editor.choose_class("actin")
    window.tools.relabel.trigger()
    assert saved(window).class_names.tolist() == ["actin"] * 3 + ["mt"] * 2
    window.editor.confirm(1)
    window.judge.scores.set_cut(0.95)
    assert saved(window).optional["filament"].tolist() == ["a"] * 3 + ["c"] * 2


def test_a_click_on_a_curve_in_the_cloud_chooses_it(window):
    draw(window)
    click(window.views.views[Z], [window.state.cursor_zyx[0], 50, 60])
    QTest.keyClick(window, Qt.Key_Escape)
    window.tools.cloud.trigger()
    wait_drawn(window)
    cloud = window.views.cloud.view
    cloud.grab()
    (trace,) = [t for t in cloud.traces if t.name == "mt_1"]
    place = trace.course_zyx[len(trace.course_zyx) // 3]
    pixel = cloud.pixel_of(place).toPoint()
    QTest.mouseClick(cloud, Qt.LeftButton, Qt.NoModifier, pixel)
    assert window.drawn.filaments.chosen().name == "mt_1"
    assert window.editor.selected is None
    np.testing.assert_allclose(window.state.cursor_zyx, place, atol=3)


def test_the_chosen_filament_is_straightened_and_a_click_goes_there(window):
    places = draw(window)
    window.tools.straighten.trigger()
    wait_until(lambda: len(window.strip.strips) == 2, what="straightening")
    flat, upright = window.strip.strips
    assert len(flat.ticks) == 4
    np.testing.assert_allclose(upright.columns_zyx[-1], places[-1], atol=1.0)
    first = window.strip._placed[0].place
    QTest.mouseClick(
        window.strip,
        Qt.LeftButton,
        Qt.NoModifier,
        (first.topLeft()).toPoint() + QPoint(2, 9),
    )
    np.testing.assert_allclose(window.state.cursor_zyx, places[0], atol=2)

    QTest.keyClick(window, Qt.Key_2)
    click(window.views.views[Z], [window.state.cursor_zyx[0], 33, 37])
    wait_until(lambda: len(window.strip.strips) == 3, what="unrolling")
    assert window.strip.caption == "ves, radius 100 Å"
    window.tools.straighten.trigger()
    assert not window.strip.isVisible()


def test_what_is_drawn_is_on_disk_before_the_window_is_closed(
    window, open_window, phantoms, tmp_path
):
    places = draw(window)
    QTest.keyClick(window, Qt.Key_F)
    view, z = window.views.views[Z], window.state.cursor_zyx[0]
    QTest.keyClick(window, Qt.Key_2)
    click(view, [z, 33.0, 37.0])
    turn_wheel(view, [z, 33.0, 37.0], 2, Qt.ShiftModifier)
    window.drawn.keep()
    shutil.copytree(window.session.folder, tmp_path / "killed")
    again = open_window(phantoms[0] / "TS_a.mrc", out=tmp_path / "killed", diameter={})
    atol = half_pixel(window)
    np.testing.assert_allclose(course(again), places[::-1], atol=atol)
    radius = again.editor.annotation.optional["radius"][4]
    assert radius == pytest.approx(100 * 1.03**2, abs=0.06)
    again.tools.undo.trigger()
    again.tools.undo.trigger()
    again.tools.undo.trigger()
    np.testing.assert_allclose(course(again), places, atol=atol)
