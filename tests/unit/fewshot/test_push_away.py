"""A head is moved away from rejected places, and keeps its clicks."""

import numpy as np

from etpicker_plugin.engine.fewshot.head import Usual, solve_head
from etpicker_plugin.engine.fewshot.push_away import push_away

GENERATOR = np.random.default_rng(3)
MIXED = GENERATOR.normal(size=(6, 6))
USUAL = Usual(GENERATOR.normal(size=6), MIXED @ MIXED.T + 0.5 * np.eye(6))
CLICK = USUAL.mean + 6 * MIXED[:, 0]
ALONE = solve_head(USUAL, CLICK[None], np.zeros((0, 6)))


def logits(head, places):
    return np.atleast_2d(places) @ head.weights[0] + head.biases[0]


def test_rejected_places_fall_below_and_the_click_stays():
    """Both share the click's direction, and have another of their own."""
    wrong = CLICK + np.stack([4 * MIXED[:, 1], 5 * MIXED[:, 1] + MIXED[:, 2]])
    both = solve_head(USUAL, CLICK[None], wrong)
    assert logits(ALONE, wrong).min() > 2
    assert logits(both, wrong).max() < 0.5
    assert logits(both, CLICK)[0] > 1.5
    assert logits(both, USUAL.mean)[0] < -3


def test_what_is_judged_right_already_moves_nothing():
    far = USUAL.mean - 3 * (CLICK - USUAL.mean)
    both = solve_head(USUAL, CLICK[None], far[None])
    change = both.weights - ALONE.weights
    assert np.abs(change).max() < 0.06 * np.abs(ALONE.weights).max()


def test_many_rejections_do_not_drown_one_click():
    middle = USUAL.mean + 0.7 * (CLICK - USUAL.mean)
    wrong = middle + GENERATOR.normal(size=(60, 6)) @ MIXED.T
    both = solve_head(USUAL, CLICK[None], wrong)
    assert logits(both, CLICK)[0] > logits(both, wrong).mean() + 1
    assert logits(both, CLICK)[0] > 0.5


def test_it_does_not_depend_on_how_features_are_measured():
    """In other units of features the logits are the same."""
    wrong = CLICK + 4 * MIXED[:, 1:2].T
    units = np.diag([2.0, 0.5, 3.0, 1.0, 0.1, 7.0])
    weight, bias = push_away(
        ALONE.weights[0],
        ALONE.biases[0],
        click=CLICK,
        negatives=wrong,
        mean=USUAL.mean,
        covariance=USUAL.covariance,
    )
    other, offset = push_away(
        np.linalg.solve(units, ALONE.weights[0]),
        ALONE.biases[0],
        click=units @ CLICK,
        negatives=wrong @ units,
        mean=units @ USUAL.mean,
        covariance=units @ USUAL.covariance @ units,
    )
    np.testing.assert_allclose(units @ other, weight, atol=2e-3)
    np.testing.assert_allclose(offset, bias, atol=5e-3)
