"""A trained head is taken from its threshold on, and moved by wrong answers alone."""

import numpy as np
import pytest

from etpicker_plugin.engine.fewshot.head import Usual
from etpicker_plugin.engine.fewshot.trained_head import (
    MARGIN,
    at_threshold,
    teach,
    trained_heads,
)
from etpicker_plugin.engine.kinds import FILAMENT
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.species import Species

USUAL = Usual(np.array([1.0, 2.0, 0.0]), np.diag([1.0, 4.0, 0.25]))
HEAD = at_threshold(np.array([2.0, -1.0, 0.5]), -3.0, 0.5)
NONE = np.zeros((0, 3))


def logit(head, place):
    return float(head.weight @ np.asarray(place) + head.bias)


def test_the_threshold_is_where_the_logit_is_zero():
    """The score 0.2 has the logit -ln 4."""
    head = at_threshold(np.array([1.0, 0.0, 0.0]), 0.0, 0.2)
    assert logit(head, [-np.log(4), 5, 6]) == pytest.approx(0)


def test_right_answers_move_nothing():
    clicks = np.array([[6.0, 1.0, 0.0], [5.0, 2.0, 1.0]])
    wrong = np.array([[1.0, 2.0, 0.0]])
    assert min(logit(HEAD, click) for click in clicks) > MARGIN
    taught = teach(HEAD, clicks, wrong, USUAL)
    np.testing.assert_allclose(taught.weight, HEAD.weight, atol=1e-6)
    assert taught.bias == pytest.approx(HEAD.bias)


def test_missed_and_wrongly_found_places_change_sides():
    missed, found = np.array([[2.0, 2.0, 1.0]]), np.array([[4.0, 2.0, -1.0]])
    assert logit(HEAD, missed[0]) < 0 < logit(HEAD, found[0])
    taught = teach(HEAD, missed, found, USUAL)
    assert logit(taught, found[0]) < 0.2 < logit(taught, missed[0])
    only = teach(HEAD, missed, NONE, USUAL)
    assert logit(only, missed[0]) > 0


def test_it_does_not_depend_on_how_features_are_measured():
    missed, found = np.array([[2.0, 2.0, 1.0]]), np.array([[4.0, 2.0, -1.0]])
    units = np.diag([2.0, 0.5, 10.0])
    other = Usual(units @ USUAL.mean, units @ USUAL.covariance @ units.T)
    head = HEAD._replace(weight=np.linalg.solve(units.T, HEAD.weight))
    taught = teach(HEAD, missed, found, USUAL)
    again = teach(head, missed @ units.T, found @ units.T, other)
    np.testing.assert_allclose(again.weight @ units, taught.weight, rtol=1e-3)
    assert again.bias == pytest.approx(taught.bias, rel=1e-3)


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
