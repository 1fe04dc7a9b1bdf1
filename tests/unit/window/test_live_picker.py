"""What is asked of the live picker, and what of its answers is shown."""

import numpy as np
import pytest

from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.tests.support.phantoms import write_tomogram
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.live.candidates import make_candidates
from etpicker_plugin.window.live.events import (
    CutOff,
    CutOffs,
    Found,
    Progress,
    Refused,
    Solved,
)
from etpicker_plugin.window.live.keeping import keep_candidates
from etpicker_plugin.window.live.picker import LivePicker

Z = 6
WHOLE = (0, 11)
PLACES = [[5.0, 4.0, x] for x in (3.0, 11.0, 19.0, 27.0)]
SCORES = [0.9, 0.55, 0.35, 0.1]


@pytest.fixture
def session(tmp_path):
    """Two tomograms, two classes."""
    for name in ("TS_1", "TS_2"):
        write_tomogram(tmp_path / f"{name}.mrc", np.zeros((11, 21, 31), np.float32))
    (tmp_path / "out").mkdir()
    config = ViewConfig(
        tomogram=tuple(str(tmp_path / f"TS_{i}.mrc") for i in (1, 2)),
        diameter={"a": 70.0, "b": 50.0},
    )
    return Session(config, tmp_path / "out")


@pytest.fixture
def picker(session):
    return LivePicker(session)


def mark(document, position, name, score=np.nan):
    edit = document.annotation.adding(position, name, scores=score)
    document.journal.apply(edit)


def found(number, *, tomogram="TS_1", planes=WHOLE, **classes):
    candidates = make_candidates(classes, planes)
    return Found(number=number, tomogram=tomogram, planes=planes, candidates=candidates)


def clicked(session, picker):
    """One click far from all places, and what follows from it."""
    first = session.documents[0]
    mark(first, [9.0, 19.0, 2.0], "a")
    assert picker.ask(first, Z)["number"] == 1
    cut = CutOff(score=0.5, least=0.4, most=0.6)
    picker.take(CutOffs(number=1, classes={"a": cut}))
    picker.take(found(1, a=(PLACES, SCORES)))
    return first


def test_the_request_is_the_whole_state(session, picker):
    first, second = session.documents
    mark(first, [1.0, 2.0, 3.5], "a")
    mark(first, [4.0, 5.0, 6.0], NEGATIVE)
    mark(second, [7.0, 8.0, 9.0], "b")
    mark(second, [7.0, 8.0, 20.0], "a", score=0.7)  # A model's word.
    assert picker.ask(second, Z) == {
        "do": "solve",
        "number": 1,
        "classes": [
            {"name": "a", "diameter_ang": 70.0},
            {"name": "b", "diameter_ang": 50.0},
        ],
        "marks": {
            "TS_1": {"a": [[3.5, 2.0, 1.0]], "negative": [[6.0, 5.0, 4.0]]},
            "TS_2": {"b": [[9.0, 8.0, 7.0]]},
        },
        "first": {"tomogram": "TS_2", "z": Z},
    }


def test_it_gets_ready_for_a_click_on_what_is_looked_at(session, picker):
    first, second = session.documents
    assert picker.ask(first, Z)["marks"] == {"TS_1": {}, "TS_2": {}}
    picker.take(Solved(number=1))
    assert picker.ask(first, Z + 1) is None
    assert picker.ask(second, Z)["first"]["tomogram"] == "TS_2"


def test_nothing_is_asked_twice(session, picker):
    first, second = session.documents
    mark(first, [1.0, 2.0, 3.0], "a")
    assert picker.ask(first, Z)["number"] == 1
    assert picker.ask(first, Z + 1) is None
    # Looking elsewhere is a reason while it computes, and none after.
    assert picker.ask(second, Z)["first"]["tomogram"] == "TS_2"
    picker.take(Solved(number=2))
    assert picker.ask(first, Z) is None
    session.classes.change("a", diameter_ang=80.0)
    assert picker.ask(first, Z)["number"] == 3
    picker.forget()
    assert picker.ask(first, Z)["number"] == 4


def test_what_belongs_to_older_marks_is_not_heard(session, picker):
    first = clicked(session, picker)
    mark(first, [9.0, 19.0, 12.0], "a")
    assert picker.ask(first, Z)["number"] == 2
    assert picker.take(found(1, a=([], []))) == []
    assert picker.take(Progress(1, "TS_1", 1, 2, "features")) == []
    picker.take(Solved(number=1))
    assert picker.progress is None
    assert not picker.is_solved
    assert len(picker.open_questions(first)) == 4
    assert picker.take(found(2, a=([], []))) == [first]
    assert len(picker.open_questions(first)) == 0


def test_the_automatic_cut_off_holds_until_a_person_sets_another(session, picker):
    first = clicked(session, picker)
    assert picker.proposed(first).scores.tolist() == [0.9, 0.55]
    assert picker.count(session.documents, "a") == 2
    picker.own_cut_offs["a"] = 0.3
    assert picker.proposed(first).scores.tolist() == [0.9, 0.55, 0.35]
    picker.take(CutOffs(number=1, classes={"a": CutOff(0.8, 0.7, 0.9)}))
    assert picker.count([first], "a") == 3
    del picker.own_cut_offs["a"]
    assert picker.count([first], "a") == 1
    assert picker.count([first], "b") == 0
    assert picker.scores("a").tolist() == sorted(SCORES)


def test_without_a_cut_off_nothing_is_proposed(session, picker):
    first = session.documents[0]
    mark(first, [9.0, 19.0, 2.0], "a")
    picker.ask(first, Z)
    picker.take(found(1, a=(PLACES, SCORES)))
    assert len(picker.proposed(first)) == 0
    assert picker.most_doubtful(first, "a") is None


def test_the_most_doubtful_come_one_after_the_other_and_again(session, picker):
    first = clicked(session, picker)
    order = [picker.most_doubtful(first, "a").scores[0] for _ in range(5)]
    assert order == [0.55, 0.35, 0.9, 0.1, 0.55]
    assert picker.most_doubtful(first, "b") is None
    assert picker.most_doubtful(session.documents[1], "a") is None


def test_an_answered_one_is_no_question_any_more(session, picker):
    first = clicked(session, picker)
    mark(first, PLACES[1], NEGATIVE)
    picker.review(first)
    assert picker.most_doubtful(first, "a").scores[0] == 0.35
    assert picker.count([first], "a") == 1


def test_without_any_click_left_all_is_forgotten(session, picker):
    first = clicked(session, picker)
    picker.take(Solved(number=1))
    first.journal.undo()
    request = picker.ask(first, Z)
    assert request["marks"] == {"TS_1": {}, "TS_2": {}}
    picker.take(Solved(number=2))
    assert len(picker.open_questions(first)) == 0
    assert picker.cut_offs == {}


def test_a_refusal_ends_the_waiting(session, picker):
    clicked(session, picker)
    picker.take(Refused(text="No.", number=1))
    assert picker.is_solved


def test_kept_candidates_are_picks_with_their_scores_in_all_tomograms(session, picker):
    first, second = session.documents
    clicked(session, picker)
    picker.take(found(1, tomogram="TS_2", a=(PLACES[:1], [0.7])))
    kept = {}
    assert keep_candidates(session, picker, kept) == 3
    session.save()
    rows = (session.folder / "TS_1.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["class", "a", "a", "a"]
    assert first.annotation.scores[1:].tolist() == [0.9, 0.55]
    assert second.annotation.positions_zyx.tolist() == PLACES[:1]
    assert picker.count(session.documents, "a") == 0  # They are answered.

    # Newer word: one was confirmed meanwhile, the cut-off is lower.
    document = first
    document.journal.apply(document.annotation.confirming([1], "a"))
    picker.own_cut_offs["a"] = 0.3
    assert keep_candidates(session, picker, kept) == 3
    alive = first.annotation.alive
    scores = first.annotation.scores[alive]
    np.testing.assert_array_equal(scores, [np.nan, np.nan, 0.55, 0.35])


def test_kept_ones_count_although_the_class_had_a_higher_threshold(session, picker):
    session.classes.change("a", threshold=0.8)
    first = clicked(session, picker)
    keep_candidates(session, picker, {})
    assert session.classes["a"].threshold == 0.5
    assert first.shown(session.classes).sum() == 3


def test_kept_candidates_can_be_undone(session, picker):
    first = clicked(session, picker)
    keep_candidates(session, picker, {})
    first.journal.undo()
    picker.review(first)
    assert picker.count([first], "a") == 2


def test_curves_are_not_asked_of_it(tmp_path, session):
    (tmp_path / "curves").mkdir()
    config = ViewConfig(
        tomogram=(str(tmp_path / "TS_1.mrc"),),
        diameter={"a": 70.0, "mt": 50.0},
        kind={"mt": "filament"},
    )
    session = Session(config, tmp_path / "curves")
    document = session.documents[0]
    for name in ("a", "mt"):
        mark(document, [9.0, 19.0, 2.0], name)

    request = LivePicker(session).ask(document, Z)

    assert request["classes"] == [{"name": "a", "diameter_ang": 70.0}]
    assert request["marks"] == {"TS_1": {"a": [[2.0, 19.0, 9.0]]}}
