"""Files appear whole, under names that nobody can foresee, and kills leave nothing."""

import os
import subprocess
import sys

import pytest

from etpicker_plugin.engine import atomic
from etpicker_plugin.engine.atomic import MARK, remove_leftovers, write_whole
from etpicker_plugin.engine.errors import ResourceError


@pytest.fixture(autouse=True)
def forget_folders():
    remove_leftovers.cache_clear()


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_name_is_new_each_time_and_keeps_the_extension(tmp_path):
    seen = set()
    for _ in range(3):
        with write_whole(tmp_path / "a.mrc") as temporary:
            temporary.write_text("x")
            seen.add(temporary.name)

    assert len(seen) == 3
    assert all(n.startswith(MARK) and n.endswith(".part.mrc") for n in seen)
    assert not any(str(os.getpid()) in name for name in seen)
    assert names_in(tmp_path) == ["a.mrc"]


def test_others_may_read_it_as_any_other_file(tmp_path):
    (tmp_path / "b").write_text("")
    with write_whole(tmp_path / "a") as temporary:
        temporary.write_text("x")

    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_link_at_the_end_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "a").symlink_to("victim")

    with write_whole(tmp_path / "a") as temporary:
        temporary.write_text("mine")

    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "a").is_symlink()


def test_a_link_in_the_place_of_the_temporary_file_is_not_followed(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(atomic.secrets, "token_hex", lambda n: "foreseen")
    (tmp_path / f"{MARK}foreseen.part.csv").symlink_to("victim")

    with (
        pytest.raises(ResourceError, match=r"a.csv cannot be written"),
        write_whole(tmp_path / "a.csv"),
    ):
        pass
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize("name", ["missing/a.csv", "file/a.csv", "n" * 300])
def test_a_place_that_cannot_be_written_is_named(tmp_path, name):
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(ResourceError, match="cannot be written"),
        write_whole(tmp_path / name) as temporary,
    ):
        temporary.write_text("x")
    assert names_in(tmp_path) == ["file"]


KILLED = """
import sys, time
from pathlib import Path
from etpicker_plugin.engine.atomic import write_whole
with write_whole(Path(sys.argv[1], "a.csv")) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_what_a_kill_leaves_goes_and_what_is_being_written_stays(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    dead, alive = (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)
    )
    for process in (dead, alive):
        assert process.stdout.readline() == "writing\n"
    dead.kill()
    dead.wait()
    assert len(names_in(tmp_path)) == 2

    with write_whole(tmp_path / "b.csv") as temporary:
        temporary.write_text("x")

    (left,) = set(names_in(tmp_path)) - {"b.csv"}
    assert left.startswith(MARK)
    assert (tmp_path / left).read_text() == "half"
    alive.kill()
    alive.wait()


def test_a_folder_is_looked_through_once(tmp_path):
    for n in range(3):
        with write_whole(tmp_path / f"{n}.csv") as temporary:
            temporary.write_text("x")
    assert remove_leftovers.cache_info().misses == 1
