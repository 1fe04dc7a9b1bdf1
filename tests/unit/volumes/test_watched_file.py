"""A tomogram that changes, is cut short or vanishes while boxes of it are read."""

import os
import shutil

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.tomogram import (
    read_box,
    read_tomogram,
    write_volume,
)
from etpicker_plugin.engine.volumes.watched_file import WatchedFile

SHAPE = (7, 11, 13)
EVERY = (slice(None), slice(None), slice(None))


def volume(seed=0):
    noise = np.random.default_rng(seed).integers(-999, 999, SHAPE)
    return noise.astype(np.int16)


@pytest.fixture
def path(tmp_path):
    write_volume(tmp_path / "a.mrc", volume(), 10.0)
    return tmp_path / "a.mrc"


@pytest.mark.parametrize(
    "box",
    [
        EVERY,
        (slice(2, 5), slice(3, 9), slice(4, 6)),
        (slice(6, 7), slice(None, None, 3), slice(None, None, 3)),
        (slice(1, None), slice(2, 11, 2), slice(5)),
        (slice(3, 3), slice(3, 9), slice(4, 6)),
        (slice(5, 99), slice(9, 99), slice(12, 99)),
    ],
)
@pytest.mark.parametrize("kind", [np.int8, np.int16, np.float32])
def test_a_box_holds_the_values_of_the_file(tmp_path, box, kind):
    data = volume().astype(kind)
    write_volume(tmp_path / "b.mrc", data, 10.0)
    found = read_box(read_tomogram(tmp_path / "b.mrc"), box)
    assert found.dtype == data.dtype
    np.testing.assert_array_equal(found, data[box])


def vanish(path):
    path.unlink()


def replace(path):
    write_volume(path.with_name("x.mrc"), volume(1), 10.0)
    former = path.stat()
    os.utime(path.with_name("x.mrc"), ns=(former.st_atime_ns, former.st_mtime_ns))
    path.with_name("x.mrc").rename(path)


def overwrite(path):
    write_volume(path.with_name("x.mrc"), volume(1), 10.0)
    shutil.copyfile(path.with_name("x.mrc"), path)
    os.utime(path, ns=(1, 1))


def cut_short(path):
    os.truncate(path, 1500)


def become_a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("hashed", [False, True])
@pytest.mark.parametrize(
    "change", [vanish, replace, overwrite, cut_short, become_a_folder]
)
def test_a_change_is_an_input_error_at_the_next_box(path, change, hashed):
    tomogram = read_tomogram(path)
    if hashed:
        tomogram.file.sha256()
    read_box(tomogram, EVERY)
    change(path)
    with pytest.raises(InputDataError, match=r"a\.mrc (was changed|vanished)"):
        read_box(tomogram, EVERY)
    with pytest.raises(InputDataError, match="again"):
        tomogram.file.check()


def test_the_same_content_under_another_stamp_is_the_same_file(path):
    tomogram = read_tomogram(path)
    tomogram.file.sha256()
    shutil.copyfile(path, path.with_name("x.mrc"))
    path.with_name("x.mrc").rename(path)
    tomogram.file.check()
    np.testing.assert_array_equal(read_box(tomogram, EVERY), volume())


def test_what_changed_before_it_was_hashed_is_noticed(path):
    tomogram = read_tomogram(path)
    replace(path)
    with pytest.raises(InputDataError, match="changed or replaced"):
        tomogram.file.sha256()


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputDataError, match="No such file"):
        WatchedFile(tmp_path / "none.mrc")
