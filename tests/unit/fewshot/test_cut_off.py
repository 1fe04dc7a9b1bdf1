"""The cut-off from what the clicks score."""

import numpy as np
import pytest

from etpicker_plugin.engine.fewshot.cut_off import choose_cut_off


def test_a_share_of_the_median_at_the_clicks():
    scores = np.array([0.9, 0.1, 0.7, 0.8, 0.2])
    found = choose_cut_off(scores, np.array([True, False, True, True, False]))
    assert found.value == pytest.approx(0.42 * 0.8)
    assert found.least < found.value < found.most < 0.8


def test_there_is_none_without_a_candidate_at_a_click():
    assert choose_cut_off(np.array([0.3, 0.4]), np.zeros(2, bool)) is None
