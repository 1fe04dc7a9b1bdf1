"""Points on planted sheets: on their middle, one a voxel of surface, across them."""

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from etpicker_plugin.engine.picking.nms import mean_pool
from etpicker_plugin.engine.picking.sheets import find_sheets

SHAPE = (30, 43, 56)


def shell(centre, radius, *, thick=3.0, height=0.9, shape=SHAPE):
    """Return a sphere's probability, soft at its edges."""
    grid = np.moveaxis(np.indices(shape), 0, -1)
    depth = np.abs(np.linalg.norm(grid - np.asarray(centre), axis=-1) - radius)
    return (height / (1 + np.exp(3.0 * (depth - thick / 2)))).astype(np.float32)


def plane(normal, offset, *, thick=3.0):
    grid = np.moveaxis(np.indices(SHAPE), 0, -1)
    depth = np.abs(grid @ np.asarray(normal) - offset)
    return (0.9 / (1 + np.exp(3.0 * (depth - thick / 2)))).astype(np.float32)


def sheets(probability, *, min_score=0.2, kernel=3, **box):
    values = torch.from_numpy(np.ascontiguousarray(probability))
    return find_sheets(values, kernel, min_score=min_score, **box)


NORMALS = np.array([[1, 0, 0], [0.6, 0, 0.8], [1, 1, 1], [0.1, -0.7, 0.5]])


@pytest.mark.parametrize("normal", NORMALS / np.linalg.norm(NORMALS, axis=1)[:, None])
@pytest.mark.parametrize("kernel", [3, 5])
def test_a_plane_gives_one_point_in_each_column(normal, kernel):
    offset = normal @ (14.3, 20.6, 27.1)
    peaks = sheets(plane(normal, offset), kernel=kernel, min_score=0.05)

    error = np.abs(peaks.positions_zyx @ normal - offset)
    turned = np.degrees(
        np.arccos(np.minimum(1, np.abs(peaks.optional["direction"] @ normal)))
    )
    to_face = np.minimum(
        peaks.positions_zyx, np.array(SHAPE) - 1 - peaks.positions_zyx
    ).min(axis=1)
    inner = to_face > kernel
    assert error[inner].max() < 0.15
    assert error[inner].mean() < 0.03
    assert turned[inner].max() < 3
    assert error.max() < 0.7  # beside the faces too
    assert error[~inner].mean() < 0.1
    assert turned[~inner].mean() < 3
    axis = int(np.abs(normal).argmax())
    others = np.delete(np.arange(3), axis)
    grid = np.stack(np.meshgrid(*(np.arange(SHAPE[o]) for o in others)), -1)
    columns = grid.reshape(-1, 2)
    crossing = (offset - columns @ normal[others]) / normal[axis]
    expected = ((crossing > -0.5) & (crossing < SHAPE[axis] - 0.5)).sum()
    # Where it leaves the volume through a face across it, a voxel's width may differ.
    assert len(peaks) == pytest.approx(expected, abs=2 * max(SHAPE))


def test_a_sphere_gives_its_surface_without_holes():
    centre, radius = np.array([14.6, 21.2, 27.7]), 11.3
    peaks = sheets(shell(centre, radius))

    offsets = peaks.positions_zyx - centre
    distance = np.linalg.norm(offsets, axis=1)
    assert abs(distance.mean() - radius) < 0.2  # pooling draws a curved sheet inward
    assert np.abs(distance - radius).max() < 0.35
    cosine = np.abs((offsets * peaks.optional["direction"]).sum(axis=1)) / distance
    assert np.degrees(np.arccos(cosine.min())) < 8
    area = 4 * np.pi * radius**2
    assert 0.55 * area < len(peaks) < 1.1 * area
    generator = np.random.default_rng(1)
    anywhere = generator.normal(size=(2000, 3))
    anywhere *= radius / np.linalg.norm(anywhere, axis=1)[:, None]
    assert cKDTree(offsets).query(anywhere)[0].max() < 1.5


def test_a_sheet_is_found_up_to_the_face_that_cuts_it():
    centre, radius = np.array([1.3, 21.2, 27.7]), 11.3
    peaks = sheets(shell(centre, radius))

    distance = np.linalg.norm(peaks.positions_zyx - centre, axis=1)
    at_face = peaks.positions_zyx[:, 0] < 1.0
    assert np.count_nonzero(at_face) > 0.7 * 2 * np.pi * radius
    assert np.abs(distance[at_face] - radius).max() < 0.4
    normals = peaks.optional["direction"][at_face]
    assert np.abs(normals[:, 0]).max() < 0.3  # they do not turn into the face


def test_points_score_as_peaks_do():
    probability = shell((14.6, 21.2, 27.7), 11.3, height=0.7)
    peaks = sheets(probability, min_score=0.1)

    pooled = mean_pool(torch.from_numpy(probability), 3).numpy()
    assert peaks.scores.min() >= 0.1
    assert peaks.scores.max() == pytest.approx(pooled.max())
    assert len(sheets(probability, min_score=0.75)) == 0


def test_a_box_keeps_what_lies_in_it_and_changes_nothing_else():
    probability = shell((14.6, 21.2, 27.7), 11.3)
    whole = sheets(probability)
    parts = [
        sheets(probability, start=(0, 0, 0), stop=(30, 20, 56)),
        sheets(probability, start=(0, 20, 0), stop=(30, 43, 56)),
    ]

    joined = np.concatenate([p.positions_zyx for p in parts])
    order, expected = (np.lexsort(p.T) for p in (joined, whole.positions_zyx))
    np.testing.assert_array_equal(joined[order], whole.positions_zyx[expected])


def test_a_plateau_and_a_haze_are_no_sheets():
    generator = np.random.default_rng(2)
    flat = np.full(SHAPE, 0.8, np.float32)
    flat += 0.002 * generator.random(SHAPE).astype(np.float32)
    assert len(sheets(flat)) == 0
