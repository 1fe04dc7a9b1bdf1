"""Scores against the share of picks that are true."""

import numpy as np
import pytest

from etpicker_plugin.engine.evaluation.reliability import measure_reliability
from etpicker_plugin.engine.evaluation.scoring import Comparison


def compared(scores, is_hit):
    scores = np.asarray(scores, float)
    return Comparison(
        n_truth=len(scores),
        scores=scores,
        is_paired=np.asarray(is_hit, bool),
        is_hit=np.asarray(is_hit, bool),
        distances=np.zeros(0),
        offsets_zyx=np.zeros((0, 3)),
    )


def drawn(power):
    """Picks that are true with the probability score ** power."""
    generator = np.random.default_rng(0)
    scores = generator.uniform(size=20_000)
    return compared(scores, generator.uniform(size=20_000) < scores**power)


def test_probabilities_have_no_error_and_overconfident_scores_theirs():
    assert measure_reliability(drawn(1)).expected_calibration_error < 0.02
    # The mean of s - s² over 0 to 1.
    error = measure_reliability(drawn(2)).expected_calibration_error
    assert error == pytest.approx(1 / 6, abs=0.02)


def test_each_pick_counts_once_in_its_range():
    found = measure_reliability(compared([0.0, 0.05, 0.1, 1.0], [0, 1, 1, 1]))

    assert [b.n_picks for b in found.bins] == [2, 1, 1]
    assert [b.share_true for b in found.bins] == [0.5, 1.0, 1.0]
    assert found.bins[0].mean_score == pytest.approx(0.025)
    error = (2 * 0.475 + 0.9 + 0.0) / 4
    assert found.expected_calibration_error == pytest.approx(error)


@pytest.mark.parametrize("scores", [[], [0.5, np.nan], [0.5, 1.2], [-0.1, 0.5]])
def test_what_is_no_probability_has_none(scores):
    assert measure_reliability(compared(scores, [True] * len(scores))) is None
