"""One command in a folder: a second is told which one is running; a kill frees it."""

import errno
import json
import os
import socket
import subprocess
import sys

import pytest

from etpicker_plugin.engine import running
from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.running import LOCK_FILE, alone_in

HOLD = """
import sys, time
from pathlib import Path
from etpicker_plugin.engine.running import alone_in
with alone_in(Path(sys.argv[1]), "train"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def enter(folder):
    with alone_in(folder, "train"):
        pass


def test_a_second_is_told_of_the_first(tmp_path, holder):
    told = (
        rf"in use: 'etpicker train' \(process {holder.pid} on {socket.gethostname()}, "
        r"since \d{4}-.*Wait for its end"
    )
    with pytest.raises(ResourceError, match=told):
        enter(tmp_path)


def test_a_kill_frees_it_and_nothing_is_left_at_the_end(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert (tmp_path / LOCK_FILE).exists()

    enter(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_it_is_free_after_an_error(tmp_path):
    def fail():
        with alone_in(tmp_path, "train"):
            raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        fail()
    enter(tmp_path)


def test_a_link_is_no_lock(tmp_path):
    (tmp_path / LOCK_FILE).symlink_to("victim")
    with pytest.raises(ResourceError, match="symbolic link"):
        enter(tmp_path)
    assert not (tmp_path / "victim").exists()


@pytest.fixture
def disk_without_locks(monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(running.fcntl, "flock", refuse)


def note(folder, **changes):
    said = {
        "process": os.getppid(),
        "host": socket.gethostname(),
        "command": "pick",
        "since": 0,
    }
    (folder / LOCK_FILE).write_text(json.dumps({**said, **changes}))


def test_without_locks_the_note_of_a_living_process_counts(
    tmp_path, disk_without_locks
):
    note(tmp_path)
    with pytest.raises(ResourceError, match="'etpicker pick'"):
        enter(tmp_path)


@pytest.mark.parametrize("stale", [{"process": 2**22 + 1}, {"host": "elsewhere"}])
def test_without_locks_a_stale_note_is_passed_over(
    tmp_path, disk_without_locks, caplog, stale
):
    note(tmp_path, **stale)
    enter(tmp_path)
    assert "on a disk without locks" in caplog.text


@pytest.mark.parametrize("words", ["", "[", '{"process": "x"}', "[" * 4000])
def test_without_locks_a_damaged_note_is_passed_over(
    tmp_path, disk_without_locks, words
):
    (tmp_path / LOCK_FILE).write_text(words)
    enter(tmp_path)


def test_a_second_command_ends_with_5_and_harms_no_record(tmp_path, caplog):
    csv = tmp_path / "TS_01.csv"
    csv.write_text("class,x,y,z\nring,30,3,20\n")
    words = f"convert --input {csv} --input-format csv --output-format txt"
    frame = "--dimensions 41 57 33 --voxel-size 10"
    command = [*words.split(), *frame.split(), "--out", str(tmp_path / "out")]
    records = tmp_path / "out" / "records"
    records.mkdir(parents=True)
    (records / "finished.json").write_text("{}")

    with alone_in(records, "extract"):
        assert main(command) == 5

    assert "in use: 'etpicker extract'" in caplog.text
    assert sorted(p.name for p in records.iterdir()) == ["finished.json"]
    assert main(command) == 0
