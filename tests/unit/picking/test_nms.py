"""Mean-pooling NMS: planted balls come back, once, where they were planted."""

import numpy as np
import pytest
import torch

from etpicker_plugin.engine.picking.nms import (
    Peaks,
    find_peaks,
    keep_best,
    mean_pool,
    pooling_kernel,
    remove_duplicates,
    suppress,
)

SHAPE = (20, 31, 42)


def soft_ball(centre, radius=3.0, height=0.9):
    offsets = np.ix_(*[np.arange(n) - c for n, c in zip(SHAPE, centre, strict=True)])
    distance = np.sqrt(sum(o**2 for o in offsets))
    return torch.from_numpy(height / (1 + np.exp(3 * (distance - radius)))).float()


def make_peaks(rows):
    rows = np.array(rows, float).reshape(-1, 5)
    return Peaks(
        positions_zyx=rows[:, :3],
        scores=rows[:, 3],
        channels=rows[:, 4].astype(np.intp),
    )


def test_balls_are_found_at_their_sub_voxel_centres():
    centres = [(6.0, 8.0, 30.0), (12.3, 20.6, 9.75)]
    probability = torch.stack(
        [soft_ball(centres[0]), soft_ball(centres[1], height=0.7)]
    )

    peaks = find_peaks(probability, [5, 5], min_score=0.1)

    assert peaks.channels.tolist() == [0, 1]
    assert np.abs(peaks.positions_zyx - centres).max() < 0.1
    assert peaks.scores[0] > peaks.scores[1]


def test_the_score_does_not_saturate():
    # Both balls reach probability 1; the larger one still scores higher.
    probability = torch.stack([soft_ball((9, 10, 10), radius=2.5, height=1.0)]).maximum(
        soft_ball((9, 20, 30), radius=4.0, height=1.0)
    )

    peaks = find_peaks(probability, [5], min_score=0.1)

    order = np.argsort(-peaks.scores)
    assert peaks.positions_zyx[order[0]].round().tolist() == [9, 20, 30]
    assert peaks.scores[order[0]] > peaks.scores[order[1]] + 0.05


def test_only_maxima_in_the_box_count():
    probability = soft_ball((6, 8, 30)).maximum(soft_ball((12, 20, 9)))[None]

    peaks = find_peaks(
        probability, [3], min_score=0.1, start=(0, 0, 20), stop=(20, 31, 42)
    )

    assert peaks.positions_zyx.round().tolist() == [[6, 8, 30]]


def test_mean_pool_by_hand():
    impulse = torch.zeros(5, 7, 9)
    impulse[2, 3, 4] = 1.0

    pooled = mean_pool(impulse, 3)

    assert pooled[2, 3, 4] == pytest.approx(27 / 27**2)
    assert pooled[2, 3, 6] == pytest.approx(9 / 27**2)
    # One voxel of the first pass, 1/27 high at (1, 2, 3), reaches the corner voxel
    # (0, 1, 2), whose box is cut by the face; it is still divided by 27.
    assert pooled[0, 1, 2] == pytest.approx(1 / 27**2)


@pytest.mark.parametrize(
    ("diameter", "kernel"), [(2.5, 3), (4.5, 3), (6.5, 5), (11, 7), (13, 9)]
)
def test_pooling_kernels_are_odd(diameter, kernel):
    assert pooling_kernel(diameter) == kernel


def test_each_class_has_its_own_distance():
    peaks = make_peaks(
        [
            (5, 5, 5, 0.9, 0),
            (5, 5, 9, 0.8, 0),
            (5, 5, 5, 0.3, 1),
            (5, 5, 9, 0.4, 1),
            (5, 5, 30, 0.2, 0),
        ]
    )

    kept = remove_duplicates(peaks, [5.0, 3.0])

    assert kept.scores.tolist() == [0.9, 0.2, 0.4, 0.3]
    assert kept.channels.tolist() == [0, 0, 1, 1]


def test_a_suppressed_peak_suppresses_nothing():
    kept = suppress(np.array([[0.0, 0, 0], [0, 0, 4], [0, 0, 8]]), 5.0)

    assert kept.tolist() == [0, 2]


def test_the_order_of_the_input_does_not_matter():
    generator = np.random.default_rng(1)
    rows = np.column_stack(
        [generator.uniform(0, 20, (300, 3)), generator.uniform(0, 1, 300), [0] * 300]
    )
    first = remove_duplicates(make_peaks(rows), [3.0])
    second = remove_duplicates(make_peaks(rows[generator.permutation(300)]), [3.0])

    assert np.array_equal(first.positions_zyx, second.positions_zyx)
    gaps = np.linalg.norm(
        first.positions_zyx[:, None] - first.positions_zyx[None], axis=-1
    )
    assert gaps[~np.eye(len(first), dtype=bool)].min() > 3.0


def test_keep_best_counts_per_class():
    peaks = make_peaks(
        [
            (0, 0, i, s, c)
            for i, (s, c) in enumerate([(0.1, 0), (0.5, 0), (0.3, 0), (0.2, 1)])
        ]
    )

    assert sorted(keep_best(peaks, 2).scores.tolist()) == [0.2, 0.3, 0.5]


def test_no_peak_is_an_empty_record():
    peaks = find_peaks(torch.zeros(2, 6, 7, 8), [3, 3], min_score=0.1)

    assert len(peaks) == 0
    assert len(remove_duplicates(peaks, [2.0, 2.0])) == 0
