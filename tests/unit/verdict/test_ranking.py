"""Areas under curves by hand, and when a ranking is conclusive."""

import numpy as np
import pytest

from etpicker_plugin.engine.verdict.measures.ranking import (
    area_under_curve,
    rank_sets,
    share_above,
)


def test_area_by_hand():
    assert area_under_curve([3, 1], [2, 0]) == 0.75
    assert area_under_curve([1, 1], [1]) == 0.5
    assert area_under_curve([5, 6], [1, 2]) == 1.0
    assert area_under_curve([], [1]) is None


def rank(**values):
    return rank_sets(
        {name: np.asarray(v, float) for name, v in values.items()},
        control="control",
        resamples=500,
        generator=np.random.default_rng(2),
    )


def normal(n, mean, seed=0):
    return np.random.default_rng(seed).normal(mean, 1.0, n)


def test_clear_sets_are_ranked_and_conclusive():
    found = rank(a=normal(40, 2.0), b=normal(40, 6.0, 1), control=normal(40, 0.0, 2))
    assert found.order == ("b", "a", "control")
    assert found.is_conclusive
    assert found.stays_first == 1.0


def test_equal_sets_are_not_conclusive():
    found = rank(a=normal(60, 5.0), b=normal(60, 5.0, 1), control=normal(60, 0.0, 2))
    assert not found.is_conclusive
    assert "stays first in only" in found.reasons[0]


def test_few_picks_are_not_conclusive_however_clear():
    found = rank(a=normal(12, 50.0), control=normal(40, 0.0))
    assert found.order == ("a", "control")
    assert found.reasons == (
        "too few picks are judged of a (12): a verdict needs 20 or more of each",
    )


def test_random_coordinates_in_front_are_no_verdict():
    found = rank(a=normal(40, 0.0), control=normal(40, 9.0, 1))
    assert found.order == ("control", "a")
    assert found.reasons == ("the control ranks first",)


def test_shares_are_ranked_by_their_means():
    shares = {"a": 30 * [1] + 30 * [0], "b": 55 * [1] + 5 * [0], "control": 60 * [0]}
    found = rank_sets(
        {name: np.asarray(v, float) for name, v in shares.items()},
        control="control",
        resamples=500,
        generator=np.random.default_rng(2),
        typical=np.mean,
    )
    assert found.order == ("b", "a", "control")
    assert found.is_conclusive


def test_share_above_a_quantile():
    control = np.arange(101.0)
    assert share_above(np.array([96.0, 95.0, 0.0, 99.0]), control, level=0.95) == 0.5
    assert share_above(np.zeros(0), control, level=0.95) == pytest.approx(0.0)
