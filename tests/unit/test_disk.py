"""Full disks and links: nothing is followed, lost or half done."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from etpicker_plugin.engine import disk
from etpicker_plugin.engine.disk import (
    append_whole,
    cannot_write,
    is_disk_full,
    open_own,
    reserve,
)
from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.progress import JsonLinesProgress, ProgressEvent

APPEND = os.O_RDWR | os.O_CREAT | os.O_APPEND


def fault(number):
    return OSError(number, os.strerror(number))


def caused_by(error):
    def write():
        try:
            raise error
        except OSError as found:
            raise cannot_write("It", Path("a"), found) from found

    with pytest.raises(ResourceError) as caught:
        write()
    return caught.value


@pytest.fixture
def small_files():
    """No file may grow beyond 10 kB, as on a disk that is almost full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_from_one_that_is_forbidden(tmp_path, monkeypatch):
    path = tmp_path / "out" / "TS.mrc"
    usage = type("Usage", (), {"free": 344_000})
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda folder: usage)

    full = cannot_write("The map", path, fault(errno.ENOSPC), needed=1_150_000)
    other = cannot_write("The map", path, fault(errno.EACCES), instead="go without")

    assert full.exit_code == 5
    assert str(full) == (
        "The map cannot be written: No space left on device. Free some space on the "
        f"disk of {path.parent}, where 0.344 MB is free; it takes 1.15 MB."
    )
    assert str(other).endswith("or give another folder, or go without.")


def test_quota_and_limit_are_a_lack_of_room_too():
    for number in (errno.EDQUOT, errno.EFBIG):
        assert is_disk_full(caused_by(fault(number)))
    assert not is_disk_full(caused_by(fault(errno.EACCES)))
    assert not is_disk_full(ResourceError("memory"))


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "link").symlink_to("victim")

    with pytest.raises(OSError, match="symbolic") as caught:
        open_own(tmp_path / "link", APPEND)

    assert "remove it" in str(cannot_write("It", tmp_path / "link", caught.value))


def test_a_line_is_appended_whole_or_not_at_all(tmp_path, small_files):
    descriptor = open_own(tmp_path / "lines", APPEND)
    append_whole(descriptor, b"x" * 9_000 + b"\n")

    with pytest.raises(OSError, match=r"space|large"):
        append_whole(descriptor, b"y" * 2_000 + b"\n")
    append_whole(descriptor, b"z\n")

    os.close(descriptor)
    assert (tmp_path / "lines").read_bytes() == b"x" * 9_000 + b"\nz\n"


def test_room_is_set_aside_and_what_is_there_stays(tmp_path, small_files):
    path = tmp_path / "map"
    path.write_bytes(b"head")

    reserve(path, 8_000)

    assert path.read_bytes() == b"head" + bytes(7_996)
    with pytest.raises(OSError, match="large"):
        reserve(path, 20_000)


def test_progress_says_at_once_what_is_in_its_way(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("victim")

    for name in ("folder", "link", "missing/progress.jsonl"):
        with pytest.raises(ResourceError, match=r"progress file .* cannot be"):
            JsonLinesProgress(tmp_path / name)
    assert not (tmp_path / "victim").exists()


def test_progress_on_a_full_disk_keeps_whole_lines(tmp_path, small_files):
    path = tmp_path / "progress.jsonl"
    path.write_bytes(b"x" * 9_900 + b"\n")
    report = JsonLinesProgress(path)

    def go_on():
        for done in range(9):
            report(ProgressEvent("training", done, 9, {"loss": 0.5}))

    with pytest.raises(ResourceError, match="progress file"):
        go_on()
    assert path.read_bytes().endswith(b"}\n")


def test_a_torn_line_of_a_killed_run_is_ended(tmp_path):
    path = tmp_path / "progress.jsonl"
    path.write_text('{"stage": "tr')

    JsonLinesProgress(path)(ProgressEvent("training", 1, 9))

    torn, whole = path.read_text().splitlines()
    assert (torn, whole[-1]) == ('{"stage": "tr', "}")


FULL = """
import resource, sys
from etpicker_plugin.engine.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(main(sys.argv[2:]))
"""


def test_a_command_without_room_ends_with_5(tmp_path):
    (tmp_path / "TS_01.csv").write_text(
        "class,x,y,z\n" + "".join(f"a,{n % 40},{n % 50},{n % 30}\n" for n in range(500))
    )
    words = (
        f"convert --input {tmp_path}/TS_01.csv --input-format csv --output-format txt "
        f"--out {tmp_path}/out --dimensions 41 57 33 --voxel-size 10"
    )

    def run(limit):
        return subprocess.run(
            [sys.executable, "-c", FULL, str(limit), *words.split()],
            capture_output=True,
            text=True,
        )

    without = run(5_000)
    left = sorted(p.name for p in (tmp_path / "out").iterdir())
    again = run(10**6)

    assert without.returncode == 5
    assert "Traceback" not in without.stderr
    assert "ulimit -f" in without.stderr
    assert left == [".convert.json", "records"]
    assert again.returncode == 0
    assert len((tmp_path / "out" / "TS_01.txt").read_text().splitlines()) == 500
