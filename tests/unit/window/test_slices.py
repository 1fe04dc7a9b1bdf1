import mrcfile
import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.tests.support.mrc_headers import stored_in, write_mrc
from etpicker_plugin.window.document.volume import open_volume
from etpicker_plugin.window.drawing.slices import (
    Look,
    SliceReader,
    X,
    Y,
    Z,
    equalise,
    slab_around,
    to_grey,
)

SHAPE = (11, 37, 83)


@pytest.fixture(params=[np.int8, np.int16, np.float32, np.float16, np.uint16])
def volume(request, tmp_path):
    generator = np.random.default_rng(1)
    data = generator.integers(0, 100, SHAPE).astype(request.param)
    path = tmp_path / "volume.mrc"
    with mrcfile.new(path) as mrc:
        mrc.set_data(data)
        mrc.voxel_size = 7.5
    return data, open_volume(path)


def test_boxes_are_those_of_the_array(volume):
    data, opened = volume
    assert opened.shape_zyx == SHAPE
    assert opened.voxel_size == 7.5
    box = (slice(2, 9), slice(5, 6), slice(70, 83))
    np.testing.assert_array_equal(opened.read(box), data[box])


@pytest.mark.parametrize("axis", [Z, Y, X])
@pytest.mark.parametrize("axes", [(1, 3, 2), (2, 3, 1), (3, 2, 1)])
def test_slices_of_a_file_with_axes_in_another_order(tmp_path, axis, axes):
    data = np.random.default_rng(1).integers(0, 250, SHAPE).astype("u1")
    path = tmp_path / "TS.mrc"
    write_mrc(path, stored_in(data, axes), axes=axes, imod_flags=0)
    found = SliceReader(open_volume(path), axis).read(4, 1)
    np.testing.assert_array_equal(found, data.take(4, axis))


@pytest.mark.parametrize("axis", [Z, Y, X])
def test_slices_are_the_mean_of_their_slab(volume, axis):
    data, opened = volume
    reader = SliceReader(opened, axis)
    last = SHAPE[axis] - 1
    for index, thickness in ((0, 1), (3, 1), (5, 4), (0, 7), (last, 5), (4, 1)):
        slab = slab_around(index, thickness, SHAPE[axis])
        expected = data.astype(np.float64).take(range(slab.start, slab.stop), axis)
        np.testing.assert_allclose(
            reader.read(index, thickness), expected.mean(axis=axis), rtol=1e-5
        )


def test_slices_across_blocks_of_columns(volume):
    data, opened = volume
    reader = SliceReader(opened, X)
    for index in (31, 32, 63, 64, 82, 0):
        np.testing.assert_array_equal(reader.read(index, 1), data[:, :, index])


def test_slab_is_about_its_index_and_ends_at_the_faces():
    table = [
        (5, 1, slice(5, 6)),
        (5, 3, slice(4, 7)),
        (5, 4, slice(4, 8)),
        (0, 5, slice(0, 3)),
        (9, 5, slice(7, 10)),
    ]
    for index, thickness, expected in table:
        assert slab_around(index, thickness, 10) == expected


def test_grey_levels_by_hand():
    image = np.arange(5, dtype=np.float32)[None]
    look = Look(low=0, high=100)
    assert to_grey(image, look).tolist() == [[0, 63, 127, 191, 255]]
    inverted = to_grey(image, Look(low=0, high=100, invert=True))
    assert inverted.tolist() == [[255, 192, 128, 64, 0]]
    # Half the range about the middle, 1 … 3.
    steep = to_grey(image, Look(low=0, high=100, contrast=2.0))
    assert steep.tolist() == [[0, 0, 127, 255, 255]]
    # Brighter by a quarter of the range.
    bright = to_grey(image, Look(low=0, high=100, brightness=0.25))
    assert bright.tolist() == [[63, 127, 191, 255, 255]]


def test_percentiles_leave_the_extremes_out():
    image = np.zeros((10, 10), dtype=np.float32)
    image[0, 0], image[:, 5:] = 1e6, 1.0
    grey = to_grey(image, Look(low=2, high=98))
    assert grey[3, 3] == 0
    assert grey[3, 7] == 255


def test_equalised_levels_are_ranks():
    image = np.array([[0, 1, 1, 100]], dtype=np.float32)
    np.testing.assert_array_equal(equalise(image), [[0, 85, 85, 255]])


@pytest.mark.parametrize("look", [Look(), Look(equalise=True), Look(sigma=1.0)])
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 7.0])
def test_a_flat_or_broken_slice_is_shown_without_a_warning(look, value):
    image = np.full((6, 8), value, dtype=np.float32)
    with np.errstate(all="raise", invalid="ignore"):
        assert to_grey(image, look).shape == (6, 8)


def test_a_file_that_is_cut_off_changed_or_gone_is_told(tmp_path):
    path = tmp_path / "volume.mrc"
    with mrcfile.new(path) as mrc:
        mrc.set_data(np.zeros(SHAPE, np.int16))
        mrc.voxel_size = 10.0
    opened = open_volume(path)
    reader = SliceReader(opened, X)
    path.write_bytes(path.read_bytes()[:-500])
    for axis in (Z, Y):
        with pytest.raises(InputDataError, match="was changed while it was open"):
            SliceReader(opened, axis).read(1, 1)
    with pytest.raises(InputDataError, match="was changed"):
        reader.read(1, 1)
    path.unlink()
    with pytest.raises(InputDataError, match="can no longer be read"):
        reader.read(1, 1)
