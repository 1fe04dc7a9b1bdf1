"""Overlap-tile: keeps partition the volume, whatever its shape."""

import numpy as np
import pytest

from etpicker_plugin.engine.picking.tiling import (
    edge_for_memory,
    largest_read,
    plan_tiles,
)

SHAPES = [(5, 40, 33), (24, 24, 24), (31, 64, 97), (8, 8, 8)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("edge", "halo"), [(8, 8), (24, 16), (40, 20), (200, 48)])
def test_every_voxel_is_kept_once_and_read_with_its_halo(shape, edge, halo):
    seen = np.zeros(shape, int)
    for tile in plan_tiles(shape, edge=edge, halo=halo, alignment=8):
        keep = tuple(
            slice(a, b) for a, b in zip(tile.keep_start, tile.keep_stop, strict=True)
        )
        seen[keep] += 1
        for axis, length in enumerate(shape):
            padded = -(-length // 8) * 8
            assert tile.read_start[axis] % 8 == 0
            assert (tile.read_stop[axis] - tile.read_start[axis]) % 8 == 0
            assert tile.read_start[axis] <= max(tile.keep_start[axis] - halo, 0)
            assert tile.read_stop[axis] >= min(tile.keep_stop[axis] + halo, padded)
            assert 0 <= tile.read_start[axis]
            assert tile.read_stop[axis] <= padded

    assert (seen == 1).all()


def test_identity_network_gives_the_volume_back_bit_for_bit():
    volume = np.random.default_rng(0).normal(size=(13, 40, 29))
    padded = np.pad(volume, [(0, 3), (0, 0), (0, 3)])
    result = np.empty_like(volume)
    for tile in plan_tiles(volume.shape, edge=16, halo=8, alignment=8):
        read = padded[
            tuple(
                slice(a, b)
                for a, b in zip(tile.read_start, tile.read_stop, strict=True)
            )
        ]
        inner = tuple(
            slice(a - o, b - o)
            for a, b, o in zip(
                tile.keep_start, tile.keep_stop, tile.read_start, strict=True
            )
        )
        outer = tuple(
            slice(a, b) for a, b in zip(tile.keep_start, tile.keep_stop, strict=True)
        )
        result[outer] = read[inner]

    assert np.array_equal(result, volume)


def test_a_region_is_partitioned_alone():
    seen = np.zeros((20, 48, 61), int)
    region = ((0, 8, 40), (20, 30, 61))
    for tile in plan_tiles(seen.shape, edge=16, halo=8, alignment=8, region=region):
        seen[
            tuple(
                slice(a, b)
                for a, b in zip(tile.keep_start, tile.keep_stop, strict=True)
            )
        ] += 1

    assert (seen[:, 8:30, 40:] == 1).all()
    assert seen.sum() == 20 * 22 * 21


def test_edge_fits_the_memory():
    shape = (64, 300, 410)
    for most in (10**5, 10**6, 10**7, 10**8):
        edge = edge_for_memory(shape, most_voxels=most, halo=48, alignment=8)
        tiles = plan_tiles(shape, edge=edge, halo=48, alignment=8)
        assert edge % 8 == 0
        assert largest_read(tiles) <= most or edge == 8
    assert edge_for_memory(shape, most_voxels=10**8, halo=48, alignment=8) >= 410
