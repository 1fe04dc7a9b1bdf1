"""Probability maps: on the tomogram's grid, seamless, resumable."""

import resource

import mrcfile
import numpy as np
import pytest

from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.picking.probability_map import ProbabilityMaps, forget_maps
from etpicker_plugin.engine.picking.tiling import plan_tiles
from etpicker_plugin.engine.volumes.tomogram import read_tomogram, write_volume
from etpicker_plugin.engine.volumes.working_volume import open_working_volume

SHAPE = (19, 42, 55)


@pytest.mark.parametrize("working", [10.0, 14.0, 8.0])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_linear_ramp_is_written_without_seams(tmp_path, working, stride):
    path = tmp_path / "TS.mrc"
    with mrcfile.new(path) as mrc:
        mrc.set_data(np.random.default_rng(0).normal(size=SHAPE).astype(np.float32))
        mrc.set_volume()
        mrc.voxel_size = 10.0
    volume = open_working_volume(read_tomogram(path), working)
    out = tmp_path / "map.mrc"

    maps = ProbabilityMaps([out], volume)
    tiles = plan_tiles(volume.shape_zyx, edges=(16,) * 3, halos=(8,) * 3, alignment=8)
    for number, tile in enumerate(tiles):
        if number == 2:  # as after a kill: opened again, what is written stays
            maps = ProbabilityMaps([out], volume)
        maps.write_tile(tile, ramp(tile, stride), stride)
    assert not out.exists()
    maps.finish()

    with mrcfile.open(out) as mrc:
        assert float(mrc.voxel_size.x) == pytest.approx(10.0)
        z, y, x = np.indices(SHAPE) / volume.scale
        expected = 0.01 * z + 0.003 * y + 0.002 * x
        error = np.abs(mrc.data - expected)
        inner = tuple(slice(2, n - 9) for n in SHAPE)
        assert mrc.data.shape == SHAPE
        assert error[inner].max() < 1e-5


def ramp(tile, stride):
    """Return z/100 + 3 y/1000 + 2 x/1000 of working voxels, at output voxels."""
    axes = [
        np.arange(a // stride, b // stride) * stride + (stride - 1) / 2
        for a, b in zip(tile.read_start, tile.read_stop, strict=True)
    ]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return (0.01 * z + 0.003 * y + 0.002 * x)[None].astype(np.float32)


@pytest.fixture
def volume(tmp_path):
    image = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    write_volume(tmp_path / "TS.mrc", image, 10.0)
    return open_working_volume(read_tomogram(tmp_path / "TS.mrc"), 10.0)


def with_files_of(most, make):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limit[1]))
    try:
        return make()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def test_without_room_it_ends_before_anything_is_computed(tmp_path, volume):
    out = tmp_path / "map.mrc"
    with pytest.raises(ResourceError, match="or pick without probability maps"):
        with_files_of(100_000, lambda: ProbabilityMaps([out], volume))
    assert [p.name for p in tmp_path.iterdir()] == ["TS.mrc"]


def test_its_room_is_set_aside(tmp_path, volume):
    ProbabilityMaps([tmp_path / "map.mrc"], volume)

    found = (tmp_path / ".map.mrc.part").stat()
    assert found.st_size == 1024 + 4 * np.prod(SHAPE)
    assert found.st_blocks * 512 >= found.st_size


def test_a_link_and_a_file_of_others_in_its_place(tmp_path, volume):
    (tmp_path / ".map.mrc.part").symlink_to("victim")
    with pytest.raises(ResourceError, match="symbolic link"):
        ProbabilityMaps([tmp_path / "map.mrc"], volume)

    (tmp_path / ".map.mrc.part").unlink()
    (tmp_path / ".map.mrc.part").write_bytes(b"no MRC" * 400)
    maps = ProbabilityMaps([tmp_path / "map.mrc"], volume)
    maps.finish()
    assert read_tomogram(tmp_path / "map.mrc").shape_zyx == SHAPE


def test_what_another_run_left_is_forgotten(tmp_path, volume):
    ProbabilityMaps([tmp_path / "map.mrc"], volume)
    forget_maps([tmp_path / "map.mrc", tmp_path / "none.mrc"])
    assert [p.name for p in tmp_path.iterdir()] == ["TS.mrc"]
