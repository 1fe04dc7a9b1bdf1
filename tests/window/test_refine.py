"""*Refine* on the page *Live*, in the real window; what computes is played."""

import sys

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest

from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.tests.support import live_stand_in
from etpicker_plugin.tests.support.window_driver import wait_drawn, wait_until
from etpicker_plugin.window.live import engine
from etpicker_plugin.window.qt.pages import LIVE


def play(monkeypatch, how):
    command = (sys.executable, live_stand_in.__file__, how)
    monkeypatch.setattr(engine, "REFINE_COMMAND", command)


@pytest.fixture
def open_marked(open_window, phantoms, monkeypatch):
    """Return a function that opens *Live* on so many marked particles."""

    def open_it(how, count=10, **more):
        play(monkeypatch, how)
        command = (sys.executable, live_stand_in.__file__, "well")
        monkeypatch.setattr(engine, "COMMAND", command)
        window = open_window(phantoms[0] / "TS_a.mrc", **more)
        if not len(window.editor.annotation):
            rows = read_csv(phantoms[0] / "TS_a.csv", tomogram_id="TS_a")
            large = rows.of_class("large").positions_zyx[:2]
            small = rows.of_class("small").positions_zyx[: count - 2]
            for name, places in ("small", small), ("large", large):
                for place in places:
                    window.editor.add_at(place.tolist(), name)
        window.tabs.setCurrentIndex(LIVE)
        settle(window)
        return window

    return open_it


def settle(window):
    QTest.qWait(120)
    wait_until(lambda: window.live.picker.is_solved, what="an answer")
    wait_drawn(window)


def press(window):
    """Press the key of *Refine*, and wait until something is said of it."""
    before = said(window)
    QTest.keyClick(window, Qt.Key_R, Qt.ControlModifier)
    wait_until(lambda: said(window) != before, what="a word about it")


def said(window):
    return window.live.refine.panel.text.text()


def finish(window):
    press(window)
    wait_until(
        lambda: not window.live.refine.process.is_running(), what="the end of it"
    )
    settle(window)
    return said(window)


def refined_folders(window):
    folder = window.session.folder / engine.FOLDER
    return [path.name for path in folder.glob("refined_*") if path.is_dir()]


def saved_model(window):
    """Save, and return what the stand-in wrote: the model whose features it has."""
    window.save()
    wait_until(lambda: window.live.page.saved.text() != "", what="saving")
    models = window.session.folder.glob("live_model*.safetensors")
    return max(models, key=lambda path: path.stat().st_mtime_ns).read_text()


def test_a_better_one_takes_over_and_can_be_taken_back(open_marked):
    window = open_marked("better")
    window.live.page.cut_off.cut.setValue(0.7)
    assert "found 9 of 10 particles and 1 of 6 rejected" in finish(window)
    assert refined_folders(window) == ["refined_1"]
    # The cut-off that was set by hand was one of other scores.
    assert window.live.picker.cut_off("large") == 0.5
    assert len(window.live.questions) > 0
    window.live.answer(0, True)  # Answers still teach.
    settle(window)
    assert saved_model(window).endswith("/.live/refined_1/model.safetensors")
    window.close()
    window = open_marked("waits", out=window.session.folder)
    assert "of an earlier window" in said(window)
    button = window.live.refine.panel.use
    assert (button.isVisible(), button.text()) == (True, "Use the shipped one")
    button.click()
    settle(window)
    assert window.live.refine.models.in_use is None
    assert saved_model(window) == "pretrained"
    assert np.isnan(window.editor.annotation.scores).sum() == 11


@pytest.mark.parametrize("verdict", ["not better", "too few"])
def test_another_is_offered_and_the_person_decides(open_marked, verdict):
    window = open_marked(verdict)
    process = window.live.process._process
    assert "found 9 of 10" in finish(window)
    assert window.live.process._process is process  # It was left alone.
    button = window.live.refine.panel.use
    assert (button.isVisible(), button.text()) == (True, "Use the refined model")
    button.click()
    settle(window)
    assert window.live.process._process is not process
    assert saved_model(window).endswith("refined_1/model.safetensors")


def test_it_is_stopped_and_leaves_nothing(open_marked):
    window = open_marked("waits")
    press(window)
    wait_until(lambda: "2 min left" in said(window), what="progress")
    panel = window.live.refine.panel
    assert panel.start.text().startswith("Stop refining")
    window.live.answer(0, True)  # Meanwhile marking goes on.
    settle(window)
    assert len(window.editor.annotation) == 11
    press(window)
    assert "Stopped" in said(window)
    assert panel.start.text().startswith("Refine")
    assert refined_folders(window) == []
    assert not panel.use.isVisible()


def test_a_window_that_is_closed_ends_it(open_marked):
    window = open_marked("waits")
    press(window)
    wait_until(lambda: "min left" in said(window), what="progress")
    assert refined_folders(window) == ["refined_1"]
    window.close()
    assert not window.live.refine.process.is_running()
    assert refined_folders(window) == []
    rows = read_csv(window.session.folder / "TS_a.csv", tomogram_id="TS_a")
    assert len(rows) == 10


def test_what_goes_wrong_is_said_and_live_goes_on(open_marked):
    window = open_marked("fails")
    text = finish(window)
    assert "TS_a has changed since. Put it back. Nothing is lost" in text
    assert refined_folders(window) == []
    assert window.live.process.is_running()
    assert len(window.live.questions) > 0


def test_of_too_few_particles_it_is_not_begun(open_marked):
    window = open_marked("better", count=9)
    press(window)
    assert "needs 10 or more particles" in said(window)
    assert "there are 9" in said(window)
    assert not window.live.refine.process.is_running()
