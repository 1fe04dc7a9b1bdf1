"""The real window: help, keys between tomograms, the tool on each page."""

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest

from etpicker_plugin.tests.support.window_driver import wait_drawn
from etpicker_plugin.window.keys import KEYS, help_rows, shown_keys
from etpicker_plugin.window.qt.gestures import Tool


@pytest.fixture
def window(open_window, phantoms, tmp_path):
    (tmp_path / "TS_b.csv").write_text("class,x,y,z,score\nlarge,20,20,20,0.7\n")
    return open_window(
        *(phantoms[0] / f"TS_{letter}.mrc" for letter in "abc"),
        coordinates=[tmp_path / "TS_b.csv"],
    )


@pytest.mark.parametrize("key", [Qt.Key_F1, Qt.Key_Question])
def test_the_help_tells_every_key_and_gesture(window, key):
    QTest.keyClick(window, key)
    assert window._help.isVisible()
    shown = "".join(label.text() for label in window._help.labels)
    for _, rows in help_rows():
        for keys, text in rows:
            assert keys in shown
            assert text.replace("*", "") in shown
    window._help.close()


def test_buttons_have_the_keys_of_the_table(window):
    for name in ("undo", "relabel", "snap", "cloud", "fit", "save", "done", "help"):
        action = getattr(window.tools, name)
        keys = tuple(sequence.toString() for sequence in action.shortcuts())
        assert keys == KEYS[name].keys
        assert shown_keys(KEYS[name]) in action.toolTip()


@pytest.mark.parametrize(
    ("forth", "back"),
    [
        ((Qt.Key_PageDown, Qt.ControlModifier), (Qt.Key_PageUp, Qt.ControlModifier)),
        ((Qt.Key_Period, Qt.NoModifier), (Qt.Key_Comma, Qt.NoModifier)),
    ],
)
def test_next_and_previous_tomogram(window, forth, back):
    names = []
    for key, modifier in (forth, forth, forth, back):
        QTest.keyClick(window, key, modifier)
        wait_drawn(window)
        names.append(window.editor.document.name)
    assert names == ["TS_b", "TS_c", "TS_c", "TS_b"]


def test_judging_only_looks_and_the_tool_comes_back(window):
    assert window.tabs.is_judging()  # There are scores.
    assert window.gestures.tool is Tool.LOOK
    QTest.keyClick(window, Qt.Key_N, Qt.AltModifier)
    window.tabs.setCurrentIndex(0)
    assert window.gestures.tool is Tool.PICK
    window.tools.choose(Tool.ERASE)
    window.tabs.judge()
    assert window.gestures.tool is Tool.LOOK
    window.tools.choose(Tool.MEASURE)
    window.tabs.setCurrentIndex(0)
    assert window.gestures.tool is Tool.MEASURE


def test_keys_of_moving_about(window):
    z = window.state.cursor_zyx[0]
    for key in (Qt.Key_Up, Qt.Key_Up, Qt.Key_Down, Qt.Key_PageUp):
        QTest.keyClick(window, key)
    assert window.state.cursor_zyx[0] == z + 11
    QTest.keyClick(window, Qt.Key_PageDown)
    assert window.state.cursor_zyx[0] == z + 1
    for key, tool in ((Qt.Key_E, Tool.ERASE), (Qt.Key_L, Tool.LOOK)):
        QTest.keyClick(window, key)
        assert window.gestures.tool is tool
