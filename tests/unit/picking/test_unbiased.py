"""Everything that looks like a particle: one pick a place, the surest class."""

import numpy as np
import pytest

from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.picking.unbiased import merge_classes


def peaks(rows):
    rows = np.array(rows, float)
    return Peaks(
        positions_zyx=rows[:, :3],
        scores=rows[:, 3],
        channels=rows[:, 4].astype(np.intp),
    )


def test_half_hearted_claims_of_two_classes_add_up():
    found = merge_classes(
        peaks([[5, 9, 20, 0.5, 0], [5, 10, 21, 0.4, 1], [5, 40, 20, 0.5, 1]]), [12, 8]
    )

    assert found.positions_zyx.tolist() == [[5, 9, 20], [5, 40, 20]]
    assert found.scores == pytest.approx([1 - 0.5 * 0.6, 0.5])
    assert found.channels.tolist() == [0, 1]


def test_a_class_counts_once():
    found = merge_classes(
        peaks([[5, 9, 20, 0.5, 0], [5, 10, 20, 0.5, 0], [6, 9, 20, 0.3, 0]]), [12, 8]
    )

    assert len(found) == 1
    assert found.scores == pytest.approx([0.5])


def test_neighbours_farther_than_the_radius_stay():
    found = merge_classes(peaks([[0, 0, 0, 0.9, 1], [0, 0, 5, 0.8, 1]]), [12, 8])

    assert len(found) == 2


def test_no_peaks():
    empty = peaks(np.zeros((0, 5)))

    assert len(merge_classes(empty, [12.0])) == 0
