"""The head in closed form, by hand and on planted means."""

import numpy as np

from etpicker_plugin.engine.fewshot.head import SHRINKAGE, Usual, solve_head, usual_of

USUAL = Usual(np.array([1.0, 2.0, 0.0]), np.diag([1.0, 4.0, 0.25]))
NONE = np.zeros((0, 3))


def logits(head, place):
    return head.weights @ np.asarray(place) + head.biases


def test_usual_and_clicked_places_by_hand():
    """Away by (2, 2, 0): whitened (2, 0.5, 0), which answers 2·2 + 0.5·2 = 5."""
    head = solve_head(USUAL, np.array([[3.0, 4.0, 0.0]]), NONE)
    np.testing.assert_allclose(head.weights, [[8 * 2 / 5, 8 * 0.5 / 5, 0]])
    np.testing.assert_allclose(logits(head, [1, 2, 0]), [-4])
    np.testing.assert_allclose(logits(head, [3, 4, 0]), [4])


def test_classes_do_not_answer_to_each_other():
    """Two that share a direction: the first alone would call the second its own."""
    means = np.array([[9.0, 2.0, 0.0], [9.0, 14.0, 0.0]])
    alone = solve_head(USUAL, means[:1], NONE)
    both = solve_head(USUAL, means, NONE)
    assert logits(alone, means[1])[0] > 3.9
    first, second = logits(both, means[0]), logits(both, means[1])
    assert first[0] > 3.9
    assert second[1] > 3.9
    assert first[1] < -3
    assert second[0] < -3


def test_negatives_are_told_apart():
    means = np.array([[3.0, 2.0, 0.0]])
    wrong = np.array([[3.0, 2.0, 5.0], [3.0, 2.0, 6.0]])
    before = logits(solve_head(USUAL, means, NONE), wrong[0])[0]
    after = logits(solve_head(USUAL, means, wrong), wrong[0])[0]
    assert before > 3.9
    assert after < before - 1


def test_the_usual_is_shrunk():
    features = np.array([[1.0, 10.0], [3.0, 10.0], [1.0, 14.0], [3.0, 14.0]])
    usual = usual_of(features)
    variances = np.array([4 / 3, 16 / 3])
    ridge = SHRINKAGE * variances.mean()
    np.testing.assert_allclose(usual.mean, [2, 12])
    np.testing.assert_allclose(usual.covariance, np.diag(variances + ridge), atol=1e-12)
