"""What network and maps count for, fitted to candidates that are known."""

import numpy as np

from etpicker_plugin.engine.picking.second_look import FIRST_WEIGHTS
from etpicker_plugin.engine.training.second_look import fit_weights


def test_weights_are_those_that_made_the_truth():
    generator = np.random.default_rng(1)
    features = generator.normal(0.0, 2.0, (6000, 2))
    odds = features @ np.array([0.7, 1.6]) - 1.2
    is_true = generator.random(6000) < 1 / (1 + np.exp(-odds))
    np.testing.assert_allclose(
        fit_weights(features, is_true), [0.7, 1.6, -1.2], atol=0.2
    )


def test_what_speaks_against_the_truth_counts_nothing():
    generator = np.random.default_rng(2)
    features = generator.normal(0.0, 1.0, (4000, 2))
    is_true = features[:, 0] - 0.5 * features[:, 1] > 0.5
    network, maps, _ = fit_weights(features, is_true)
    assert maps == 0.0
    assert network > 1.0


def test_without_anything_true_the_first_weights_stay():
    assert fit_weights(np.ones((5, 2)), np.zeros(5, bool)) == FIRST_WEIGHTS
