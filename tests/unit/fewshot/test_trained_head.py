"""A trained head is taken from its threshold on, and moved by wrong answers alone."""

import numpy as np
import pytest

from etpicker_plugin.engine.fewshot.head import Usual
from etpicker_plugin.engine.fewshot.trained_head import (
    TrainedHead,
    border_of,
    teach,
    trained_heads,
)
from etpicker_plugin.engine.kinds import FILAMENT
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.species import Species

USUAL = Usual(np.array([1.0, 2.0, 0.0]), np.diag([1.0, 4.0, 0.25]))
THRESHOLD = 0.14
"""At the centre of such a pick the score is 0.5, and the logit 0."""
HEAD = TrainedHead(np.array([20.0, -10.0, 5.0]), -30.0, THRESHOLD)
NONE = np.zeros((0, 3))


def logit(head, place):
    return float(head.weight @ np.asarray(place) + head.bias)


def test_a_pick_at_the_threshold_scores_more_at_its_centre():
    assert border_of(THRESHOLD) == pytest.approx(0)
    assert border_of(0.056) == pytest.approx(-np.log(4))  # 0.2 at its centre
    assert border_of(0.9) == border_of(THRESHOLD)


def test_right_answers_move_nothing():
    clicks = np.array([[6.0, 1.0, 0.0], [5.0, 2.0, 1.0]])
    wrong = np.array([[1.0, 2.0, 0.0]])
    assert min(logit(HEAD, click) for click in clicks) > 0 > logit(HEAD, wrong[0])
    taught = teach(HEAD, clicks, wrong, USUAL)
    np.testing.assert_allclose(taught.weight, HEAD.weight, atol=1e-6)
    assert taught.bias == pytest.approx(HEAD.bias)
    assert taught.threshold == THRESHOLD


def test_missed_and_wrongly_found_places_are_moved_to_the_border():
    missed, found = np.array([[2.0, 2.0, 1.0]]), np.array([[4.0, 2.0, -1.0]])
    before = logit(HEAD, missed[0]), logit(HEAD, found[0])
    assert before[0] < -4
    assert before[1] > 24
    taught = teach(HEAD, missed, found, USUAL)
    assert logit(taught, missed[0]) > before[0] + 2
    assert logit(taught, found[0]) < before[1] / 2
    only = teach(HEAD, missed, NONE, USUAL)
    assert before[0] + 2 < logit(only, missed[0]) < 0


def test_it_does_not_depend_on_how_features_are_measured():
    missed, found = np.array([[2.0, 2.0, 1.0]]), np.array([[4.0, 2.0, -1.0]])
    units = np.diag([2.0, 0.5, 10.0])
    other = Usual(units @ USUAL.mean, units @ USUAL.covariance @ units.T)
    head = HEAD._replace(weight=np.linalg.solve(units.T, HEAD.weight))
    taught = teach(HEAD, missed, found, USUAL)
    again = teach(head, missed @ units.T, found @ units.T, other)
    np.testing.assert_allclose(again.weight @ units, taught.weight, rtol=1e-2)
    assert again.bias == pytest.approx(taught.bias, rel=1e-2)


def test_the_heads_of_a_network_by_class():
    network = make_network("fast", 3, seed=4)
    species = [
        Species("a", 100.0, 50.0, threshold=0.3),
        Species("f", 70.0, 50.0, threshold=0.3, kind=FILAMENT),
        Species("b", 60.0, 30.0, threshold=0.5),
    ]
    heads = trained_heads(network, species)
    assert set(heads) == {"a", "b"}
    weight = network.head.weight.detach().numpy()[2, :, 0, 0, 0]
    np.testing.assert_allclose(heads["b"].weight, weight)
    assert heads["b"].bias == pytest.approx(float(network.head.bias[2]))
    assert heads["b"].threshold == 0.5
