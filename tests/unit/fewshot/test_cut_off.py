"""The cut-off from what the clicks score, and from the tail of the background."""

import numpy as np
import pytest

from etpicker_plugin.engine.fewshot.cut_off import (
    HIGHEST,
    LOWEST,
    above_background,
    choose_cut_off,
)

N_BACKGROUND = 400
DECAY = 0.3


def from_log_odds(values):
    return 1 / (1 + np.exp(-np.asarray(values)))


def background(start=-4.0):
    """Scores whose log-odds thin out exponentially, without chance."""
    left = (np.arange(N_BACKGROUND) + 0.5) / N_BACKGROUND
    return from_log_odds(start - DECAY * np.log(left))


def cut_off(scores, at_click):
    return choose_cut_off(scores, at_click, is_pure=False)


def scene(particles, clicks, start=-4.0):
    """Background, particles at these log-odds, the first of them clicked."""
    scores = np.concatenate([background(start), from_log_odds(particles)])
    at_click = np.zeros(len(scores), bool)
    at_click[N_BACKGROUND : N_BACKGROUND + clicks] = True
    return scores, at_click


def test_it_lies_where_the_background_has_thinned_out():
    """Twelve particles at -0.5 to -1.6: two false ones in ten come at -2.5.

    401 · 0.5^((x + 4) / (0.3 ln 2)) = 0.2 · 14 gives x = -2.51; the quantiles see the
    particles too, so the tail seems a little heavier than it is.
    """
    scores, _ = scene(np.linspace(-0.5, -1.6, 12), 0)
    found = above_background(scores, is_pure=False)
    assert -2.6 < np.log(found / (1 - found)) < -2.2


def test_many_particles_of_a_pure_sample_do_not_raise_it():
    """Eighty at -0.5 to -1.6 among 400: of what is kept, 20 are background's best.

    400 exp(-(x + 4) / 0.3) = 0.2 · 100 gives x = -3.10. With the particles among what
    the tail is measured by, it would be -2.1.
    """
    scores, _ = scene(np.linspace(-0.5, -1.6, 80), 0)
    pure, mixed = (above_background(scores, is_pure=is_pure) for is_pure in (1, 0))
    assert np.log(pure / (1 - pure)) == pytest.approx(-3.1, abs=0.15)
    assert np.log(mixed / (1 - mixed)) == pytest.approx(-2.1, abs=0.05)


def test_dim_particles_are_kept_where_the_background_is_dimmer():
    """One click scores 0.62, the other ones down to 0.14: above the noise all same."""
    log_odds = [0.5, *np.linspace(-0.9, -1.8, 11)]
    found = cut_off(*scene(log_odds, 1))
    assert found.value < from_log_odds(-1.8)
    assert found.value > np.sort(background())[-4]
    assert found.least < found.value < found.most < from_log_odds(0.5)


def test_the_same_particles_on_a_brighter_background_are_cut_higher():
    log_odds = [0.5, *np.linspace(-0.9, -1.8, 11)]
    dim, bright = (cut_off(*scene(log_odds, 1, s)) for s in (-4, -3.3))
    assert bright.value > 1.3 * dim.value
    assert bright.most == dim.most


@pytest.mark.parametrize("clicks", [1, 4])
def test_it_is_held_to_what_particles_are_expected_to_score(clicks):
    """The clicks score 0.62; the background is next to nothing, then everywhere."""
    expected = from_log_odds(0.5) * clicks / (clicks + 1)
    low = cut_off(*scene([0.5] * clicks, clicks, start=-9))
    assert low.value == pytest.approx(LOWEST * expected, abs=1e-6)
    high = cut_off(*scene([0.5] * clicks, clicks, start=0.4))
    assert high.value == pytest.approx(HIGHEST * expected, abs=1e-6)


def test_a_click_alone_is_enough():
    found = cut_off(np.array([0.8]), np.array([True]))
    assert found.value == pytest.approx(HIGHEST * 0.4)
    assert found.least < found.value < found.most


def test_scores_that_are_all_the_same_tell_nothing():
    found = cut_off(np.full(30, 0.3), np.arange(30) < 2)
    assert found.value == pytest.approx(HIGHEST * 0.2)


def test_there_is_none_without_a_candidate_at_a_click():
    assert cut_off(np.array([0.3, 0.4]), np.zeros(2, bool)) is None
