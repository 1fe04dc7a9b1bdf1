"""Scores of picks in flat places."""

import numpy as np
import pytest

from etpicker_plugin.engine.io.array_volume import ArrayVolume
from etpicker_plugin.engine.picking.flat_places import (
    contrast_around,
    doubt_flat_places,
    lowered,
)
from etpicker_plugin.engine.picking.nms import Peaks

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


def test_a_score_by_hand():
    usual = np.array([True] * 5 + [False] * 3)
    contrast = np.array([1.0, 1.1, 1.2, 1.3, 1.4, 1.2 - 2 * 0.14826, 9.0, -50.0])
    scores = np.array([0.5, 0.5, 0.9, 0.9, 0.9, 0.6, 0.3, 0.5])

    found = lowered(scores, contrast, usual)

    # The median is 1.2, its spread 0.1 · 1.4826. Odds of 0.6 are 1.5, and two
    # deviations below cost half a log-odd; of 0.5 they are 1, and four cost one.
    assert found[5] == pytest.approx(1.5 * np.exp(-0.5) / (1 + 1.5 * np.exp(-0.5)))
    assert found[7] == pytest.approx(np.exp(-1.0) / (1 + np.exp(-1.0)))
    np.testing.assert_allclose(found[[2, 3, 4, 6]], scores[[2, 3, 4, 6]])


def test_picks_in_a_flat_place_rank_after_their_like():
    inside = make_peaks(np.linspace(10, 48, 30), np.full(30, 0.6))
    outside = make_peaks([70, 75, 80], [0.62, 0.63, 0.64])
    both = Peaks(
        positions_zyx=np.concatenate([inside.positions_zyx, outside.positions_zyx]),
        scores=np.concatenate([inside.scores, outside.scores]),
        channels=np.zeros(33, int),
    )

    found = doubt_flat_places(
        both, make_volume(), diameters_vox=[9.0], thresholds=[0.3]
    )

    assert found.scores[:30].min() > found.scores[30:].max()
    np.testing.assert_array_equal(found.positions_zyx, both.positions_zyx)
    assert both.scores[32] == 0.64


@pytest.mark.parametrize(("threshold", "changes"), [(0.3, True), (0.7, False)])
def test_of_fewer_than_twenty_nothing_is_usual(threshold, changes):
    peaks = make_peaks(np.linspace(10, 80, 30), np.linspace(0.5, 0.9, 30))
    # 15 of them are above 0.7.
    found = doubt_flat_places(
        peaks, make_volume(), diameters_vox=[9.0], thresholds=[threshold]
    )

    assert (found.scores < peaks.scores).any() == changes


def test_each_class_has_its_own_usual_contrast():
    in_noise = make_peaks(np.linspace(10, 48, 30), np.full(30, 0.6))
    in_flat = make_peaks(np.linspace(68, 82, 30), np.full(30, 0.6), channel=1)
    both = Peaks(
        positions_zyx=np.concatenate([in_noise.positions_zyx, in_flat.positions_zyx]),
        scores=np.full(60, 0.6),
        channels=np.concatenate([in_noise.channels, in_flat.channels]),
    )

    found = doubt_flat_places(
        both, make_volume(), diameters_vox=[9.0, 9.0], thresholds=[0.3, 0.3]
    )

    # The median of either class is usual in it, and what is above it unchanged.
    for channel in (0, 1):
        assert (found.scores[both.channels == channel] == 0.6).sum() >= 15
