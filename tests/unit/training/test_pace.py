"""Few marks are learnt slowly, many as asked for."""

import pytest

from etpicker_plugin.engine.training.pace import Pace, slow_down

ASKED = Pace(learning_rate=3e-3, steps=4000)


@pytest.mark.parametrize("marks", [150, 5000])
def test_many_marks_are_learnt_as_asked_for(marks):
    assert slow_down(ASKED, marks) == ASKED


@pytest.mark.parametrize(
    ("marks", "rate", "steps"),
    [(5, 3.1e-4, 75), (20, 7.8e-4, 300), (100, 2.3e-3, 1500)],
)
def test_fewer_are_learnt_more_slowly_and_not_as_long(marks, rate, steps):
    found = slow_down(ASKED, marks)
    assert found.learning_rate == pytest.approx(rate, rel=0.02)
    assert found.steps == steps


def test_a_few_do_not_tell_how_features_vary():
    assert not slow_down(ASKED, 49).learn_statistics
    assert slow_down(ASKED, 50).learn_statistics
    known = Pace(learning_rate=1e-3, steps=9, learn_statistics=False)
    assert not slow_down(known, 500).learn_statistics


def test_no_more_steps_are_taken_than_asked_for():
    assert slow_down(Pace(learning_rate=1e-3, steps=60), 20).steps == 60
    assert slow_down(ASKED, 0).steps > 0
