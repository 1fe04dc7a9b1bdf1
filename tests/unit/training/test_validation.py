"""Thresholds from judged picks."""

import numpy as np
import pytest

from etpicker_plugin.engine.training.validation import (
    DEFAULT_THRESHOLD,
    JudgedPicks,
    choose_threshold,
    join_judged,
    result_at,
)


def judged(scores, hits, n_truth):
    return JudgedPicks(
        scores=np.array(scores, float), is_true=np.array(hits, bool), n_truth=n_truth
    )


def test_clean_separation_puts_the_threshold_in_the_gap():
    picks = judged([0.9, 0.8, 0.7, 0.2, 0.1], [1, 1, 1, 0, 0], 3)

    threshold = choose_threshold(picks)

    assert 0.2 < threshold < 0.7
    result = result_at(picks, threshold, f_alpha=3)
    assert (result.precision, result.recall, result.f1) == (1.0, 1.0, 1.0)


def test_the_best_f1_is_kept():
    # F1 by number kept: 2/5, 4/6, 4/7, 4/8.
    threshold = choose_threshold(judged([0.9, 0.3, 0.8, 0.1], [1, 0, 1, 0], 4))

    assert 0.3 < threshold < 0.8


def test_result_by_hand():
    picks = judged([0.9, 0.3, 0.8, 0.1], [1, 0, 1, 1], 4)

    result = result_at(picks, 0.2, f_alpha=2)

    assert result.precision == pytest.approx(2 / 3)
    assert result.recall == 0.5
    assert result.f1 == pytest.approx(4 / 7)
    assert result.f_alpha == pytest.approx(2 * (2 / 3) * 0.25 / (2 / 3 + 0.25))


@pytest.mark.parametrize(
    "nothing", [judged([], [], 0), judged([0.5], [0], 3), judged([], [], 2)]
)
def test_without_a_hit_the_default_stands(nothing):
    threshold = choose_threshold(nothing)

    assert threshold == DEFAULT_THRESHOLD
    assert result_at(nothing, threshold, f_alpha=3).f1 == 0.0


def test_pooling_lower_doses_lowers_the_threshold():
    clean = judged([0.9, 0.8, 0.2], [1, 1, 0], 2)
    noisy = judged([0.5, 0.4, 0.1], [1, 1, 0], 2)

    pooled = join_judged([clean, noisy])

    assert pooled.n_truth == 4
    assert 0.2 < choose_threshold(pooled) < 0.7
    assert choose_threshold(pooled) < choose_threshold(clean) + 0.05


def test_sparse_annotation_does_not_take_unmarked_particles_for_errors():
    # A third of the particles is marked. Nine good picks hold three of the marked;
    # five more hold one, so that three of the five are real, and are worth keeping.
    scores = np.linspace(0.9, 0.1, 14)
    hits = np.isin(np.arange(14), [1, 4, 8, 13])
    picks = judged(scores, hits, 4)

    assert choose_threshold(picks) > scores[10]
    assert choose_threshold(picks, sparse=True) < scores[10]
