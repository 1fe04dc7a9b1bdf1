"""Pairing picks with particles, by hand."""

import numpy as np
import pytest

from etpicker_plugin.engine.evaluation.matching import (
    greedy_hits,
    match_by_score,
    match_picks,
)


def on_a_line(*values, axis=2):
    """Return positions along one axis; the others are different constants."""
    points = np.tile([3.0, 5.0, 7.0], (len(values), 1))
    points[:, axis] = values
    return points


def pairs(matching):
    return list(
        zip(
            matching.pick_indices.tolist(),
            matching.truth_indices.tolist(),
            strict=True,
        )
    )


def test_more_pairs_than_nearest_first():
    """The pick at 4 is nearest to 0, but there the pick at -5 has its only partner."""
    matching = match_picks(on_a_line(4, -5), on_a_line(0, 10), max_distance=7)

    assert pairs(matching) == [(0, 1), (1, 0)]
    assert matching.distances.tolist() == [6, 5]


def test_less_distance_than_nearest_first():
    """Nearest first: 3-5 and 9-0, 11 in all; the best: 3-0 and 9-5, 7 in all."""
    matching = match_picks(on_a_line(3, 9), on_a_line(0, 5), max_distance=20)

    assert pairs(matching) == [(0, 0), (1, 1)]
    assert matching.distances.tolist() == [3, 4]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_largest_distance_still_counts(axis):
    picks = on_a_line(0, 100, axis=axis)
    truth = on_a_line(5, 105.01, axis=axis)

    assert pairs(match_picks(picks, truth, max_distance=5)) == [(0, 0)]


def test_a_pick_on_its_particle_counts():
    matching = match_picks(on_a_line(1, 2), on_a_line(2, 9), max_distance=0.5)

    assert pairs(matching) == [(1, 0)]
    assert matching.distances.tolist() == [0]


def test_two_picks_of_one_particle_are_one_pair():
    matching = match_picks(on_a_line(1, 2, 3), on_a_line(2.1), max_distance=5)

    assert pairs(matching) == [(1, 0)]
    assert (matching.n_picks, matching.n_truth) == (3, 1)


@pytest.mark.parametrize(("n_picks", "n_truth"), [(0, 2), (2, 0), (0, 0)])
def test_nothing_to_pair(n_picks, n_truth):
    picks, truth = on_a_line(*range(n_picks)), on_a_line(*range(n_truth))

    matching = match_picks(picks, truth, max_distance=5)

    assert pairs(matching) == []
    assert (matching.n_picks, matching.n_truth) == (n_picks, n_truth)
    assert (
        match_by_score(picks, [0.5] * n_picks, truth, max_distance=5).tolist()
        == [-1] * n_picks
    )


def test_the_best_score_takes_the_nearest_particle():
    picks, truth = on_a_line(4, -5), on_a_line(0, 10)

    by_first = match_by_score(picks, [0.9, 0.8], truth, max_distance=7)
    by_second = match_by_score(picks, [0.8, 0.9], truth, max_distance=7)

    assert by_first.tolist() == [0, -1]
    assert by_second.tolist() == [1, 0]
    assert greedy_hits(picks, [0.9, 0.8], truth, max_distance=7).tolist() == [
        True,
        False,
    ]


def test_an_unknown_score_comes_last_and_equal_ones_in_order():
    picks = on_a_line(0, 1, 2)

    taken = match_by_score(picks, [np.nan, 0.1, 0.1], on_a_line(0), max_distance=5)

    assert taken.tolist() == [-1, 0, -1]
