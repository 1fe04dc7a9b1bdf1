"""Boxes: exact voxels, sub-voxel centres, rescaling, and none that is not whole."""

import numpy as np
import pytest

from etpicker_plugin.engine.subtomograms.boxes import (
    crop_boxes,
    find_inside,
    periodic_sinc,
)

SHAPE = (61, 67, 73)


def blob(centre_zyx, *, shape=SHAPE, sigma=2.5):
    grid = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    r2 = sum((g - c) ** 2 for g, c in zip(grid, centre_zyx, strict=True))
    return np.exp(-r2 / (2 * sigma**2)).astype(np.float32)


def centre_of_mass(box):
    grid = np.meshgrid(*(np.arange(n) for n in box.shape), indexing="ij")
    return np.array([(g * box).sum() / box.sum() for g in grid])


def test_whole_voxels_are_copied():
    volume = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)

    boxes, left_out = crop_boxes(volume, np.array([[20.0, 33.0, 41.0]]), box=12)

    assert boxes.dtype == np.float32
    np.testing.assert_allclose(boxes[0], volume[14:26, 27:39, 35:47], atol=2e-6)
    assert left_out.tolist() == []


def test_a_fraction_of_a_voxel_is_centred():
    centre = np.array([25.3, 30.75, 40.1])

    (box,), _ = crop_boxes(blob(centre), centre[None], box=24)

    np.testing.assert_allclose(box, blob((12, 12, 12), shape=(24, 24, 24)), atol=2e-4)


@pytest.mark.parametrize("scale", [1.5, 2.0, 2.37])
def test_larger_voxels_keep_centre_and_density(scale):
    centre = np.array([30.4, 33.2, 36.9])

    (box,), _ = crop_boxes(blob(centre, sigma=4), centre[None], box=20, scale=scale)

    expected = blob((10, 10, 10), shape=(20, 20, 20), sigma=4 / scale)
    np.testing.assert_allclose(box, expected, atol=3e-3)
    np.testing.assert_allclose(centre_of_mass(box), 10, atol=0.02)


def test_larger_voxels_do_not_alias():
    x = np.arange(SHAPE[2])
    volume = np.broadcast_to(np.cos(2 * np.pi * 0.4 * x), SHAPE).astype(np.float32)

    (box,), _ = crop_boxes(volume, np.array([[30.0, 33.0, 36.0]]), box=20, scale=2.0)

    assert np.abs(box[5:15, 5:15, 5:15]).max() < 0.1


def test_boxes_that_are_not_whole_are_left_out():
    # An even box reaches box/2 down and box/2 - 1 up.
    positions = np.array(
        [[8, 30, 30], [7.9, 30, 30], [30, 59, 30], [30, 59.1, 30], [30, 30, 65.5]],
        dtype=float,
    )
    volume = np.zeros(SHAPE, np.float32)

    boxes, left_out = crop_boxes(volume, positions, box=16)

    assert boxes.shape == (2, 16, 16, 16)
    assert left_out.tolist() == [1, 3, 4]
    assert find_inside(positions[:1] * 1.0, SHAPE, box=16, scale=1.01).tolist() == [
        False
    ]


def test_periodic_sinc_is_exact_for_what_it_holds():
    size, place = 15, np.array([3.37, 11.8])
    samples = np.cos(2 * np.pi * 4 * np.arange(size) / size + 0.3)

    kept = periodic_sinc(place, size, highest=7) @ samples
    cut = periodic_sinc(place, size, highest=3) @ samples

    np.testing.assert_allclose(kept, np.cos(2 * np.pi * 4 * place / size + 0.3))
    np.testing.assert_allclose(cut, 0, atol=1e-12)
