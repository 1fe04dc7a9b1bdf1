"""The page *Live*, in the real window; the live picker itself is played."""

import json
import sys

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest

from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.tests.support import live_stand_in
from etpicker_plugin.tests.support.window_driver import (
    click,
    pixel_of,
    wait_drawn,
    wait_until,
)
from etpicker_plugin.window.document.session import LIVE_PICKS
from etpicker_plugin.window.drawing.slices import X, Y, Z
from etpicker_plugin.window.live import engine
from etpicker_plugin.window.qt.gestures import Tool
from etpicker_plugin.window.qt.pages import ANNOTATE, LIVE


@pytest.fixture
def open_live(open_window, phantoms, monkeypatch):
    """Return a function that opens *Live* with a picker that plays well, or badly."""

    def open_it(how="well", *names):
        command = (sys.executable, live_stand_in.__file__, how)
        monkeypatch.setattr(engine, "COMMAND", command)
        paths = [phantoms[0] / f"{name}.mrc" for name in names or ("TS_a",)]
        window = open_window(*paths)
        window.tabs.setCurrentIndex(LIVE)
        return window

    return open_it


@pytest.fixture
def large(phantoms):
    """Centres zyx of the large particles of TS_a."""
    rows = phantoms[1]["TS_a"]
    rows = rows[rows["class"] == "large"]
    return np.stack([rows[axis] for axis in "zyx"], axis=1)


def go(window, position):
    window.views.go_to(position)
    wait_drawn(window)


def click_at(window, position, button=Qt.LeftButton, axis=Z):
    """Go to a place and click it."""
    go(window, position)
    place = np.array(position)
    place[axis] = window.state.cursor_zyx[axis]
    click(window.views.views[axis], place, button)


def mark_first(window, large):
    """Click the first particle; the others follow."""
    click_at(window, large[0])
    settle(window)


def settle(window):
    """Wait until the answer to what is marked now is drawn."""
    live = window.live
    QTest.qWait(120)
    wait_until(
        lambda: (
            live.picker.is_solved
            and not live._to_ask.isActive()
            and not live._to_show.isActive()
        ),
        what="an answer",
    )
    wait_drawn(window)


def question_after(window, key):
    """Press a key, and return the candidate that is asked about then."""
    QTest.keyClick(window, key)
    QTest.qWait(150)  # A key presses its button for a moment.
    settle(window)
    assert window.live.asked is not None
    return window.live.questions.chosen(np.array([window.live.asked]))


def marks(window):
    annotation = window.editor.annotation
    alive = np.flatnonzero(annotation.alive)
    return [(annotation.class_of(i), annotation.positions_zyx[i]) for i in alive]


def dashed(view):
    return [group for group in view.circles.groups if group.dashed]


def test_one_click_circles_the_others_in_all_views(open_live, large):
    window = open_live()
    assert all(not dashed(view) for view in window.views.views.values())
    mark_first(window, large)
    go(window, large[1])
    for axis in (Z, Y, X):
        view = window.views.views[axis]
        found = np.concatenate([group.centres for group in dashed(view)])
        wanted = large[1][[view.right, view.up]]
        assert np.linalg.norm(found - wanted, axis=1).min() < 1e-6
    window.tabs.setCurrentIndex(ANNOTATE)  # There they are not in the way.
    assert all(not dashed(view) for view in window.views.views.values())


def test_clicks_answer_in_every_view(open_live, large):
    window = open_live()
    mark_first(window, large)
    for axis, place in zip((Z, Y, X), large[1:4], strict=True):
        click_at(window, np.add(place, [1.5, 1.5, 1.5]), axis=axis)
        settle(window)
    click_at(window, large[4], Qt.RightButton)
    settle(window)
    window.tools.choose(Tool.NEGATIVE)
    click_at(window, large[5])
    names = [name for name, _ in marks(window)]
    assert names == ["large"] * 4 + [NEGATIVE] * 2
    # The candidate's own place, not where the mouse was.
    np.testing.assert_allclose([p for _, p in marks(window)[1:]], large[1:])
    assert np.isnan(window.editor.annotation.scores).all()
    # Written down already: kill -9 takes none of them.
    lines = (window.session.folder / "TS_a.journal.jsonl").read_text().splitlines()
    told = [json.loads(line)["positions_zyx"][0] for line in lines[1:]]
    assert told == [p.tolist() for _, p in marks(window)]
    assert window.live.picker.count([window.editor.document], "large") < len(large)
    window.tools.undo.trigger()
    settle(window)
    assert len(marks(window)) == 5
    assert window.views.views[Z].question_at(large[5]) is not None


def test_keys_ask_and_answer(open_live, large):
    window = open_live()
    mark_first(window, large)
    asked = question_after(window, Qt.Key_N)
    assert window.gestures.tool is Tool.PICK
    assert abs(asked.scores[0] - 0.5) == min(
        abs(window.live.picker.scores("large") - 0.5)
    )
    assert window.state.cursor_zyx == np.rint(asked.positions_zyx[0]).tolist()
    assert f"score {asked.scores[0]:.2f}" in window.live.page.question.text()
    wait_drawn(window)
    assert any(group.thick for group in window.views.views[Z].highlight.groups)
    again = question_after(window, Qt.Key_X)
    question_after(window, Qt.Key_A)
    (_, first), (name, second) = marks(window)[1:]
    assert [n for n, _ in marks(window)] == ["large", NEGATIVE, "large"]
    assert first.tolist() == asked.positions_zyx[0].tolist()
    assert second.tolist() == again.positions_zyx[0].tolist()
    assert name == "large"
    window.tabs.setCurrentIndex(ANNOTATE)
    QTest.keyClick(window, Qt.Key_N)
    assert window.gestures.tool is Tool.NEGATIVE


def test_keys_answer_about_the_circle_under_the_mouse(open_live, large):
    window = open_live()
    mark_first(window, large)
    page, view = window.live.page, window.views.views[Z]
    assert not page.decline.isEnabled()
    go(window, large[1])
    QTest.mouseMove(view.viewport(), pixel_of(view, np.add(large[1], [0, 9, 9])))
    QTest.qWait(50)
    QTest.mouseMove(view.viewport(), pixel_of(view, large[1]))
    wait_until(page.decline.isEnabled, what="the question")
    assert "Is this large?" in page.question.text()
    QTest.keyClick(window, Qt.Key_X)
    QTest.qWait(150)
    settle(window)
    assert [name for name, _ in marks(window)] == ["large", NEGATIVE]
    np.testing.assert_allclose(marks(window)[1][1], large[1])
    assert window.live.asked is None


def test_each_class_by_its_own_click(open_live, large, phantoms):
    window = open_live()
    mark_first(window, large)
    assert set(window.live.questions.class_names) == {"large"}
    QTest.keyClick(window, Qt.Key_2)
    rows = phantoms[1]["TS_a"]
    small = rows[rows["class"] == "small"][0]
    click_at(window, [small[axis] for axis in "zyx"])
    settle(window)
    assert set(window.live.questions.class_names) == {"large", "small"}
    assert "small" in window.live.page.cut_off.title()
    window.live.page.chips.chips["large"].label.click()
    assert window.editor.current_class == "large"
    settle(window)
    assert "large" in window.live.page.cut_off.title()
    window.live.page.chips.chips["large"].eye.click()
    settle(window)
    colours = {g.colour for g in dashed(window.views.views[Z]) if len(g.radii)}
    assert len(colours) <= 1


def test_the_cut_off_is_dragged_and_automatic_again(open_live, large):
    window = open_live()
    mark_first(window, large)
    panel, live = window.live.page.cut_off, window.live
    shown = len(live.questions)
    assert panel.plot.line.value() == pytest.approx(0.5)
    assert panel.band.getRegion() == pytest.approx((0.4, 0.62))
    assert not panel.automatic.isEnabled()
    panel.plot.line.setValue(0.8)
    wait_until(lambda: len(live.questions) < shown, what="fewer circles")
    assert live.questions.scores.min() >= 0.8
    assert panel.cut.value() == 0.8
    assert f"<b>{len(live.questions)}</b> in this tomogram" in panel.count.text()
    panel.automatic.click()
    wait_until(lambda: len(live.questions) == shown, what="all circles")


def test_the_list_counts_candidates_of_all_tomograms(open_live, large):
    window = open_live("well", "TS_a", "TS_b")
    mark_first(window, large)
    table, picker = window.tomograms, window.live.picker
    counts = [picker.count([d], "large") for d in window.session.documents]
    assert min(counts) > 0
    wait_until(
        lambda: (
            [table.item(row, 1).text() for row in (0, 1)]
            == [f"1 + {counts[0]}", f"0 + {counts[1]}"]
        ),
        what="counting",
    )
    table.setCurrentCell(1, 0)
    settle(window)
    assert len(window.live.questions) == counts[1]


def test_live_picks_are_kept_with_scores_and_the_model_beside_them(open_live, large):
    window = open_live("well", "TS_a", "TS_b")
    mark_first(window, large)
    count = window.live.picker.count(window.session.documents, "large")
    window.live.page.keep.click()
    folder = window.session.folder
    wait_until(lambda: str(folder) in window.live.page.saved.text(), what="saving")
    assert "live_model.safetensors" in window.live.page.saved.text()
    window.save()
    rows = [read_csv(folder / f"TS_{i}.csv", tomogram_id="TS") for i in "ab"]
    scores = np.concatenate([r.scores for r in rows])
    assert np.isnan(scores).sum() == 1
    assert np.isfinite(scores).sum() == count
    # A pick with a score is a question still: clicked it is confirmed.
    annotation = window.editor.annotation
    first, second = np.flatnonzero(np.isfinite(annotation.scores))[:2]
    click_at(window, annotation.positions_zyx[first])
    click_at(window, annotation.positions_zyx[second], Qt.RightButton)
    assert np.isnan(annotation.scores[[first, second]]).all()
    assert [annotation.class_of(i) for i in (first, second)] == ["large", NEGATIVE]


def test_the_model_is_saved_on_closing(open_live, large):
    window = open_live()
    mark_first(window, large)
    window.close()
    assert (window.session.folder / "live_model.safetensors").exists()
    assert not window.live.process.is_running()


def read_live_picks(window, name):
    path = window.session.folder / LIVE_PICKS / f"{name}.csv"
    return read_csv(path, tomogram_id=name)


def test_the_picks_of_all_tomograms_go_with_the_model(open_live, large):
    """What was marked, and what reaches the cut-off as it is when the window closes."""
    window = open_live("well", "TS_a", "TS_b")
    mark_first(window, large)
    click_at(window, large[1], Qt.RightButton)
    settle(window)
    documents, picker = window.session.documents, window.live.picker
    window.save()
    wait_until(lambda: window.live.page.saved.text() != "", what="saving")
    counts = [picker.count([d], "large") for d in documents]
    assert len(read_live_picks(window, "TS_a")) == counts[0] + 1
    assert len(read_live_picks(window, "TS_b")) == counts[1]
    window.live.page.cut_off.cut.setValue(0.65)
    kept = [picker.count([d], "large") for d in documents]
    assert kept[1] < counts[1]
    window.close()
    found = read_live_picks(window, "TS_a")
    assert len(found) == kept[0] + 1
    assert np.isnan(found.scores[0])
    assert found.scores[1:].min() >= 0.65
    np.testing.assert_allclose(found.positions_zyx[0], large[0], atol=0.6)
    assert not (np.abs(found.positions_zyx - large[1]).max(axis=1) < 0.1).any()
    assert set(found.class_names) == {"large"}
    assert len(read_live_picks(window, "TS_b")) == kept[1]


def test_a_process_that_dies_is_told_and_marking_goes_on(open_live, large, monkeypatch):
    window = open_live("dies")
    mark_first(window, large)
    page = window.live.page
    click_at(window, large[1])
    wait_until(page.restart.isVisible, what="the sentence")
    assert "ended with code 5: no memory is left" in page.trouble.text()
    click_at(window, large[2])
    assert len(marks(window)) == 3
    command = (sys.executable, live_stand_in.__file__, "well")
    monkeypatch.setattr(engine, "COMMAND", command)
    page.restart.click()
    settle(window)
    assert not page.trouble.isVisible()
    assert page.restart.isHidden()
    assert window.live.picker.count([window.editor.document], "large") > 0


def test_a_process_that_babbles_is_ended(open_live, large):
    window = open_live("babbles")
    click_at(window, large[0])
    wait_until(window.live.page.restart.isVisible, what="the sentence")
    assert "what is not understood" in window.live.page.trouble.text()
    assert not window.live.process.is_running()
    assert len(marks(window)) == 1


def test_a_refusal_is_a_sentence_and_it_lives_on(open_live, large):
    window = open_live("refuses")
    click_at(window, large[0])
    page = window.live.page
    wait_until(page.trouble.isVisible, what="the sentence")
    assert page.trouble.text() == "There is nothing at the click. Click on a particle."
    assert page.restart.isHidden()
    assert window.live.process.is_running()


def test_a_program_that_is_not_there_is_told(open_live, large, monkeypatch):
    monkeypatch.setattr(engine, "prepare", lambda *_asked: ["/no/such/program"])
    window = open_live()
    wait_until(window.live.page.restart.isVisible, what="the sentence")
    assert "could not be started" in window.live.page.trouble.text()
    click_at(window, large[0])
    assert len(marks(window)) == 1


def test_without_an_engine_live_is_grey_and_says_why(
    open_window, phantoms, monkeypatch
):
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda _name: None)
    window = open_window(phantoms[0] / "TS_a.mrc")
    assert not window.tabs.isTabEnabled(LIVE)
    assert "torch" in window.tabs.tabToolTip(LIVE)
    QTest.keyClick(window, Qt.Key_L, Qt.AltModifier)
    assert not window.tabs.is_live()
