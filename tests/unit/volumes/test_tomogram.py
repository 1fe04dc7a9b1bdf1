"""MRC files: every mode as a memory map, and every file that is refused."""

import mrcfile
import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.tomogram import (
    read_map,
    read_tomogram,
    read_whole,
    write_volume,
)

SHAPE = (3, 5, 7)
KINDS = {0: np.int8, 1: np.int16, 2: np.float32, 6: np.uint16, 12: np.float16}


def numbered(kind=np.float32):
    """Return a volume in which the voxel at z, y, x holds 100 z + 10 y + x - 100."""
    z, y, x = np.indices(SHAPE)
    values = 100 * z + 10 * y + x - (100 if kind != np.uint16 else 0)
    return (
        np.clip(values, -128, 127).astype(kind)
        if kind == np.int8
        else values.astype(kind)
    )


def written(path, data, *, voxel_size=10.0):
    write_volume(path, data, voxel_size)
    return path


@pytest.mark.parametrize(("mode", "kind"), KINDS.items())
def test_every_mode_is_mapped_with_its_values(tmp_path, mode, kind):
    data = numbered(kind)
    path = written(tmp_path / "TS_01.mrc", data, voxel_size=13.48)
    with mrcfile.open(path, header_only=True) as mrc:
        assert mrc.header.mode == mode

    tomogram = read_tomogram(path)

    assert isinstance(tomogram.data, np.memmap)
    assert tomogram.data.dtype == kind
    assert tomogram.shape_zyx == SHAPE
    assert tomogram.data[1, 2, 3] == data[1, 2, 3]
    assert np.array_equal(tomogram.data, data)
    assert tomogram.voxel_size == pytest.approx(13.48, abs=1e-5)
    assert tomogram.tomogram_id == "TS_01"


def test_the_voxel_at_z_y_x(tmp_path):
    tomogram = read_tomogram(written(tmp_path / "a.mrc", numbered()))

    assert tomogram.data[2, 4, 6] == 146
    assert tomogram.data[0, 4, 1] == -59


def test_big_endian(tmp_path):
    path = written(tmp_path / "a.mrc", numbered(">i2"))

    assert read_tomogram(path).data[2, 3, 5] == 135


def test_another_mode_is_refused(tmp_path):
    path = written(tmp_path / "a.mrc", numbered(np.complex64))

    with pytest.raises(InputDataError, match="MRC mode 4, expected one of"):
        read_tomogram(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputDataError, match=r"nowhere\.mrc: no such file"):
        read_tomogram(tmp_path / "nowhere.mrc")


@pytest.mark.parametrize("size", [0, 500])
def test_shorter_than_a_header(tmp_path, size):
    path = tmp_path / "a.mrc"
    path.write_bytes(b"\0" * size)

    with pytest.raises(InputDataError, match=f": {size} bytes, shorter than"):
        read_tomogram(path)


@pytest.mark.parametrize("kept", [1024, 1024 + 100])
def test_cut_off(tmp_path, kept):
    path = written(tmp_path / "a.mrc", numbered())
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(InputDataError, match="cut off; copy it again"):
        read_tomogram(path)


def test_no_mrc_file(tmp_path):
    path = tmp_path / "a.mrc"
    path.write_bytes(b"class,x,y,z\n" * 500)

    with pytest.raises(InputDataError, match="cannot be read as MRC"):
        read_tomogram(path)


def test_an_image_is_a_tomogram_one_slice_thick(tmp_path):
    path = tmp_path / "a.mrc"
    image = np.arange(35, dtype=np.float32).reshape(5, 7)
    with mrcfile.new(path) as mrc:
        mrc.set_data(image)
        mrc.voxel_size = 1.3

    found = read_tomogram(path)

    assert found.is_flat
    assert found.voxel_size == pytest.approx(1.3)
    np.testing.assert_array_equal(read_whole(found), image[None])


def test_the_thickness_of_a_micrograph_means_nothing(tmp_path):
    path = tmp_path / "a.mrcs"
    with mrcfile.new(path) as mrc:
        mrc.set_data(np.zeros((1, 5, 7), np.float32))
        mrc.voxel_size = (1.3, 1.3, 0.0)

    assert read_tomogram(path).voxel_size == pytest.approx(1.3)


def test_a_plane_is_no_map(tmp_path):
    path = written(tmp_path / "a.mrc", np.zeros((1, 5, 7), np.float32))

    with pytest.raises(InputDataError, match="a plane, expected a volume"):
        read_map(path)


def test_a_line_is_no_micrograph(tmp_path):
    path = written(tmp_path / "a.mrc", np.zeros((1, 1, 7), np.float32))

    with pytest.raises(InputDataError, match=r"\(1, 1, 7\), expected a volume"):
        read_tomogram(path)


def test_no_voxel_size_in_the_header(tmp_path):
    path = written(tmp_path / "a.mrc", numbered(), voxel_size=0.0)

    with pytest.raises(InputDataError, match=r"0\.0 Å in the header.*--voxel-size"):
        read_tomogram(path)
    assert read_tomogram(path, 7.5).voxel_size == 7.5


@pytest.mark.parametrize("given", [9.91, 10.09])
def test_header_and_given_agree_within_a_percent(tmp_path, given):
    path = written(tmp_path / "a.mrc", numbered())

    assert read_tomogram(path, given).voxel_size == given


@pytest.mark.parametrize("given", [9.89, 10.11, 1.0])
def test_header_and_given_disagree(tmp_path, given):
    path = written(tmp_path / "a.mrc", numbered())

    with pytest.raises(InputDataError, match=f"10 Å in the header, {given:g} Å given"):
        read_tomogram(path, given)
