"""The voxel size of a header, the one given, and which of them is taken."""

import logging
import math

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.tomogram import read_map, read_tomogram
from etpicker_plugin.tests.support.mrc_headers import write_mrc

DATA = np.arange(3 * 5 * 7, dtype="i2").reshape(3, 5, 7)
NAN, INF = math.nan, math.inf


@pytest.fixture
def path(tmp_path):
    return tmp_path / "TS_01.mrc"


def with_voxels(path, sizes, **fields):
    x, y, z = sizes
    return write_mrc(path, DATA, cell=(7 * x, 5 * y, 3 * z), **fields)


def test_the_cell_over_its_samples_is_the_voxel_size(path):
    write_mrc(path, DATA, samples=(14, 10, 6), cell=(63.0, 45.0, 27.0))
    assert read_tomogram(path).voxel_size == 4.5


def test_a_percent_between_the_axes_is_tolerated(path):
    with_voxels(path, (10.0, 10.05, 10.09))
    assert read_tomogram(path).voxel_size == 10.0


REFUSED = [
    ((10.0, 10.0, 10.2), "its voxels are not cubes, but 10, 10, 10.2 Å along x, y, z"),
    ((10.0, 10.0, 0.0), "in some axes only: 10, 10, 0 Å"),
    ((0.0, 0.0, 10.0), "in some axes only: 0, 0, 10 Å"),
    ((NAN, 10.0, 10.0), "a cell of nan, 50, 30 Å in its header"),
    ((10.0, INF, 10.0), "a cell of 70, inf, 30 Å"),
    ((-10.0, -10.0, -10.0), "a cell of -70, -50, -30 Å"),
    ((1e30, 1e30, 1e30), r"voxel size 1e\+30 Å in its header, expected 0.1 to 1000"),
    ((0.05, 0.05, 0.05), "voxel size 0.05 Å in its header"),
]


@pytest.mark.parametrize(("sizes", "words"), REFUSED)
def test_a_strange_cell_is_refused_unless_the_user_insists(path, caplog, sizes, words):
    with_voxels(path, sizes)
    with pytest.raises(InputDataError, match=f"{words}.*--trust-voxel-size"):
        read_tomogram(path)
    with pytest.raises(InputDataError, match=f"{words}.*--trust-voxel-size"):
        read_tomogram(path, 10.0)
    with caplog.at_level(logging.WARNING):
        assert read_tomogram(path, 9.0, trust_voxel_size=True).voxel_size == 9.0
    assert "the 9 Å that were given are taken" in caplog.text


@pytest.mark.parametrize("angles", [(90, 90, 120), (NAN, 90, 90), (45, 0, 0)])
def test_a_skew_cell_is_refused_unless_the_user_insists(path, angles):
    write_mrc(path, DATA, angles=angles)
    with pytest.raises(InputDataError, match=r"its cell has angles of .*, expected 90"):
        read_tomogram(path, 10.0)
    assert read_tomogram(path, 10.0, trust_voxel_size=True).voxel_size == 10.0


@pytest.mark.parametrize("angles", [(0, 0, 0), (90, 90, 90.1)])
def test_angles_that_are_not_set_or_nearly_right(path, angles):
    assert read_tomogram(write_mrc(path, DATA, angles=angles)).voxel_size == 10.0


@pytest.mark.parametrize("unknown", [0.0, 1.0])
def test_a_header_that_does_not_know_gives_way_with_a_word(path, caplog, unknown):
    with_voxels(path, (unknown,) * 3)
    with caplog.at_level(logging.WARNING):
        assert read_tomogram(path, 13.5).voxel_size == 13.5
    assert f"its header says {unknown:g} Å, as programs write" in caplog.text
    assert "the 13.5 Å that were given are taken" in caplog.text


def test_samples_of_zero_are_no_voxel_size(path):
    write_mrc(path, DATA, samples=(0, 0, 0), cell=(70.0, 50.0, 30.0))
    with pytest.raises(InputDataError, match=r"voxel size 0\.0 Å in the header"):
        read_tomogram(path)
    assert read_tomogram(path, 10.0).voxel_size == 10.0


@pytest.mark.parametrize("stated", [1.02, 2.0, 9.8])
def test_a_header_that_knows_does_not_give_way(path, caplog, stated):
    with_voxels(path, (stated,) * 3)
    with pytest.raises(
        InputDataError,
        match=f"{stated:g} Å in the header, 10 Å given.*--trust-voxel-size.*Scipion",
    ):
        read_tomogram(path, 10.0)
    with caplog.at_level(logging.WARNING):
        assert read_tomogram(path, 10.0, trust_voxel_size=True).voxel_size == 10.0
    assert f"its header says {stated:g} Å; the 10 Å that were given" in caplog.text


def test_trust_without_need_is_not_mentioned(path, caplog):
    with_voxels(path, (10.0,) * 3)
    with caplog.at_level(logging.WARNING):
        assert read_tomogram(path, 10.05, trust_voxel_size=True).voxel_size == 10.05
    assert caplog.text == ""


def test_a_tomogram_of_one_angstrom_is_doubted_and_a_map_is_not(path, caplog):
    with_voxels(path, (1.0,) * 3)
    with caplog.at_level(logging.WARNING):
        assert read_map(path).voxel_size == 1.0
        assert read_tomogram(path, 1.0).voxel_size == 1.0
    assert caplog.text == ""
    with caplog.at_level(logging.WARNING):
        assert read_tomogram(path).voxel_size == 1.0
    assert "a voxel size of 1 Å in the header, as programs write" in caplog.text


def test_a_map_cannot_be_insisted_on(path):
    with_voxels(path, (2.0,) * 3)
    with pytest.raises(InputDataError, match="correct the header") as error:
        read_map(path, 10.0)
    assert "--trust-voxel-size" not in str(error.value)
