"""What judged picks amount to."""

import numpy as np
import pytest

from etpicker_plugin.engine.training.validation import (
    JudgedPicks,
    join_judged,
    result_at,
)


def judged(scores, hits, n_truth):
    return JudgedPicks(
        scores=np.array(scores, float), is_true=np.array(hits, bool), n_truth=n_truth
    )


def test_result_by_hand():
    picks = judged([0.9, 0.3, 0.8, 0.1], [1, 0, 1, 1], 4)

    result = result_at(picks, 0.2, f_alpha=2)

    assert result.precision == pytest.approx(2 / 3)
    assert result.recall == 0.5
    assert result.f1 == pytest.approx(4 / 7)
    assert result.f_alpha == pytest.approx(2 * (2 / 3) * 0.25 / (2 / 3 + 0.25))


def test_nothing_found_is_zero():
    assert result_at(judged([0.5], [0], 3), 0.3, f_alpha=3).f1 == 0.0
    assert result_at(judged([], [], 0), 0.3, f_alpha=3).f_alpha == 0.0


def test_parts_are_pooled():
    pooled = join_judged([judged([0.9], [1], 2), judged([0.5, 0.1], [0, 1], 1)])

    assert pooled.n_truth == 3
    assert pooled.scores.tolist() == [0.9, 0.5, 0.1]
    assert pooled.is_true.tolist() == [True, False, True]
