"""Overlap-tile: keeps partition the volume, whatever its shape."""

import numpy as np
import pytest

from etpicker_plugin.engine.picking.tiling import (
    group_columns,
    longest_edge,
    plan_tiles,
)

SHAPES = [(5, 40, 33), (24, 24, 24), (31, 64, 97), (8, 8, 8)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("edge", "halo"), [(8, 8), (24, 16), (40, 20), (200, 48)])
def test_every_voxel_is_kept_once_and_read_with_its_halo(shape, edge, halo):
    seen = np.zeros(shape, int)
    for tile in plan_tiles(shape, edges=(edge,) * 3, halos=(halo,) * 3, alignment=8):
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
    for tile in plan_tiles(volume.shape, edges=(16,) * 3, halos=(8,) * 3, alignment=8):
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
    for tile in plan_tiles(
        seen.shape, edges=(16,) * 3, halos=(8,) * 3, alignment=8, region=region
    ):
        seen[
            tuple(
                slice(a, b)
                for a, b in zip(tile.keep_start, tile.keep_stop, strict=True)
            )
        ] += 1

    assert (seen[:, 8:30, 40:] == 1).all()
    assert seen.sum() == 20 * 22 * 21


def test_columns_are_tiles_that_follow_each_other_along_z():
    tiles = plan_tiles((40, 30, 33), edges=(16, 16, 40), halos=(8, 8, 8), alignment=8)
    left = [tile for number, tile in enumerate(tiles) if number != 1]

    groups = [[tile.keep_start for tile in column] for column in group_columns(left)]

    assert groups == [
        [(0, 0, 0)],
        [(32, 0, 0)],
        [(0, 16, 0), (16, 16, 0), (32, 16, 0)],
    ]


def test_the_longest_edge_that_fits():
    found = [
        longest_edge(
            410, alignment=8, is_small_enough=lambda edge, most=most: edge <= most
        )
        for most in (1000, 410, 200, 10, 3)
    ]

    assert found == [416, 312, 168, 8, 8]
