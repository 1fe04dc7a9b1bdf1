"""Points along planted tubes: on their middle, about one a voxel, along them."""

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from etpicker_plugin.engine.picking.ridges import find_lines, ridge_reach
from etpicker_plugin.tests.support.tubes import painted_tubes

SHAPE = (30, 43, 56)
KERNEL = 3


def line(first, last, count=400):
    a, b = np.array(first, float), np.array(last, float)
    return a + (b - a) * np.linspace(0, 1, count)[:, None]


def bent(count=400):
    turn = np.linspace(0.2, 1.4, count)
    return np.stack([8 + 6 * turn, 44 - 36 * np.cos(turn), 6 + 40 * np.sin(turn)], 1)


def ridges(probability, *, min_score=0.2, kernel=KERNEL, **box):
    return find_lines(torch.from_numpy(probability), kernel, min_score=min_score, **box)


@pytest.mark.parametrize(
    "curve",
    [
        line((4, 6, 7), (24, 37, 49)),
        line((14.3, 21.6, 5), (14.8, 22.2, 50)),
        line((3, 20.4, 30.7), (27, 22.1, 31.5)),
        bent(),
    ],
    ids=["oblique", "along x", "along z", "bent"],
)
@pytest.mark.parametrize(("radius", "kernel"), [(1.5, 3), (3.0, 5)])
def test_a_tube_gives_a_chain_along_its_middle(curve, radius, kernel):
    peaks = ridges(painted_tubes(SHAPE, [curve], radius=radius), kernel=kernel)

    tree = cKDTree(curve)
    distance, nearest = tree.query(peaks.positions_zyx)
    inner = (nearest > 40) & (nearest < 360)
    assert distance[inner].max() < 0.3
    assert distance[inner].mean() < 0.1
    along = np.gradient(curve, axis=0)[nearest]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    cosine = np.abs(np.sum(along * peaks.optional["direction"], axis=1))[inner]
    assert np.degrees(np.arccos(cosine.min())) < 8
    # No hole, and no more than one point for each voxel that the line goes through.
    assert cKDTree(peaks.positions_zyx).query(curve[40:360])[0].max() < 1.1
    length = np.linalg.norm(np.diff(curve[40:360], axis=0), axis=1).sum()
    assert np.count_nonzero(inner) < 2 * length


@pytest.mark.parametrize(
    ("radius", "kernel", "height", "score"),
    [(1.5, 3, 0.8, 0.37), (3.0, 5, 0.4, 0.22)],
)
def test_points_score_as_their_tube(radius, kernel, height, score):
    curve = line((20, 9, 9), (20, 9, 47))
    probability = painted_tubes(SHAPE, [curve], radius=radius, height=height)
    peaks = ridges(probability, kernel=kernel, min_score=0.05)
    assert cKDTree(curve).query(peaks.positions_zyx)[0].max() < 1.5
    nearest = cKDTree(peaks.positions_zyx).query(curve[200:201])[1]
    assert peaks.scores[nearest] == pytest.approx(score, abs=0.05)


def test_a_ball_and_a_sheet_are_no_lines():
    z, y, x = np.indices(SHAPE)
    sheet = (0.9 * (np.abs(z - 0.1 * y - 9) < 1.5)).astype(np.float32)
    peaks = ridges(sheet)
    inner = (peaks.positions_zyx > 4).all(1) & (peaks.positions_zyx[:, 1] < 38)
    assert np.count_nonzero(inner & (peaks.positions_zyx[:, 2] < 51)) == 0
    ball = ((z - 14) ** 2 + (y - 20) ** 2 + (x - 30) ** 2 < 9).astype(np.float32)
    found = ridges(ball).positions_zyx
    assert np.linalg.norm(found - (14, 20, 30), axis=1).max() < 1.5


def test_two_tiles_give_the_points_of_one():
    generator = np.random.default_rng(1)
    whole = painted_tubes(SHAPE, [line((4, 6, 7), (24, 37, 49)), bent()], radius=1.5)
    whole = np.clip(whole + generator.normal(0, 0.08, SHAPE), 0, 1).astype(np.float32)
    expected = ridges(whole)
    reach, cut = ridge_reach(KERNEL), 27
    parts = [
        ridges(whole[:, :, : cut + reach].copy(), stop=(None, None, cut)),
        ridges(whole[:, :, cut - reach :].copy(), start=(0, 0, reach)),
    ]
    parts[1].positions_zyx[:, 2] += cut - reach
    rows = [
        np.column_stack([p.positions_zyx, p.scores, p.optional["direction"]])
        for p in (expected, *parts)
    ]
    together = np.concatenate(rows[1:])
    assert len(expected) > 80
    assert np.count_nonzero(rows[1][:, 2] > cut - 3) > 0
    np.testing.assert_allclose(
        together[np.lexsort(together.T)], rows[0][np.lexsort(rows[0].T)], atol=1e-9
    )


def test_nothing_to_find_gives_no_points():
    peaks = ridges(np.zeros(SHAPE, np.float32))
    assert len(peaks) == 0
    assert peaks.positions_zyx.shape == (0, 3)
