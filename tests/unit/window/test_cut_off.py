import numpy as np
import pytest

from etpicker_plugin.window.aids.cut_off import find_cut_off


def two_hills(generator, low=0.2, high=0.8, n=(400, 200)):
    return np.concatenate(
        [generator.normal(low, 0.06, n[0]), generator.normal(high, 0.06, n[1])]
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_cut_lies_in_the_valley_and_says_so(seed):
    found = find_cut_off(two_hills(np.random.default_rng(seed)))
    assert 0.35 < found.score < 0.65
    assert "between the hills of scores at 0." in found.reason
    assert f"({found.score:.3f})" in found.reason


def test_a_clear_valley_is_seen_in_few_picks():
    found = find_cut_off(two_hills(np.random.default_rng(1), n=(30, 25)))
    assert 0.3 < found.score < 0.7


def test_it_moves_with_the_hills():
    found = find_cut_off(two_hills(np.random.default_rng(0), low=0.05, high=0.3))
    assert 0.12 < found.score < 0.24


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n", [45, 100, 500, 20000])
def test_one_hill_has_no_cut_and_says_why(seed, n):
    found = find_cut_off(np.random.default_rng(seed).normal(0.6, 0.1, n))
    assert found.score is None
    assert "one hill" in found.reason


@pytest.mark.parametrize(
    "scores", [np.zeros(0), np.full(300, np.nan), np.linspace(0, 1, 39)]
)
def test_too_few_scores_have_no_cut(scores):
    found = find_cut_off(scores)
    assert found.score is None
    assert "too few" in found.reason


def test_equal_scores_have_no_cut():
    assert find_cut_off(np.full(200, 0.5)).score is None
