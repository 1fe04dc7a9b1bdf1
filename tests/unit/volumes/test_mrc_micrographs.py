"""Micrographs in MRC as programs write them: modes, space groups, pixel sizes."""

import mrcfile
import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.thickness import check_thickness
from etpicker_plugin.engine.volumes.tomogram import read_tomogram, read_whole
from etpicker_plugin.tests.support.mrc_headers import write_mrc

STORED = np.array([[[1, 2, 3], [40, 50, 60]]])


@pytest.mark.parametrize("kind", ["i1", "i2", "f4", "u2", "f2"])
@pytest.mark.parametrize("space_group", [0, 1])
@pytest.mark.parametrize("name", ["mic.mrc", "mic.mrcs"])
def test_one_section_is_a_micrograph_of_any_mode(tmp_path, kind, space_group, name):
    path = tmp_path / name
    write_mrc(path, STORED.astype(f"<{kind}"), space_group=space_group)

    found = read_tomogram(path)

    assert (found.is_flat, found.tomogram_id, found.voxel_size) == (True, "mic", 10.0)
    np.testing.assert_array_equal(read_whole(found), STORED)


def test_big_endian_after_an_extended_header(tmp_path):
    path = tmp_path / "mic.mrc"
    write_mrc(path, STORED.astype(">i2"), order=">", between=b"FEI1" + bytes(764))

    np.testing.assert_array_equal(read_whole(read_tomogram(path)), STORED)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ((-30.0, 20.0, 10.0), "a cell of -30, 20 Å"),
        ((0.0, 0.0, 0.0), "voxel size 0.0 Å in the header"),
        ((30.0, 0.0, 10.0), "in some axes only: 10, 0 Å along x, y"),
        ((30.0, 40.0, 10.0), "not cubes, but 10, 20 Å along x, y"),
        ((float("nan"), 20.0, 10.0), "a cell of nan, 20 Å"),
    ],
)
def test_a_pixel_size_that_is_none_is_refused(tmp_path, cell, message):
    path = tmp_path / "mic.mrc"
    write_mrc(path, STORED.astype("<f4"), cell=cell)

    with pytest.raises(InputDataError, match=message):
        read_tomogram(path)
    assert read_tomogram(path, 1.5, trust_voxel_size=True).voxel_size == 1.5


def test_what_the_header_says_of_the_thickness_does_not_matter(tmp_path):
    path = tmp_path / "mic.mrc"
    write_mrc(path, STORED.astype("<f4"), cell=(30.0, 20.0, -7.0))

    assert read_tomogram(path).voxel_size == 10.0


def test_a_movie_is_refused_with_what_to_give(tmp_path):
    with mrcfile.new(tmp_path / "movie.mrcs") as mrc:
        mrc.set_data(np.zeros((5, 20, 30), np.int16))
        mrc.set_image_stack()
        mrc.voxel_size = 1.1

    movie = read_tomogram(tmp_path / "movie.mrcs")

    with pytest.raises(InputDataError, match="if it is a movie, the sum of its frames"):
        check_thickness(movie, "model", is_flat=True)
