"""Boxes read from a file are those of the array, and a file cut short is an error."""

import os

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.subtomograms.boxes import crop_boxes, read_padded
from etpicker_plugin.engine.verdict.places.cutting import cut_box
from etpicker_plugin.engine.volumes.tomogram import TomogramBoxes, read_tomogram
from etpicker_plugin.tests.support.mrc_headers import stored_in, write_mrc

SHAPE = (31, 37, 41)
AXES = (1, 3, 2)
POSITIONS = np.array([[15.2, 17.7, 20.1], [14.0, 20.5, 18.3]])


@pytest.fixture
def data():
    return np.random.default_rng(0).normal(size=SHAPE).astype("f4")


@pytest.fixture
def boxes(tmp_path, data):
    path = write_mrc(tmp_path / "TS.mrc", stored_in(data, AXES), axes=AXES)
    return TomogramBoxes(read_tomogram(path))


@pytest.mark.parametrize("scale", [1.0, 1.4])
def test_boxes_of_a_file_are_those_of_the_array(data, boxes, scale):
    of_array, of_file = (
        crop_boxes(volume, POSITIONS, box=8, scale=scale)[0] for volume in (data, boxes)
    )
    assert of_array.shape == (2, 8, 8, 8)
    np.testing.assert_array_equal(of_array, of_file)


@pytest.mark.parametrize("place", [(15.2, 17.7, 20.1), (0.0, 36.0, 40.0), (1.4, 2, 3)])
def test_a_box_at_a_face_repeats_its_voxels(data, boxes, place):
    where = np.array(place)
    np.testing.assert_array_equal(
        cut_box(data, where, box=8, scale=1.3), cut_box(boxes, where, box=8, scale=1.3)
    )
    starts, stops = [-3, 30, 35], [4, 40, 45]
    near = [
        np.clip(np.arange(a, b), 0, n - 1)
        for a, b, n in zip(starts, stops, SHAPE, strict=True)
    ]
    np.testing.assert_array_equal(
        read_padded(boxes, starts, stops), data[np.ix_(*near)]
    )


def test_a_file_that_is_cut_short_is_an_error(tmp_path, boxes):
    os.truncate(tmp_path / "TS.mrc", 5000)
    with pytest.raises(InputDataError, match="changed or replaced"):
        crop_boxes(boxes, POSITIONS, box=8)
