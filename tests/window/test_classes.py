"""The real window: classes renamed, joined, removed; diameters that nobody has said."""

import json

import pytest
from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QInputDialog, QMessageBox

from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.tests.support.window_driver import wait_until

ROWS = {
    "TS_a": ["large,20,20,20,0.2", "small,30,40,20,0.9"],
    "TS_b": ["large,12,14,10,0.4"],
}


@pytest.fixture
def window(open_window, phantoms, tmp_path):
    for name, rows in ROWS.items():
        text = "class,x,y,z,score\n" + "\n".join(rows) + "\n"
        (tmp_path / f"{name}.csv").write_text(text)
    return open_window(
        *(phantoms[0] / f"{name}.mrc" for name in ROWS),
        coordinates=[tmp_path / f"{name}.csv" for name in ROWS],
    )


def answer(button_text, asked):
    """Press a button of the question that will be open, and note its text."""

    def press():
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        asked.append(box.text())
        next(b for b in box.buttons() if button_text in b.text()).click()

    QTimer.singleShot(100, press)


def edit_cell(window, row, column, text):
    table = window.classes.table
    table.item(row, column).setText(text)


def saved(window, name):
    window.save()
    found = read_csv(window.session.folder / f"{name}.csv", tomogram_id=name)
    return found.class_names.tolist()


def test_a_class_is_renamed_in_its_cell_everywhere_and_undone(window):
    edit_cell(window, 0, 1, "ribosome")
    assert window.session.classes.names() == ["ribosome", "small"]
    assert window.classes.table.item(0, 1).text() == "ribosome"
    assert window.tomograms.horizontalHeaderItem(1).text() == "ribosome"
    assert saved(window, "TS_a") == ["ribosome", "small"]
    assert saved(window, "TS_b") == ["ribosome"]
    window.tools.undo.trigger()
    assert window.session.classes.names() == ["large", "small"]
    assert saved(window, "TS_b") == ["large"]
    window.tools.redo.trigger()
    assert saved(window, "TS_b") == ["ribosome"]


def test_a_name_that_is_none_is_told_and_the_old_one_stays(window):
    edit_cell(window, 0, 1, "my class")
    assert "my class" in window._message.text()
    window._message.close()
    assert window.classes.table.item(0, 1).text() == "large"


@pytest.mark.parametrize(
    ("button", "names"), [("Make one class", ["large"]), ("Cancel", ["large", "small"])]
)
def test_two_classes_become_one_only_if_that_is_agreed(window, button, names):
    asked = []
    answer(button, asked)
    edit_cell(window, 1, 1, "large")
    assert "1 picks of small picks of large" in asked[0]
    assert window.session.classes.names() == names
    assert window.classes.table.rowCount() == len(names)


def test_a_removed_class_goes_with_its_picks_and_comes_back(window):
    asked = []
    answer("Cancel", asked)
    window.classes.remove.click()
    assert window.session.classes.names() == ["large", "small"]
    answer("Remove", asked)
    window.classes.remove.click()
    assert "large with its 2 picks" in asked[1]
    assert window.session.classes.names() == ["small"]
    assert window.editor.current_class == "small"
    assert saved(window, "TS_a") == ["small"]
    assert saved(window, "TS_b") == []
    window.tools.undo.trigger()
    assert saved(window, "TS_b") == ["large"]
    assert window.session.classes["large"].diameter_ang == 140


def test_an_empty_class_is_removed_without_a_question(window):
    window.classes.add_class("ring")
    window.classes.remove.click()
    assert window.session.classes.names() == ["large", "small"]


def test_a_new_class_is_drawn_with_a_guess_that_is_said(window):
    assert not window.hint.isVisible()
    window.classes.add_class("ring")
    assert window.classes.table.item(2, 2).text() == "140 ?"
    assert window.hint.isVisible()
    assert "ring is not known" in window.hint.text.text()
    edit_cell(window, 2, 2, "85")
    assert window.session.classes["ring"].diameter_ang == 85
    assert not window.hint.isVisible()


def test_an_unknown_diameter_is_asked_for_and_circles_are_there(
    open_window, phantoms, tmp_path
):
    (tmp_path / "TS_a.csv").write_text("class,x,y,z\nlarge,20,20,20\n")
    window = open_window(
        phantoms[0] / "TS_a.mrc", coordinates=[tmp_path / "TS_a.csv"], diameter={}
    )
    window.state.move_cursor([20, 20, 20])
    assert "large is not known" in window.hint.text.text()
    assert "200 Å, a guess" in window.hint.text.text()
    radii = [g.radii.tolist() for g in window.views.views[0].circles.groups]
    assert radii == [[10]]
    path = window.session.classes.path
    assert json.loads(path.read_text())["classes"][0]["guessed"] is True

    def type_it():
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QInputDialog)
        dialog.setDoubleValue(140)
        dialog.accept()

    QTimer.singleShot(100, type_it)
    window.hint.button.click()
    assert not window.hint.isVisible()
    assert window.session.classes["large"].diameter_ang == 140
    assert "guessed" not in path.read_text()
    wait_until(
        lambda: window.views.views[0].circles.groups[0].radii.tolist() == [7],
        what="drawing the new size",
    )


def test_what_the_picks_record_says_is_known(open_window, phantoms, tmp_path):
    (tmp_path / "TS_a.csv").write_text("class,x,y,z,score\nlarge,20,20,20,0.7\n")
    record = {"diameters_ang": {"large": 150}, "thresholds": {"large": 0.31}}
    (tmp_path / "TS_a.json").write_text(json.dumps(record))
    window = open_window(
        phantoms[0] / "TS_a.mrc", coordinates=[tmp_path / "TS_a.csv"], diameter={}
    )
    assert window.session.classes["large"].diameter_ang == 150
    assert not window.hint.isVisible()
    panel = window.judge.scores
    assert panel.plot.models.isVisible()
    assert panel.plot.models.value() == 0.31
    panel.model.click()
    assert panel.cut.value() == 0.31


def test_digits_choose_the_class_and_the_page_judge_too(window):
    QTest.keyClick(window, Qt.Key_2)
    assert window.editor.current_class == "small"
    window.tabs.judge()
    window.judge.chips.chips["large"].label.click()
    assert window.editor.current_class == "large"
    assert window.judge.scores.name == "large"
