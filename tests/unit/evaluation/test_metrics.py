"""Precision, recall and what is made of them, by hand."""

import numpy as np
import pytest

from etpicker_plugin.engine.evaluation.metrics import (
    average_precision,
    best_threshold,
    f_alpha_score,
    fbeta,
    precision_of,
    precision_recall_curve,
    recall_of,
)


def test_precision_and_recall():
    assert precision_of(3, 4) == 0.75
    assert recall_of(3, 5) == 0.6
    assert precision_of(0, 0) == 0.0
    assert recall_of(0, 0) == 0.0


@pytest.mark.parametrize(
    ("beta", "expected"),
    [(1.0, 1 / 3), (4.0, 2.125 / 8.25), (0.5, 0.15625 / 0.375)],
)
def test_fbeta_of_a_half_and_a_quarter(beta, expected):
    assert fbeta(0.5, 0.25, beta) == pytest.approx(expected)


def test_fbeta_where_both_are_zero():
    assert fbeta([0.0, 1.0], [0.0, 1.0], 4.0).tolist() == [0.0, 1.0]


def test_f_alpha_reaches_one():
    assert f_alpha_score(0.5, 0.8) == pytest.approx(0.512 / 1.012)
    assert f_alpha_score(1.0, 1.0) == 1.0
    assert f_alpha_score(0.0, 0.0) == 0.0


def test_the_curve_walks_from_the_best_score():
    curve = precision_recall_curve([0.7, 0.9, 0.8], [True, True, False], 4)

    assert curve.thresholds.tolist() == [0.9, 0.8, 0.7]
    assert curve.precision == pytest.approx([1, 1 / 2, 2 / 3])
    assert curve.recall == pytest.approx([0.25, 0.25, 0.5])


def test_equal_scores_fall_together_and_unknown_ones_last():
    curve = precision_recall_curve(
        [np.nan, 0.9, 0.9, 0.5], [True, True, False, False], 2
    )

    assert curve.thresholds.tolist() == [0.9, 0.5, -np.inf]
    assert curve.precision == pytest.approx([1 / 2, 1 / 3, 1 / 2])
    assert curve.recall == pytest.approx([0.5, 0.5, 1.0])


def test_average_precision():
    """1/4 of recall at precision 1, and 1/4 at 2/3."""
    assert average_precision([0.7, 0.9, 0.8], [True, True, False], 4) == pytest.approx(
        0.25 + 0.25 * 2 / 3
    )
    assert average_precision([0.9, 0.9], [True, False], 1) == pytest.approx(0.5)
    assert average_precision([0.9], [False], 1) == 0.0


def test_average_precision_that_means_nothing():
    assert average_precision([], [], 3) is None
    assert average_precision([np.nan, np.nan], [True, False], 3) is None
    assert average_precision([0.5], [False], 0) is None


def test_the_best_threshold():
    curve = precision_recall_curve([0.95, 0.9, 0.8, 0.7], [False, True, True, False], 4)

    best = best_threshold(curve)

    assert best == pytest.approx((4 / 7, 0.8))
    assert best_threshold(precision_recall_curve([np.nan], [True], 1)) is None
    assert best_threshold(precision_recall_curve([], [], 1)) is None
