"""What an MRC header says of the voxels: heeded, refused, or heeded with a word."""

import gzip
import itertools
import logging
import struct

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.region_mask import open_mask
from etpicker_plugin.engine.volumes.tomogram import (
    read_box,
    read_map,
    read_tomogram,
    read_whole,
    slabs,
)
from etpicker_plugin.engine.volumes.working_volume import open_working_volume
from etpicker_plugin.tests.support.mrc_headers import (
    BIG,
    LITTLE,
    header_bytes,
    stored_in,
    write_mrc,
)

SHAPE = (3, 5, 7)
SIZE = (7, 5, 3)
AXES = list(itertools.permutations((1, 2, 3)))


def numbered(kind="i2"):
    """Return a volume in which the voxel at z, y, x holds 100 z + 10 y + x."""
    z, y, x = np.indices(SHAPE)
    return (100 * z + 10 * y + x).astype(kind)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "TS_01.mrc"


# ------------------------------- axis order ------------------------------------


def test_rows_along_z_and_sections_along_y_by_hand(path):
    # MAPC, MAPR, MAPS = 1, 3, 2: the file's second voxel in a row is the next x, its
    # second row the next z, its second section the next y.
    stored = np.arange(2 * 3 * 4, dtype="i2").reshape(3, 2, 4)
    tomogram = read_tomogram(write_mrc(path, stored, axes=(1, 3, 2)))
    assert tomogram.shape_zyx == (2, 3, 4)
    voxels = read_whole(tomogram)
    assert voxels[0, 0].tolist() == [0, 1, 2, 3]
    assert voxels[1, 0].tolist() == [4, 5, 6, 7]
    assert voxels[0, 1].tolist() == [8, 9, 10, 11]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("axes", AXES)
def test_every_axis_order_gives_the_same_volume(path, axes, order):
    data = numbered()
    write_mrc(path, stored_in(data, axes), axes=axes, order=order, between=b"x" * 96)
    tomogram = read_tomogram(path)
    assert tomogram.shape_zyx == SHAPE
    np.testing.assert_array_equal(tomogram.data, data)
    np.testing.assert_array_equal(read_whole(tomogram), data)
    for box in (
        (slice(1, 3), slice(2, 4), slice(3, 6)),
        (slice(0, 3, 2), slice(0, 5, 2), slice(1, 7, 3)),
        (slice(2, 3), slice(None), slice(4, 4)),
        (slice(1, 99), slice(4, 99), slice(5, 99)),
    ):
        np.testing.assert_array_equal(read_box(tomogram, box), data[box])


@pytest.mark.parametrize("axes", AXES)
def test_every_axis_order_is_normalised_alike(tmp_path, axes):
    data = np.random.default_rng(1).normal(size=(9, 11, 13)).astype("f4")
    volumes = [
        open_working_volume(read_tomogram(write_mrc(path, stored, axes=order)), 15.0)
        for path, stored, order in (
            (tmp_path / "a.mrc", data, (1, 2, 3)),
            (tmp_path / "b.mrc", stored_in(data, axes), axes),
        )
    ]
    one, two = (v.read((0, 0, 0), v.shape_zyx) for v in volumes)
    assert volumes[0].shape_zyx == volumes[1].shape_zyx == (6, 7, 9)
    np.testing.assert_allclose(one, two, atol=1e-5)


@pytest.mark.parametrize("axes", AXES)
def test_every_axis_order_of_a_mask(path, axes):
    data = (numbered() % 7 == 0).astype("i1")
    mask = open_mask(write_mrc(path, stored_in(data, axes), axes=axes), SHAPE)
    np.testing.assert_array_equal(mask.read_whole(), data != 0)
    voxels = np.argwhere(np.ones(SHAPE))[::-1]
    np.testing.assert_array_equal(mask.contains(voxels), data.ravel()[::-1] != 0)


@pytest.mark.parametrize("axes", AXES)
def test_slabs_cover_a_volume_once_and_read_whole_sections(path, axes):
    data = numbered()
    tomogram = read_tomogram(write_mrc(path, stored_in(data, axes), axes=axes))
    seen = np.zeros(SHAPE, int)
    for box in slabs(tomogram, 1):
        seen[box] += 1
        sections = range(SHAPE[3 - axes[2]])[box[3 - axes[2]]]
        assert len(sections) == 1
    assert (seen == 1).all()


def test_another_axis_order_is_said(path, caplog):
    with caplog.at_level(logging.WARNING):
        read_tomogram(write_mrc(path, numbered(), axes=(3, 2, 1)))
    assert "is 3, 2, 1: columns are z, rows y, sections x" in caplog.text


def test_no_axis_order_is_the_usual_one_and_said(path, caplog):
    with caplog.at_level(logging.WARNING):
        tomogram = read_tomogram(write_mrc(path, numbered(), axes=(0, 0, 0)))
    np.testing.assert_array_equal(read_whole(tomogram), numbered())
    assert "is 0, 0, 0, which is none; the usual one is taken" in caplog.text


@pytest.mark.parametrize("axes", [(1, 1, 3), (1, 2, 4), (0, 1, 2), (-1, 2, 3)])
def test_a_strange_axis_order_is_refused(path, axes):
    named = "axis order .* {}, {}, {} in its MRC header".format(*axes)
    with pytest.raises(InputDataError, match=named):
        read_tomogram(write_mrc(path, numbered(), axes=axes))


def test_the_usual_header_is_passed_over_in_silence(path, caplog):
    with caplog.at_level(logging.WARNING):
        read_tomogram(write_mrc(path, numbered()))
    assert caplog.text == ""


# --------------------------- byte order and stamp ------------------------------


@pytest.mark.parametrize("kind", ["i1", "i2", "f4", "u2", "f2"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    "stamp",
    [
        b"\x00\x00\x00\x00",
        b"\x44\x20\x20\x20",
        b"    ",
        b"\x44\x44\x00\x00",
        b"\x44\x41\x00\x00",
        b"\x11\x11\x00\x00",
    ],
)
def test_any_machine_stamp(path, caplog, stamp, order, kind):
    data = numbered("i2") % 100
    write_mrc(path, data.astype(kind), order=order, stamp=stamp)
    with caplog.at_level(logging.WARNING):
        found = read_whole(read_tomogram(path))
    np.testing.assert_array_equal(found, data)
    right = {"<": (b"\x44\x44", b"\x44\x41"), ">": (b"\x11\x11",)}[order]
    assert ("machine stamp is" in caplog.text) == (stamp[:2] not in right)
    if stamp[:2] not in right:
        name = {"<": "little", ">": "big"}[order]
        assert f"tell that it is {name}-endian MRC" in caplog.text


@pytest.mark.parametrize("order", "<>")
def test_no_map_word_and_no_stamp(path, caplog, order):
    write_mrc(path, numbered(), order=order, word=b"\0\0\0\0", stamp=b"\0\0\0\0")
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_whole(read_tomogram(path)), numbered())
    assert "the word MAP is missing" in caplog.text


# ------------------------------- size and length -------------------------------


@pytest.mark.parametrize("size", [(-7, 5, 3), (7, 0, 3), (7, 5, -(2**31))])
@pytest.mark.parametrize("order", "<>")
def test_sizes_below_one(path, size, order):
    write_mrc(path, numbered(), size=size, order=order)
    named = r"size \(x, y, z\) {}, {}, {} in its MRC header".format(*size)
    with pytest.raises(InputDataError, match=named):
        read_tomogram(path)


def test_a_size_beyond_all_measure(path):
    write_mrc(path, numbered(), size=(2**31 - 1,) * 3)
    expected = 1024 + 2 * (2**31 - 1) ** 3
    with pytest.raises(InputDataError, match=f"its header says {expected}"):
        read_tomogram(path)


@pytest.mark.parametrize("stamp", [LITTLE, b"\0\0\0\0"])
@pytest.mark.parametrize(
    ("more", "remedy"),
    [(-2, "was cut off; copy it again"), (2, "write the file again")],
)
def test_another_length_than_the_header_says(path, stamp, more, remedy):
    write_mrc(path, numbered(), stamp=stamp)
    whole = path.read_bytes()
    path.write_bytes(whole[:more] if more < 0 else whole + b"\0" * more)
    expected = 1024 + 2 * 3 * 5 * 7
    with pytest.raises(
        InputDataError, match=f"{expected + more} bytes, .* says {expected}.*{remedy}"
    ):
        read_tomogram(path)


def test_an_extended_header_is_skipped(path):
    write_mrc(path, numbered(), between=bytes(range(256)) * 5)
    np.testing.assert_array_equal(read_whole(read_tomogram(path)), numbered())


@pytest.mark.parametrize(
    ("extended", "words"),
    [(-4, r"extended header of -4 bytes \(NSYMBT\)"), (2**31 - 1, "its header says")],
)
def test_an_extended_header_that_cannot_be(path, extended, words):
    write_mrc(path, numbered(), extended=extended)
    with pytest.raises(InputDataError, match=words):
        read_tomogram(path)


def test_a_stack_of_volumes_is_refused(path):
    write_mrc(path, numbered(), space_group=401, samples=(7, 5, 1))
    with pytest.raises(InputDataError, match=r"stack of volumes \(space group 401"):
        read_tomogram(path)


def test_a_stack_of_one_volume_is_a_volume(path):
    write_mrc(path, numbered(), space_group=401)
    np.testing.assert_array_equal(read_whole(read_tomogram(path)), numbered())


def test_a_stack_of_images_is_said(path, caplog):
    write_mrc(path, numbered(), space_group=0, samples=(7, 5, 1))
    with caplog.at_level(logging.WARNING):
        assert read_tomogram(path).voxel_size == 10
    assert "calls it a stack of 3 images" in caplog.text


# ----------------------------- modes and other files ---------------------------


@pytest.mark.parametrize(
    ("mode", "bits", "words"),
    [
        (3, 32, "complex 16-bit integers"),
        (4, 64, "complex 32-bit floats"),
        (16, 24, "colours"),
        (101, 4, "4 bits per voxel"),
        (7, 32, "expected one of"),
        (-1, 8, "expected one of"),
    ],
)
def test_other_modes_are_refused_by_name(path, mode, bits, words):
    path.write_bytes(header_bytes(SIZE, mode=mode) + bytes(-(-105 * bits // 8)))
    with pytest.raises(InputDataError, match=f"MRC mode {mode}, expected one of") as e:
        read_tomogram(path)
    assert words in str(e.value)
    assert "copy it again" not in str(e.value)


def em_file():
    """Return an EM volume of 7 x 5 x 3 floats, as TOM writes it."""
    header = struct.pack("<4B3i", 6, 0, 0, 5, *SIZE)
    return header.ljust(512, b"\0") + numbered("f4").tobytes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            gzip.compress(bytes(9000), mtime=0),
            "compressed with gzip. Unpack it first: gunzip",
        ),
        (b"BZh91AY&SY" + bytes(2000), "bunzip2"),
        (b"\xfd7zXZ\x00" + bytes(100), "unxz"),
        (b"PK\x03\x04" + bytes(2000), "compressed with zip"),
        (b"\x89HDF\r\n\x1a\n" + bytes(2000), "it is an HDF5 file"),
        (b"II*\x00" + bytes(2000), "it is a TIFF image"),
        (b"\x93NUMPY\x01\x00" + bytes(2000), "it is a NumPy array"),
        (b"\x00\x00\x00\x03\x00" + bytes(2000), "a Digital Micrograph file"),
        (em_file(), "it is a volume in EM format"),
    ],
)
def test_other_files_are_named(tmp_path, content, words):
    path = tmp_path / "named.mrc"
    path.write_bytes(content)
    with pytest.raises(InputDataError, match=f"cannot be read as MRC: .*{words}"):
        read_tomogram(path)


def test_a_big_endian_volume_of_few_columns_is_no_other_file(path):
    # 3 columns in big-endian order are the first bytes of a Digital Micrograph file.
    data = numbered()[:, :, :3]
    found = read_map(write_mrc(path, data, order=">", stamp=BIG))
    np.testing.assert_array_equal(read_whole(found), data)


def test_a_name_that_no_file_can_have(tmp_path):
    with pytest.raises(InputDataError, match="no such file"):
        read_tomogram(tmp_path / ("x" * 300))


def test_a_folder(tmp_path):
    with pytest.raises(InputDataError, match="is no file"):
        read_tomogram(tmp_path)
