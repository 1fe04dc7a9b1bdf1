"""The dashed circles of candidates: where, in which colour, which stands out."""

import numpy as np
import pytest

from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.tests.support.phantoms import write_tomogram
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.drawing.circles import circles_of_view
from etpicker_plugin.window.drawing.colours import class_colour
from etpicker_plugin.window.drawing.question_circles import with_questions
from etpicker_plugin.window.drawing.slices import Y, Z
from etpicker_plugin.window.live.candidates import make_candidates

QUESTIONS = make_candidates(
    {
        "a": ([[5.0, 4.0, 6.0], [5.0, 12.0, 20.0], [10.0, 4.0, 6.0]], [0.9, 0.8, 0.7]),
        "b": ([[6.0, 15.0, 9.0]], [0.6]),
    },
    (0, 11),
)


@pytest.fixture
def session(tmp_path):
    """Voxels of 10 Å; radii of 4 and 2.5."""
    write_tomogram(tmp_path / "TS.mrc", np.zeros((11, 21, 31), np.float32))
    (tmp_path / "out").mkdir()
    config = ViewConfig(
        tomogram=(str(tmp_path / "TS.mrc"),), diameter={"a": 80.0, "b": 50.0}
    )
    return Session(config, tmp_path / "out")


def drawn(session, *, axis=Z, index=5, asked=None, hidden=frozenset()):
    document, classes = session.documents[0], session.classes
    document.journal.apply(document.annotation.adding([5.0, 18.0, 28.0], "a"))
    place = {"axis": axis, "index": index, "hidden": hidden}
    circles = circles_of_view(document, classes, selected=None, **place)
    return with_questions(
        circles, QUESTIONS, document=document, classes=classes, asked=asked, **place
    )


def test_a_slice_shows_those_that_it_cuts_beside_the_picks(session):
    found = drawn(session)
    assert found.questions.ids.tolist() == [0, 1, 3]
    solid, a, b = (g for g in found.groups if len(g.radii))
    assert (solid.dashed, a.dashed, b.dashed) == (False, True, True)
    assert a.centres.tolist() == [[6, 4], [20, 12]]
    assert a.radii.tolist() == [4, 4]
    np.testing.assert_allclose(b.radii, [np.sqrt(2.5**2 - 1)])
    names = session.classes.names()
    assert [a.colour, b.colour] == [class_colour(n, names) for n in ("a", "b")]
    assert found.sections.ids.tolist() == [0]  # A pick is gripped as before.
    assert found.highlight == []


def test_across_another_axis(session):
    found = drawn(session, axis=Y, index=4)
    assert found.questions.ids.tolist() == [0, 2]
    assert found.questions.centres.tolist() == [[6, 5], [6, 10]]


def test_the_asked_one_is_thick_and_the_hidden_ones_are_away(session):
    found = drawn(session, asked=1, hidden=frozenset({"b"}))
    assert found.questions.ids.tolist() == [0, 1]
    (thick,) = found.highlight
    assert (thick.thick, thick.dashed) == (True, True)
    assert thick.centres.tolist() == [[20, 12]]
