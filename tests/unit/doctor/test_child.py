"""Processes that hang, crash, or are called where files have treacherous names."""

import time
from pathlib import Path

import pytest

from etpicker_plugin.engine.doctor.child import ask, run


@pytest.fixture
def looking(tmp_path, monkeypatch):
    """Return a function that writes a module and asks it."""
    monkeypatch.syspath_prepend(tmp_path)

    def ask_it(text, *words, limit_s=30):
        body = "\n    ".join(text.split("; "))
        source = f"import os, sys, time\n\n\ndef look(*words):\n    {body}\n"
        (tmp_path / "looking.py").write_text(source, encoding="utf-8")
        return ask("looking", *words, limit_s=limit_s)

    return ask_it


def test_what_is_found_comes_back(looking):
    told = looking("print('{noise'); yield {'a': 1}; yield {'b': words}", "x y", "ä")

    assert told.values == {"a": 1, "b": ["x y", "ä"]}
    assert told.ended.fault() == ""


def test_what_was_found_before_a_crash_is_kept(looking):
    told = looking("yield {'a': 1}; os.write(2, b'no screen'); os.abort()")

    assert told.values == {"a": 1}
    assert told.ended.fault() == "it was ended by SIGABRT: no screen"


def test_an_error_is_told_by_its_last_line(looking):
    told = looking("yield {'a': 1}; raise RuntimeError('no kernel')")

    assert told.values == {"a": 1}
    assert told.ended.fault() == "RuntimeError: no kernel"


def test_what_takes_too_long_is_ended_and_what_it_found_kept(looking):
    begin = time.monotonic()
    told = looking("yield {'a': 1}; time.sleep(60)", limit_s=2)

    assert told.values == {"a": 1}
    assert told.ended.fault() == "no answer within 2 s"
    assert time.monotonic() - begin < 20


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path):
    begin = time.monotonic()
    ended = run(["sh", "-c", f"sleep 60 & echo $! > {tmp_path}/pid; wait"], limit_s=1)

    assert ended.fault() == "no answer within 1 s"
    assert time.monotonic() - begin < 20
    child = (tmp_path / "pid").read_text().strip()
    end = time.monotonic() + 10
    while is_running(child) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_running(child)


def is_running(process):
    """Tell whether a process lives; one that nobody has asked for its end does not."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("exit 0", ""),
        ("echo one >&2; echo two >&2; exit 3", "two"),
        ("exit 3", "exit code 3 without a word"),
        ("kill -9 $$", "it was ended by SIGKILL"),
    ],
)
def test_how_a_program_ended(script, fault):
    assert run(["sh", "-c", script], limit_s=30).fault() == fault


def test_files_of_the_working_directory_are_not_imported(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    for name in ("json", "random", "runpy"):
        (folder / f"{name}.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(folder)

    told = ask("etpicker_plugin.engine.doctor.look_packages", limit_s=60)

    assert told.ended.fault() == ""
    assert told.values["faults"] == {}
