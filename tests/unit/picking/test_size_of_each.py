"""De-duplication with a distance of each pick's own."""

import numpy as np
import pytest

from etpicker_plugin.engine.picking.nms import (
    Peaks,
    join_peaks,
    remove_duplicates,
    remove_near,
    suppress,
)


def scattered(count=400, seed=0, channels=2):
    generator = np.random.default_rng(seed)
    return Peaks(
        positions_zyx=generator.uniform(0, [30, 40, 50], (count, 3)),
        scores=generator.uniform(0, 1, count),
        channels=generator.integers(0, channels, count),
    )


def one_by_one(peaks, distances):
    """Return the positions kept: best first, each against all that are kept."""
    kept = []
    for i in np.argsort(-peaks.scores):
        nearer = [
            np.linalg.norm(peaks.positions_zyx[i] - peaks.positions_zyx[k])
            <= distances[k]
            for k in kept
            if peaks.channels[k] == peaks.channels[i]
        ]
        if not any(nearer):
            kept.append(i)
    return {tuple(p) for p in peaks.positions_zyx[kept]}


def test_the_distance_of_the_better_one_counts():
    positions = np.array([[0.0, 0, 0], [0, 3, 0], [0, 0, 4]])
    assert suppress(positions, np.array([3.5, 1, 1])).tolist() == [0, 2]
    assert suppress(positions, np.array([2.5, 9, 1])).tolist() == [0, 1]
    assert suppress(positions, np.array([1, 1, 9])).tolist() == [0, 1, 2]


@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_what_comparing_one_by_one_gives(seed):
    peaks = scattered(seed=seed)
    distances = np.random.default_rng(seed + 9).uniform(0.5, 12, len(peaks))
    kept = remove_near(peaks, distances)
    found = {tuple(p) for p in kept.positions_zyx}
    assert found == one_by_one(peaks, distances)
    assert 20 < len(kept) < 300


def test_the_order_of_the_input_does_not_matter():
    peaks = scattered()
    distances = np.random.default_rng(5).uniform(0.5, 12, len(peaks))
    order = np.random.default_rng(6).permutation(len(peaks))
    first = remove_near(peaks, distances)
    second = remove_near(peaks.select(order), distances[order])
    np.testing.assert_array_equal(first.positions_zyx, second.positions_zyx)
    np.testing.assert_array_equal(first.channels, second.channels)


def test_distances_per_channel_and_the_same_per_pick_agree():
    peaks = scattered()
    of_channel = np.array([4.0, 7.0])
    expected = remove_duplicates(peaks, [4.0, 7.0])
    distances = of_channel[peaks.channels]
    np.testing.assert_array_equal(
        remove_near(peaks, distances).positions_zyx, expected.positions_zyx
    )
    # Distances that differ a little are found another way, at the same places.
    distances[peaks.scores.argmin()] += 1e-9
    np.testing.assert_array_equal(
        remove_near(peaks, distances).positions_zyx, expected.positions_zyx
    )


def test_a_column_that_a_part_lacks_is_missing_there():
    first, second = scattered(3), scattered(2, seed=1)
    rotations = np.stack([np.eye(3)] * 3)
    turned = Peaks(**{**vars(first), "optional": {"rotation": rotations}})
    joined = join_peaks([turned, second])
    np.testing.assert_array_equal(joined.optional["rotation"][:3], rotations)
    assert np.isnan(joined.optional["rotation"][3:]).all()
    assert joined.select(np.array([4, 1])).optional["rotation"][1, 0, 0] == 1
    assert join_peaks([first, second]).optional == {}
