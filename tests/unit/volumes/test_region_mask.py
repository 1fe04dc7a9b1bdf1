"""Region masks: which values mean inside, and masks that cannot tell."""

import logging
import os

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes import region_mask
from etpicker_plugin.engine.volumes.region_mask import open_mask
from etpicker_plugin.engine.volumes.tomogram import write_volume

SHAPE = (3, 5, 7)
INSIDE = [[0, 4, 1], [1, 2, 3], [2, 0, 6]]


def mask_of(outside, inside, kind=np.int8):
    data = np.full(SHAPE, outside, kind)
    data[tuple(np.transpose(INSIDE))] = inside
    return data


def written(path, data):
    write_volume(path, data, 0.0)
    return path


def test_a_mask_is_true_where_it_is_not_zero(tmp_path):
    data = np.zeros(SHAPE, np.int8)
    data[1, 2, 3], data[2, 0, 6] = 1, -1
    path = written(tmp_path / "mask.mrc", data)

    mask = open_mask(path, SHAPE).read_whole()

    assert mask.dtype == bool
    assert np.argwhere(mask).tolist() == [[1, 2, 3], [2, 0, 6]]


@pytest.mark.parametrize(
    ("outside", "inside", "kind"),
    [
        (0, 1, np.int8),
        (0, -1, np.int8),  # 255 as a signed byte.
        (0, 255, np.uint16),
        (-128, -127, np.int8),  # 0 and 1, shifted by 128.
        (-128, 127, np.int8),  # 0 and 255, shifted by 128.
        (1, 2, np.int16),
        (0, 0.25, np.float32),
    ],
)
def test_two_values_tell_inside_from_outside(tmp_path, outside, inside, kind):
    mask = open_mask(written(tmp_path / "m.mrc", mask_of(outside, inside, kind)), SHAPE)
    assert np.argwhere(mask.read_whole()).tolist() == INSIDE


def test_two_values_without_a_zero_are_said(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        open_mask(written(tmp_path / "m.mrc", mask_of(-128, -127)), SHAPE)
    assert "its two values are -128 and -127; -128 is taken for outside" in caplog.text


def test_a_mask_of_zeros_hides_everything(tmp_path):
    path = written(tmp_path / "m.mrc", mask_of(0, 0))
    with pytest.raises(InputDataError, match="all voxels are 0, so nothing is inside"):
        open_mask(path, SHAPE)


def test_a_mask_of_one_value_hides_nothing(tmp_path, caplog):
    path = written(tmp_path / "m.mrc", mask_of(7, 7))
    with caplog.at_level(logging.WARNING):
        assert open_mask(path, SHAPE).read_whole().all()
    assert "all voxels are 7, so everything is inside" in caplog.text


def test_many_values_without_a_zero_are_no_mask(tmp_path):
    data = mask_of(3, 4)
    data[0, 0, 0] = 5
    path = written(tmp_path / "m.mrc", data)
    with pytest.raises(InputDataError, match="values from 3 to 5 and none is 0"):
        open_mask(path, SHAPE)


def test_values_are_looked_at_slab_by_slab(tmp_path, monkeypatch):
    monkeypatch.setattr(region_mask, "SLAB_VOXELS", 1)
    data = mask_of(-3, -2)
    data[2, 4, 6] = 0  # In the last slab.
    mask = open_mask(written(tmp_path / "m.mrc", data), SHAPE)
    assert np.argwhere(~mask.read_whole()).tolist() == [[2, 4, 6]]


@pytest.mark.parametrize("outside", [0, -128])
def test_single_voxels_are_those_of_the_whole(tmp_path, outside):
    generator = np.random.default_rng(3)
    data = outside + generator.integers(0, 2, SHAPE).astype(np.int8)
    mask = open_mask(written(tmp_path / "m.mrc", data), SHAPE)
    voxels = np.stack([generator.integers(0, n, 40) for n in SHAPE], axis=1)
    expected = data[tuple(voxels.T)] != outside
    np.testing.assert_array_equal(mask.contains(voxels), expected)
    assert mask.contains(voxels[:0]).tolist() == []


def test_a_mask_with_axes_swapped_is_refused(tmp_path):
    path = written(tmp_path / "mask.mrc", np.ones(SHAPE[::-1], np.int8))

    with pytest.raises(InputDataError, match=r"\(7, 5, 3\).* is \(3, 5, 7\)"):
        open_mask(path, SHAPE)


def test_a_missing_mask(tmp_path):
    with pytest.raises(InputDataError, match=r"Region mask .*none\.mrc: no such file"):
        open_mask(tmp_path / "none.mrc", SHAPE)


def test_a_mask_that_is_cut_short_meanwhile(tmp_path):
    path = written(tmp_path / "m.mrc", mask_of(0, 1))
    mask = open_mask(path, SHAPE)
    os.truncate(path, 1100)
    with pytest.raises(InputDataError, match="changed or replaced"):
        mask.contains(np.array([[2, 0, 6]]))
    path.unlink()
    with pytest.raises(InputDataError, match="vanished"):
        mask.read_whole()
