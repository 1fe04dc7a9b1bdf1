"""The volume as the network sees it: normalised, rescaled, the same in every box."""

import mrcfile
import numpy as np
import pytest
from scipy import ndimage

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes import working_volume
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume, load_into_memory
from etpicker_plugin.engine.volumes.tomogram import read_tomogram, write_volume
from etpicker_plugin.engine.volumes.working_volume import (
    open_working_volume,
    resampling_matrix,
)

SHAPE = (21, 34, 47)


def written(path, data, voxel_size=10.0):
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(data)
        mrc.set_volume()
        mrc.voxel_size = voxel_size
    return read_tomogram(path)


@pytest.fixture
def noise(tmp_path):
    data = np.random.default_rng(0).normal(50, 20, SHAPE).astype(np.float32)
    return written(tmp_path / "TS_01.mrc", data)


def test_mean_zero_and_standard_deviation_one(noise):
    volume = open_working_volume(noise, 10.0)

    box = volume.read((0, 0, 0), SHAPE)

    assert box.dtype == np.float32
    assert abs(box.mean()) < 0.01
    assert abs(box.std() - 1) < 0.02


@pytest.mark.parametrize("working", [7.5, 20.0, 31.0])
def test_the_rescaled_voxels_have_standard_deviation_one(tmp_path, working):
    data = np.random.default_rng(0).normal(50, 20, (41, 74, 97)).astype(np.float32)
    volume = open_working_volume(written(tmp_path / "a.mrc", data), working)

    box = volume.read((0, 0, 0), volume.shape_zyx)

    assert abs(box.mean()) < 0.05
    assert abs(box.std() - 1) < 0.1


def test_finer_noise_does_not_dim_what_is_coarse(tmp_path):
    """The same wave under ten times the white noise, seen at five times the voxel."""
    wave = np.sin(np.arange(120) * 2 * np.pi / 60)[None, None].astype(np.float32)
    generator = np.random.default_rng(1)
    heights = []
    for name, sd in (("clean", 0.2), ("noisy", 2.0)):
        noise = generator.normal(0, sd, (60, 70, 120)).astype(np.float32)
        volume = open_working_volume(
            written(tmp_path / f"{name}.mrc", wave + noise), 50.0
        )
        box = volume.read((0, 0, 0), volume.shape_zyx)
        heights.append(box.mean(axis=(0, 1)).max())

    assert heights[0] == pytest.approx(np.sqrt(2), abs=0.1)
    assert heights[1] == pytest.approx(heights[0], rel=0.1)


def test_gold_does_not_set_the_scale_of_coarser_voxels_either(tmp_path):
    data = np.random.default_rng(0).normal(0, 1, (30, 44, 57)).astype(np.float32)
    data[10:14, 20:24, 30:34] = -500.0
    volume = open_working_volume(written(tmp_path / "a.mrc", data), 20.0)

    box = volume.read((0, 0, 0), volume.shape_zyx)

    assert box.min() == -6.0
    assert abs(box[:4].std() - 1) < 0.2


def test_gold_does_not_set_the_scale(tmp_path):
    data = np.random.default_rng(0).normal(0, 1, SHAPE).astype(np.float32)
    data[5, 5:8, 5:8] = -500.0
    volume = open_working_volume(written(tmp_path / "a.mrc", data), 10.0)

    box = volume.read((0, 0, 0), SHAPE)

    assert abs(np.delete(box, 5, axis=0).std() - 1) < 0.1
    assert box.min() == -6.0


def test_int16_and_float32_files_give_the_same(tmp_path):
    data = np.random.default_rng(0).normal(0, 1000, SHAPE).round()
    boxes = [
        open_working_volume(
            written(tmp_path / f"{kind}.mrc", data.astype(kind)), 10.0
        ).read((2, 3, 4), (9, 30, 40))
        for kind in ("int16", "float32")
    ]

    assert np.array_equal(*boxes)


@pytest.mark.parametrize("working", [10.0, 17.0, 7.5])
def test_a_box_does_not_depend_on_what_else_is_read(noise, working):
    volume = open_working_volume(noise, working)
    whole = volume.read((0, 0, 0), volume.shape_zyx)
    stop = tuple(n - 2 for n in volume.shape_zyx)

    part = volume.read((3, 5, 4), stop)

    assert np.allclose(part, whole[3 : stop[0], 5 : stop[1], 4 : stop[2]], atol=1e-5)


@pytest.mark.parametrize("working", [17.0, 7.5, 20.0])
def test_a_blob_stays_where_it_is_in_angstrom(tmp_path, working):
    centre = np.array([9.0, 20.0, 31.0])
    offsets = np.indices(SHAPE) - centre[:, None, None, None]
    data = np.exp(-(offsets**2).sum(0) / (2 * 2.5**2)).astype(np.float32)
    volume = open_working_volume(written(tmp_path / "a.mrc", data), working)

    box = volume.read((0, 0, 0), volume.shape_zyx)
    found = np.array(ndimage.center_of_mass(np.clip(box - box.min(), 0, None) ** 2))

    assert np.abs(volume.to_input(found) - centre).max() < 0.15
    assert np.allclose(volume.to_working(volume.to_input(found)), found)
    assert volume.shape_zyx == tuple(
        int((n - 1) * 10.0 / working + 1e-9) + 1 for n in SHAPE
    )


@pytest.mark.parametrize("scale", [0.75, 1.7, 2.0])
def test_resampling_is_a_gaussian_and_a_linear_interpolation(scale):
    line = np.random.default_rng(3).normal(size=60)
    count = int((60 - 1) / scale) + 1

    matrix = resampling_matrix((0, count), (0, 60), scale=scale, length=60)

    blurred = line
    if scale > 1:
        blurred = ndimage.gaussian_filter1d(
            line, 0.5 * np.sqrt(scale**2 - 1), mode="nearest", truncate=4.0
        )
    expected = np.interp(np.arange(count) * scale, np.arange(60), blurred)
    assert matrix.dtype == np.float32
    assert np.abs(matrix @ line - expected).max() < 1e-6


def test_outside_the_volume_it_is_zero(noise):
    volume = open_working_volume(noise, 10.0)

    box = volume.read((-3, 10, 40), (4, 20, 60))

    assert box.shape == (7, 10, 20)
    assert (box[:3] == 0).all()
    assert (box[:, :, 7:] == 0).all()
    assert np.array_equal(box[3:, :, :7], volume.read((0, 10, 40), (4, 20, 47)))
    assert (volume.read((100, 0, 0), (104, 5, 6)) == 0).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_voxel_is_named_with_its_slice(tmp_path, bad):
    data = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    data[13, 2, 3] = bad
    tomogram = written(tmp_path / "TS_02.mrc", data)

    with pytest.raises(InputDataError, match=r"1 voxels are NaN .*z=13"):
        open_working_volume(tomogram, 10.0)


def test_a_constant_volume_is_refused(tmp_path):
    tomogram = written(tmp_path / "a.mrc", np.full(SHAPE, 7, np.int16))

    with pytest.raises(InputDataError, match="all voxels are 7"):
        open_working_volume(tomogram, 10.0)


def test_a_volume_thinner_than_two_working_voxels_is_refused(noise):
    with pytest.raises(InputDataError, match="too thin"):
        open_working_volume(noise, 300.0)


def test_in_memory_it_reads_the_same(noise):
    volume = open_working_volume(noise, 13.0)
    memory = load_into_memory(volume)

    assert memory.shape_zyx == volume.shape_zyx
    for box in [((-2, 3, 5), (9, 40, 20)), ((50, 0, 0), (52, 3, 4))]:
        assert np.allclose(memory.read(*box), volume.read(*box), atol=4e-3)


def test_an_array_by_hand():
    volume = ArrayVolume(np.arange(24, dtype=np.float16).reshape(2, 3, 4))

    box = volume.read((1, -1, 2), (3, 2, 4))

    assert box[0].tolist() == [[0, 0], [14, 15], [18, 19]]
    assert (box[1] == 0).all()


@pytest.mark.parametrize(
    ("voxel_size", "working"), [(100.0, 10.0), (61.0, 10.0), (0.32, 10.0), (10.0, 1.6)]
)
def test_a_voxel_size_out_of_all_reason(tmp_path, voxel_size, working):
    path = tmp_path / "a.mrc"
    write_volume(path, np.arange(210.0).reshape(5, 6, 7).astype("f4"), voxel_size)
    words = f"{voxel_size:g} Å per voxel, but the network works at {working:g} Å"
    with pytest.raises(InputDataError, match=words):
        open_working_volume(read_tomogram(path), working)


@pytest.mark.parametrize("voxel_size", [60.0, 2.5])
def test_a_voxel_size_that_is_still_taken(tmp_path, voxel_size):
    path = tmp_path / "a.mrc"
    data = np.random.default_rng(0).normal(size=(9, 10, 11)).astype("f4")
    write_volume(path, data, voxel_size)
    volume = open_working_volume(read_tomogram(path), 10.0)
    assert volume.scale == pytest.approx(10.0 / voxel_size)


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float16])
def test_parts_side_by_side_are_the_whole(tmp_path, monkeypatch, dtype):
    """Seven planes in parts of two, by hand: (value - mean) / sd, cut off at six."""
    values = np.random.default_rng(4).normal(20, 9, (7, 11, 13)).astype(dtype)
    values[3, 4, 5] = 200
    volume = open_working_volume(written(tmp_path / "a.mrc", values), 10.0)
    monkeypatch.setattr(working_volume, "PART_VOXELS", 2 * 11 * 13)
    box = volume.read((-2, 1, 0), (9, 12, 9))
    expected = (values[:, 1:, :9].astype(np.float32) - volume.mean) / volume.sd
    assert (box[:2] == 0).all()
    assert (box[9:] == 0).all()
    assert (box[:, 10:] == 0).all()
    np.testing.assert_allclose(
        box[2:9, :10], np.clip(expected, -6, 6), rtol=1e-5, atol=1e-5
    )
    assert box[5, 3, 5] == 6
