"""Bootstrap intervals over tomograms."""

import numpy as np
import pytest

from etpicker_plugin.engine.comparison.intervals import MEASURES, score_intervals
from etpicker_plugin.engine.evaluation.scoring import compare

PLACES = np.array([[0.0, 0.0, 100.0 * n] for n in range(10)])


def tomogram(n_found):
    """Ten particles, ``n_found`` of them picked, nothing false."""
    return compare(
        PLACES[:n_found],
        PLACES,
        scores=np.full(n_found, np.nan),
        max_distance=10.0,
    )


def intervals(found):
    return score_intervals(
        [tomogram(n) for n in found],
        voxel_size=10.0,
        beta=2.0,
        resamples=2000,
        generator=np.random.default_rng(3),
    )


def test_recall_of_tomograms_that_differ():
    # Recall 0.2 or 1.0 of each of four tomograms, two of either: the mean of four
    # draws is 0.2 and 1.0 with 1/16 each, above the tails of 1/40.
    low, high = intervals([2, 10, 2, 10])["recall"]
    assert (low, high) == pytest.approx((0.2, 1.0))
    # Of twenty the binomial's 2.5 % lie at 6 and 14 of 20.
    low, high = intervals([2, 10] * 10)["recall"]
    assert low == pytest.approx(0.2 + 0.8 * 6 / 20, abs=0.041)
    assert high == pytest.approx(0.2 + 0.8 * 14 / 20, abs=0.041)


def test_what_is_not_defined_has_no_interval():
    assert intervals([2, 10, 5])["average_precision"] is None
    assert intervals([2, 10]) == dict.fromkeys(MEASURES)
