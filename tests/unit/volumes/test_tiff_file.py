"""Micrographs in TIFF: the same pixels as in MRC, or a refusal that says why."""

import mrcfile
import numpy as np
import pytest
import tifffile

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.tiff_file import tiff_shape
from etpicker_plugin.engine.volumes.tomogram import read_box, read_tomogram, read_whole

IMAGE = np.arange(5 * 7, dtype=np.float32).reshape(5, 7)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_the_last_row_is_at_y_0(tmp_path, compression):
    path = tmp_path / "mic.tif"
    tifffile.imwrite(path, IMAGE, compression=compression)

    found = read_tomogram(path, 1.2)

    assert (found.tomogram_id, found.voxel_size) == ("mic", 1.2)
    assert found.is_flat
    assert tiff_shape(path) == (1, 5, 7)
    np.testing.assert_array_equal(read_whole(found), IMAGE[None, ::-1])
    part = read_box(found, (slice(0, 1), slice(1, 3), slice(4, 7)))
    np.testing.assert_array_equal(part, IMAGE[None, [3, 2], 4:7])


def test_a_change_is_noticed(tmp_path):
    path = tmp_path / "mic.tif"
    tifffile.imwrite(path, IMAGE)
    found = read_tomogram(path, 1.2)
    tifffile.imwrite(path, IMAGE[:4])

    with pytest.raises(InputDataError, match="was changed"):
        read_whole(found)


def test_the_pixel_size_must_be_given(tmp_path):
    path = tmp_path / "mic.tif"
    tifffile.imwrite(path, IMAGE)

    with pytest.raises(InputDataError, match="Give it"):
        read_tomogram(path)


@pytest.mark.parametrize("frames", [2, 3, 40])
@pytest.mark.parametrize("photometric", [None, "minisblack"])
def test_a_movie_is_refused(tmp_path, frames, photometric):
    """Three frames without more may be taken for red, green and blue."""
    path = tmp_path / "movie.tiff"
    movie = np.zeros((frames, 5, 7), np.uint8)
    tifffile.imwrite(path, movie, photometric=photometric)

    for read in (tiff_shape, lambda path: read_tomogram(path, 1.2)):
        with pytest.raises(InputDataError, match=r"sum of (the|its) frames"):
            read(path)


@pytest.mark.parametrize("content", [b"", b"II*\x00" + bytes(300), b"no image"])
def test_what_is_no_tiff_is_refused(tmp_path, content):
    path = tmp_path / "bad.tif"
    path.write_bytes(content)

    with pytest.raises(InputDataError, match=r"TIFF|grey image"):
        read_tomogram(path, 1.2)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputDataError):
        read_tomogram(tmp_path / "none.tif", 1.2)


def test_both_formats_of_an_image_have_the_same_coordinates(tmp_path):
    """TIFF's first row is the top one, and MRC's the bottom one."""
    tifffile.imwrite(tmp_path / "mic.tif", IMAGE)
    with mrcfile.new(tmp_path / "mic.mrc") as mrc:
        mrc.set_data(IMAGE[::-1])
        mrc.voxel_size = 1.2

    of_tiff, of_mrc = (
        read_whole(read_tomogram(tmp_path / name, 1.2))
        for name in ("mic.tif", "mic.mrc")
    )

    np.testing.assert_array_equal(of_tiff, of_mrc)
    assert of_tiff[0, 0, 2] == IMAGE[4, 2]


@pytest.mark.parametrize(
    ("dtype", "turned"),
    [
        ("uint8", [[253, 254, 255], [245, 235, 225]]),
        ("uint16", [[65533, 65534, 65535], [65525, 65515, 65505]]),
        ("int16", [[-3, -2, -1], [-11, -21, -31]]),
        ("float32", [[-2.0, -1.0, 0.0], [-10.0, -20.0, -30.0]]),
    ],
)
def test_where_0_is_white_dark_stays_dark(tmp_path, caplog, dtype, turned):
    stored = np.array([[10, 20, 30], [2, 1, 0]], dtype)
    tifffile.imwrite(tmp_path / "mic.tif", stored, photometric="miniswhite")

    found = read_whole(read_tomogram(tmp_path / "mic.tif", 1.2))

    assert found.dtype == dtype
    np.testing.assert_array_equal(found, [turned])
    assert "0 is white" in caplog.text


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "int32", "float64"])
def test_numbers_are_those_that_are_stored(tmp_path, dtype):
    stored = np.array([[-5, 7, 100], [-120, 0, 3]]).astype(dtype)
    tifffile.imwrite(tmp_path / "mic.tif", stored, photometric="minisblack")

    found = read_whole(read_tomogram(tmp_path / "mic.tif", 1.2))

    np.testing.assert_array_equal(found, stored[None, ::-1])


def test_pages_of_several_sizes_are_refused(tmp_path):
    """A reader of the first one alone would take a thumbnail for the image."""
    with tifffile.TiffWriter(tmp_path / "mic.tif") as file:
        file.write(IMAGE[:3, :4])
        file.write(IMAGE)

    with pytest.raises(InputDataError, match=r"2 images .*\(3, 4\), \(5, 7\)"):
        read_tomogram(tmp_path / "mic.tif", 1.2)


def test_a_reduced_copy_does_not_count(tmp_path):
    with tifffile.TiffWriter(tmp_path / "mic.tif") as file:
        file.write(IMAGE)
        file.write(IMAGE[::2, ::2], subfiletype=1)

    found = read_whole(read_tomogram(tmp_path / "mic.tif", 1.2))

    np.testing.assert_array_equal(found, IMAGE[None, ::-1])


def test_colours_are_refused(tmp_path):
    tifffile.imwrite(
        tmp_path / "mic.tif", np.zeros((5, 7, 3), np.uint8), photometric="rgb"
    )

    with pytest.raises(InputDataError, match="colours"):
        read_tomogram(tmp_path / "mic.tif", 1.2)
