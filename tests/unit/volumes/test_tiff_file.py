"""Micrographs in TIFF: the same pixels as in MRC, or a refusal that says why."""

import numpy as np
import pytest
import tifffile

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.tomogram import read_box, read_tomogram, read_whole

IMAGE = np.arange(5 * 7, dtype=np.float32).reshape(5, 7)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_pixels_lie_as_they_are_stored(tmp_path, compression):
    path = tmp_path / "mic.tif"
    tifffile.imwrite(path, IMAGE, compression=compression)

    found = read_tomogram(path, 1.2)

    assert (found.tomogram_id, found.voxel_size) == ("mic", 1.2)
    assert found.is_flat
    np.testing.assert_array_equal(read_whole(found), IMAGE[None])
    part = read_box(found, (slice(0, 1), slice(1, 3), slice(4, 7)))
    np.testing.assert_array_equal(part, IMAGE[None, 1:3, 4:7])


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


def test_a_movie_is_refused(tmp_path):
    path = tmp_path / "movie.tiff"
    tifffile.imwrite(path, np.zeros((3, 5, 7), np.uint8))

    with pytest.raises(InputDataError, match="not the movie"):
        read_tomogram(path, 1.2)


@pytest.mark.parametrize("content", [b"", b"II*\x00" + bytes(300), b"no image"])
def test_what_is_no_tiff_is_refused(tmp_path, content):
    path = tmp_path / "bad.tif"
    path.write_bytes(content)

    with pytest.raises(InputDataError, match=r"TIFF|grey image"):
        read_tomogram(path, 1.2)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputDataError):
        read_tomogram(tmp_path / "none.tif", 1.2)
