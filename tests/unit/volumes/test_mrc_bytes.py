"""Signed and unsigned bytes: what the header claims, and what the voxels tell."""

import logging

import numpy as np
import pytest

from etpicker_plugin.engine.volumes.mrc_bytes import unsigned_by_roughness
from etpicker_plugin.engine.volumes.region_mask import open_mask
from etpicker_plugin.engine.volumes.tomogram import read_box, read_tomogram, read_whole
from etpicker_plugin.tests.support.mrc_headers import UNDETERMINED, write_mrc

SHAPE = (6, 9, 15)


def bytes_around(middle, spread=25):
    """Return values about a middle, as of an image: few near the ends."""
    noise = np.random.default_rng(2).normal(middle, spread, SHAPE)
    return np.clip(noise, middle - 100, middle + 100).round().astype("i2")


UNSIGNED, SIGNED = bytes_around(123), bytes_around(-5)


def write(path, data, **fields):
    """Write values as the bytes that hold them, whatever the header will say."""
    return write_mrc(path, (data % 256).astype("u1"), **fields)


def values_of(data):
    return float(data.min()), float(data.max())


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        # IMOD's flag, with and without values, and in a file that follows MRC2014.
        (UNSIGNED, {"imod_flags": 0, "version": 0, "values": values_of(UNSIGNED)}),
        (UNSIGNED, {"imod_flags": 0, "version": 20140}),
        (UNSIGNED, {"imod_flags": 16, "values": values_of(UNSIGNED)}),
        (SIGNED, {"imod_flags": 1, "version": 0}),
        (SIGNED, {"imod_flags": 17, "values": values_of(SIGNED)}),
        # MRC2014.
        (SIGNED, {"version": 20140}),
        (SIGNED, {"version": 20141, "values": values_of(SIGNED)}),
        # Older: what the values say.
        (UNSIGNED, {"version": 0, "values": values_of(UNSIGNED)}),
        (SIGNED, {"version": 0, "values": values_of(SIGNED)}),
    ],
)
@pytest.mark.parametrize("order", "<>")
def test_a_header_of_one_mind_is_believed_in_silence(
    tmp_path, caplog, data, fields, order
):
    path = write(tmp_path / "a.mrc", data, order=order, **fields)
    with caplog.at_level(logging.WARNING):
        tomogram = read_tomogram(path)
    np.testing.assert_array_equal(read_whole(tomogram), data)
    np.testing.assert_array_equal(tomogram.data, data)
    box = (slice(1, 4), slice(2, 3), slice(4, 9))
    np.testing.assert_array_equal(read_box(tomogram, box), data[box])
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("data", "fields", "words"),
    [
        # A program that writes unsigned bytes under MRC2014.
        (
            UNSIGNED,
            {"values": values_of(UNSIGNED)},
            "but MRC2014 has signed bytes; read as unsigned, 0 to 255, as the voxels",
        ),
        # IMOD's stamp, kept in a file that another program has written anew.
        (
            SIGNED,
            {"imod_flags": 0, "values": values_of(SIGNED)},
            "IMOD's flag says unsigned, but its header's values go from -",
        ),
        # The stamp is right, the values are of another file.
        (
            UNSIGNED,
            {"imod_flags": 0, "values": (-3.0, 4.0)},
            "from -3 to 4; read as uns",
        ),
        # Nothing tells but the voxels.
        (UNSIGNED, {"version": 0}, "its header does not tell; read as unsigned"),
    ],
)
def test_where_the_header_disagrees_the_voxels_decide_and_it_is_said(
    tmp_path, caplog, data, fields, words
):
    path = write(tmp_path / "a.mrc", data, **fields)
    with caplog.at_level(logging.WARNING):
        tomogram = read_tomogram(path)
    np.testing.assert_array_equal(read_whole(tomogram), data)
    assert words in caplog.text


@pytest.mark.parametrize("values", [UNDETERMINED, (0.0, 0.0), (-3.3, 5.2), (0.0, 1e9)])
def test_values_that_are_no_bytes_say_nothing(tmp_path, caplog, values):
    path = write(tmp_path / "a.mrc", SIGNED, version=20140, values=values)
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_whole(read_tomogram(path)), SIGNED)
    assert caplog.text == ""


def test_without_any_sign_bytes_are_signed(tmp_path):
    low = bytes_around(50, spread=5)  # The same either way.
    path = write(tmp_path / "a.mrc", low, version=0)
    assert read_tomogram(path).data.dtype == np.int8


def test_where_the_voxels_do_not_tell_either_the_weightier_claim_holds(
    tmp_path, caplog
):
    low = bytes_around(50, spread=5)
    path = write(tmp_path / "a.mrc", low, imod_flags=1, values=(0.0, 200.0))
    with caplog.at_level(logging.WARNING):
        assert read_tomogram(path).data.dtype == np.int8
    assert "read as signed, -128 to 127, as the first says" in caplog.text


def test_roughness_by_hand():
    about_128 = np.array([[126, 130, 127, 129]], np.uint8)
    about_0 = np.array([[254, 2, 255, 1]], np.uint8)
    both = np.array([[10, 20, 15, 30]], np.uint8)
    assert unsigned_by_roughness(about_128) is True
    assert unsigned_by_roughness(about_0) is False
    assert unsigned_by_roughness(both) is None
    two_values = np.array([[0, 255, 0, 255]], np.uint8)
    assert unsigned_by_roughness(two_values) is None


def test_a_header_of_one_mind_is_believed_and_the_voxels_doubt_is_said(
    tmp_path, caplog
):
    path = write(tmp_path / "a.mrc", SIGNED, imod_flags=0)
    with caplog.at_level(logging.WARNING):
        assert read_tomogram(path).data.dtype == np.uint8
    assert "IMOD's flag says unsigned; read as unsigned" in caplog.text
    assert "though the voxels look otherwise" in caplog.text


@pytest.mark.parametrize(
    ("outside", "inside", "fields"),
    [
        (0, 1, {"imod_flags": 1}),
        (0, 255, {"imod_flags": 0, "values": (0.0, 255.0)}),
        (0, 255, {}),
        (128, 129, {}),  # 0 and 1 as bytes shifted by 128, -128 and -127.
        (128, 129, {"imod_flags": 0}),
        (128, 127, {}),  # 0 and 255, shifted: -128 and 127.
    ],
)
def test_a_mask_of_bytes_is_the_same_mask_signed_or_not(
    tmp_path, caplog, outside, inside, fields
):
    wanted = np.random.default_rng(4).random(SHAPE) < 0.3
    path = write_mrc(
        tmp_path / "m.mrc", np.where(wanted, inside, outside).astype("u1"), **fields
    )
    np.testing.assert_array_equal(open_mask(path, SHAPE).read_whole(), wanted)
    assert "signed or unsigned" not in caplog.text
