"""Thresholds from judged picks."""

import numpy as np
import pytest

from etpicker_plugin.engine.training.threshold import (
    DEFAULT_THRESHOLD,
    USUAL_THRESHOLD,
    choose_for_micrographs,
    choose_for_other_tomograms,
    choose_threshold,
    true_probability,
)
from etpicker_plugin.engine.training.validation import JudgedPicks, join_judged


def judged(scores, hits, n_truth):
    return JudgedPicks(
        scores=np.array(scores, float), is_true=np.array(hits, bool), n_truth=n_truth
    )


def drawn(n_picks, seed=0, *, n_missed=0):
    """Picks that are true with the probability that their score says."""
    generator = np.random.default_rng(seed)
    scores = generator.uniform(0.01, 0.99, n_picks)
    hits = generator.uniform(size=n_picks) < scores
    return judged(scores, hits, int(hits.sum()) + n_missed)


def test_clean_separation_puts_the_threshold_in_the_gap():
    threshold = choose_threshold(judged([0.9, 0.8, 0.7, 0.1, 0.05], [1, 1, 1, 0, 0], 3))

    assert 0.1 < threshold < 0.7


def test_a_calibrated_score_is_left_as_it_is():
    picks = drawn(4000)

    assert np.abs(true_probability(picks) - picks.scores).max() < 0.06


def test_the_best_expected_f1_of_a_calibrated_score():
    # For scores uniform in 0..1 that are their own probability, half are true, and
    # F1(t) = (1 - t²) / (1.5 - t) is best at t = 0.382.
    assert choose_threshold(drawn(4000)) == pytest.approx(0.382, abs=0.05)


def test_missed_particles_lower_the_threshold():
    # Half of the optimal F1 is the optimal threshold; missing many lowers both.
    assert choose_threshold(drawn(4000, n_missed=2000)) < 0.33


def test_one_stray_pick_moves_it_little():
    picks = drawn(60, seed=3)
    stray = judged([*picks.scores, 0.999], [*picks.is_true, False], picks.n_truth)

    assert abs(choose_threshold(picks) - choose_threshold(stray)) < 0.12


@pytest.mark.parametrize(
    "nothing", [judged([], [], 0), judged([0.5], [0], 3), judged([], [], 2)]
)
def test_without_a_hit_the_default_stands(nothing):
    assert choose_threshold(nothing) == DEFAULT_THRESHOLD


def test_lower_doses_lower_the_threshold():
    clean = judged([0.9, 0.8, 0.6, 0.2, 0.1], [1, 1, 0, 0, 0], 2)
    noisy = judged([0.5, 0.4, 0.2, 0.1, 0.05], [1, 1, 0, 0, 0], 2)

    assert choose_threshold(join_judged([clean, noisy])) < choose_threshold(clean)


def test_sparse_annotation_does_not_take_unmarked_particles_for_errors():
    # Every third true pick is marked. Judged as complete, most picks look wrong.
    truth = drawn(3000)
    generator = np.random.default_rng(1)
    marked = truth.is_true & (generator.uniform(size=3000) < 1 / 3)
    picks = judged(truth.scores, marked, int(marked.sum()))

    complete, sparse = choose_threshold(picks), choose_threshold(picks, sparse=True)

    # A pick of score s is marked with s / 3: of 1 - t picks (1 - t²) / 6, of 1 / 6 in
    # all. F1 is best at 0.566, F1.4 at 0.455, F2 at 1/3; with all particles known F1
    # is, at 0.382.
    assert complete == pytest.approx(0.566, abs=0.09)
    assert sparse == pytest.approx(0.455, abs=0.06)


def test_for_other_tomograms_a_class_that_stands_out_is_cut_off_as_usual():
    """Anything between is as good here; ten times as many false ones come from 0.02."""
    clean = judged([0.9, 0.8, 0.7, 0.02, 0.01], [1, 1, 1, 0, 0], 3)
    high = judged([0.97, 0.95, 0.93, 0.6, 0.5], [1, 1, 1, 0, 0], 3)

    assert choose_for_other_tomograms([clean] * 3) == pytest.approx(
        USUAL_THRESHOLD, rel=0.02
    )
    # All that is usual here is false.
    assert choose_for_other_tomograms([high] * 3) > 2 * USUAL_THRESHOLD


def test_for_other_tomograms_no_more_is_given_up_than_makes_no_difference():
    # Of F1(t) = (1 - t²) / (1.5 - t), 0.764 at its best, 98 % are reached at 0.244.
    chosen = choose_for_other_tomograms([drawn(4000), drawn(4000, seed=1)])

    assert chosen == pytest.approx(0.244, abs=0.06)
    assert chosen < choose_threshold(drawn(4000)) - 0.05


def test_for_other_tomograms_it_lies_amid_those_that_do_equally_well():
    """Where a class does not stand out: here two thirds of it are missed."""
    generator = np.random.default_rng(0)
    log_odds = np.sort(generator.uniform(-6, 2, 6000))[::-1]
    probability = 1 / (1 + np.exp(-log_odds))
    hits = generator.uniform(size=6000) < probability
    picks = judged(probability, hits, int(3 * probability.sum()))

    chosen = choose_for_other_tomograms([picks])

    kept = np.arange(1, 6001)
    f1 = 2 * np.cumsum(probability) / (kept + 3 * probability.sum())
    equal = log_odds[f1 >= 0.98 * f1.max()]
    assert f1.max() < 0.5
    assert np.log(chosen / (1 - chosen)) == pytest.approx(
        (equal[0] + equal[-1]) / 2, abs=0.15
    )
    assert equal[0] - equal[-1] > 0.8


def test_for_other_tomograms_lower_doses_lower_the_threshold():
    clean, noisy = drawn(4000), drawn(4000, seed=1)
    dimmed = judged(noisy.scores / 4, noisy.is_true, noisy.n_truth)
    nothing = judged([0.5, 0.4], [0, 0], noisy.n_truth)

    both = choose_for_other_tomograms([clean, dimmed])

    assert both < choose_for_other_tomograms([clean]) - 0.03
    assert choose_for_other_tomograms([clean, nothing]) == pytest.approx(
        choose_for_other_tomograms([clean])
    )
    assert choose_for_other_tomograms([nothing]) == DEFAULT_THRESHOLD


def test_in_micrographs_it_is_the_middle_of_those_that_do_as_well():
    """F1(t) = (1 - t²) / (1.5 - t) is 0.764 at best, and 0.749 at 0.243 and 0.506.

    Half way between, in log-odds, is 0.364; 0.243 would be nearest to what is usual.
    """
    assert choose_for_micrographs(drawn(4000)) == pytest.approx(0.364, abs=0.03)
    assert choose_for_other_tomograms([drawn(4000)]) == pytest.approx(0.243, abs=0.03)


def test_in_micrographs_without_a_hit_the_default_stands():
    assert choose_for_micrographs(judged([0.5], [0], 3)) == DEFAULT_THRESHOLD
