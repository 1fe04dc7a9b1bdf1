"""Scores of picks in flat places."""

import numpy as np
import pytest

from etpicker_plugin.engine.picking.flat_places import (
    box_edge,
    contrast_around,
    doubt_flat_places,
    how_flat,
    take_log_odds,
    usual_contrast,
    weighted_median,
)
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SHAPE_ZYX = (24, 40, 90)


def make_volume():
    """Noise of unit deviation for x < 60, of a fifth of it beyond."""
    image = np.random.default_rng(4).normal(0, 1, SHAPE_ZYX)
    image[:, :, 60:] *= 0.2
    return ArrayVolume(image.astype(np.float16))


def make_peaks(xs, scores, channel=0):
    positions = [(12.0, 8.0 + i % 25, x) for i, x in enumerate(xs)]
    return Peaks(
        positions_zyx=np.array(positions),
        scores=np.array(scores, float),
        channels=np.full(len(positions), channel),
    )


def doubt(peaks, costs):
    species = [
        Species(
            name=str(i), diameter_ang=90.0, label_diameter_ang=40.0, flat_log_odds=cost
        )
        for i, cost in enumerate(costs)
    ]
    return doubt_flat_places(peaks, make_volume(), species, voxel_size=10.0)


def test_contrast_by_hand():
    image = np.zeros((6, 8, 10), np.float16)
    image[2, 3:5, 4:6] = [[4, 0], [0, 4]]
    image[0, 0, 9] = 3

    # A cube of 2³ from (2, 3, 4) holds two fours and six zeros; of the one at the
    # corner 1 x 1 x 1 voxels are inside.
    found = contrast_around(
        np.array([(3.0, 4.0, 5.0), (0.0, 0.0, 10.0)]), ArrayVolume(image), edge=2
    )

    assert found == pytest.approx([np.sqrt(2 * 16 / 8 - 1), 0.0])


def test_a_weighted_median_by_hand():
    values = np.array([7.0, 1.0, 3.0, 5.0])

    assert weighted_median(values, np.array([0.1, 0.1, 0.1, 0.1])) == 3.0
    assert weighted_median(values, np.array([0.1, 0.2, 0.3, 0.7])) == 5.0


def test_lowered_scores_by_hand():
    found = take_log_odds(np.array([0.6, 0.5, 0.3]), np.array([0.5, 1.0, 0.0]))

    # Odds of 0.6 are 1.5, of 0.5 are 1; e less is e times smaller odds.
    first = 1.5 * np.exp(-0.5)
    assert found == pytest.approx([first / (1 + first), 1 / (1 + np.e), 0.3])


def test_flatness_counts_deviations_below_what_is_usual():
    # One voxel of height h in a cube of 5³ gives a contrast that grows with h.
    heights = np.array([*np.linspace(9, 11, 40), 5.0, 30.0])
    image = np.zeros((9, 9, 9 * len(heights)), np.float16)
    image[4, 4, 4::9] = heights
    peaks = Peaks(
        positions_zyx=np.array([(4.0, 4.0, 4.0 + 9 * i) for i in range(len(heights))]),
        scores=np.array([*np.full(40, 0.8), 0.01, 0.01]),
        channels=np.zeros(len(heights), int),
    )

    edge = box_edge(4.0)
    assert edge == 5
    contrast = contrast_around(peaks.positions_zyx, ArrayVolume(image), edge=edge)
    found = how_flat(contrast, usual_contrast(contrast, peaks.scores))

    # Half of the usual ones deviate by more than a quarter of their range of 2.
    spread = 1.4826 * 0.5
    assert found[0] == pytest.approx(1.0 / spread, rel=0.1)
    assert found[5] == pytest.approx((10 - heights[5]) / spread, rel=0.1)
    assert (found[20:40] < 0.05).all()
    assert found[-2] == 4.0  # cut off there
    assert found[-1] == 0.0


def test_picks_in_a_flat_place_rank_after_their_like():
    inside = make_peaks(np.linspace(10, 48, 30), np.full(30, 0.6))
    outside = make_peaks([70, 75, 80], [0.62, 0.63, 0.64])
    both = join_peaks([inside, outside])

    found = doubt(both, [0.5])

    assert found.scores[:30].min() > found.scores[30:].max()
    np.testing.assert_array_equal(found.positions_zyx, both.positions_zyx)
    assert both.scores[32] == 0.64


@pytest.mark.parametrize(("highest", "changes"), [(0.5, True), (0.01, False)])
def test_of_fewer_than_twenty_nothing_is_usual(highest, changes):
    # 15 sure ones, and 15 more that are as sure or count for next to nothing.
    peaks = make_peaks(np.linspace(10, 80, 30), [0.5, highest] * 15)

    found = doubt(peaks, [1.0])

    assert (found.scores < peaks.scores).any() == changes


def test_each_class_has_its_own_usual_contrast_and_cost():
    in_noise = make_peaks(np.linspace(10, 48, 30), np.full(30, 0.6))
    in_flat = make_peaks(np.linspace(68, 82, 30), np.full(30, 0.6), channel=1)
    costless = make_peaks(np.linspace(10, 82, 30), np.full(30, 0.6), channel=2)
    peaks = join_peaks([in_noise, in_flat, costless])

    found = doubt(peaks, [0.5, 0.5, 0.0])

    # The median of either class is usual in it, and what is above it unchanged.
    for channel in (0, 1):
        changed = found.scores[peaks.channels == channel] < 0.6
        assert 10 <= changed.sum() <= 15
    assert (found.scores[peaks.channels == 2] == 0.6).all()
