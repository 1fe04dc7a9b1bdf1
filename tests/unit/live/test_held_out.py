"""Which answers are held out, and what is said of two models by them."""

import numpy as np
import pytest

from etpicker_plugin.engine.live.held_out import (
    BETTER,
    NOT_BETTER,
    TOO_FEW,
    Count,
    count_all,
    count_found,
    hold_out,
    judge,
)
from etpicker_plugin.engine.live.requests import Solve
from etpicker_plugin.engine.negative import NEGATIVE

DIAMETERS = {"a": 100.0, "b": 60.0}


def places(count, seed):
    return np.random.default_rng(seed).uniform(0, 200, (count, 3)).round(2)


def ask(marks):
    return Solve(number=1, diameters=DIAMETERS, marks=marks)


def rows(marks):
    """Return all places as a set of tomogram, class and position."""
    return {
        (tomogram, name, *place)
        for tomogram, of in marks.items()
        for name, found in of.items()
        for place in found.tolist()
    }


def test_a_quarter_is_held_out_and_nothing_is_lost():
    marks = {
        "TS_1": {"a": places(120, 1), NEGATIVE: places(80, 2)},
        "TS_2": {"a": places(40, 3), "b": places(60, 4)},
    }
    kept, held = hold_out(ask(marks))
    assert rows(kept.marks) | rows(held) == rows(marks)
    assert not rows(kept.marks) & rows(held)
    count = count_all(held)
    assert count.particles / 220 == pytest.approx(0.25, abs=0.08)
    assert count.rejected / 80 == pytest.approx(0.25, abs=0.12)
    assert kept.diameters == DIAMETERS


def test_the_same_answers_are_held_out_whatever_is_added():
    first = places(50, 1)
    more = np.concatenate([places(30, 2), first])
    before = rows(hold_out(ask({"TS_1": {"a": first}}))[1])
    after = rows(hold_out(ask({"TS_1": {"a": more}}))[1])
    assert before == {row for row in after if list(row[2:]) in first.tolist()}
    elsewhere = hold_out(ask({"TS_2": {"a": first}}))[1]
    assert {row[2:] for row in rows(elsewhere)} != {row[2:] for row in before}


def test_one_click_beside_a_hundred_is_kept():
    many = places(100, 1)
    held = hold_out(ask({"TS_1": {"a": many}}))[1]["TS_1"]["a"]
    alone = held[:1]  # By itself it would be held out.
    kept, out = hold_out(ask({"TS_1": {"a": many, "b": alone}, "TS_2": {}}))
    np.testing.assert_array_equal(kept.marks["TS_1"]["b"], alone)
    assert "b" not in out["TS_1"]


def test_what_a_model_finds_of_them_is_counted_by_hand():
    held = {
        "TS_1": {
            "a": np.array([[10.0, 20, 30], [10, 20, 60], [40, 20, 30]]),
            NEGATIVE: np.array([[5.0, 5, 5], [90, 90, 90], [70, 70, 70]]),
        },
        "TS_2": {"b": np.array([[10.0, 20, 30]])},
    }
    candidates = {
        "TS_1": {
            # 4 voxels off; one of class b there, which is not what it is; 6 off.
            "a": np.array([[10.0, 20, 34], [40, 26, 30], [5, 8, 5]]),
            "b": np.array([[10.0, 20, 60], [90, 90, 92], [70, 74, 70]]),
        },
        "TS_2": {"a": np.array([[10.0, 20, 30]]), "b": np.zeros((0, 3))},
    }
    reach = {name: {"a": 5.0, "b": 3.0} for name in held}
    assert count_all(held) == Count(particles=4, rejected=3)
    assert count_found(held, candidates, reach) == Count(particles=1, rejected=2)


@pytest.mark.parametrize(
    ("refined", "live", "of", "verdict"),
    [
        ((9, 1), (8, 3), (10, 6), BETTER),
        ((9, 3), (8, 3), (10, 6), NOT_BETTER),  # one answer: chance
        ((8, 3), (8, 3), (10, 6), NOT_BETTER),
        ((10, 6), (8, 2), (10, 6), NOT_BETTER),  # finds more, and more wrong ones
        ((4, 0), (1, 2), (4, 2), BETTER),
        ((3, 0), (0, 2), (3, 2), TOO_FEW),
        ((9, 0), (2, 1), (10, 1), TOO_FEW),  # to find all is no merit by itself
    ],
)
def test_it_must_be_clearly_better_and_enough_held_out(refined, live, of, verdict):
    assert judge(Count(*refined), Count(*live), Count(*of)) == verdict
