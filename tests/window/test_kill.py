"""kill -9 after a click: the click is there on reopening."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from etpicker_plugin.tests.support.phantoms import DIAMETERS
from etpicker_plugin.tests.support.screen import screen

WAIT_S = 240


def until(condition, *, what):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen in {WAIT_S} s")


def xdotool(environment, *words):
    done = subprocess.run(
        ["xdotool", *map(str, words)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()


@pytest.fixture
def own_screen():
    """The environment of a screen that no other test clicks on."""
    with screen() as name:
        yield {**os.environ, "DISPLAY": name, "QT_QPA_PLATFORM": "xcb"}


def lines_of(path):
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed")
@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
def test_a_killed_window_has_lost_no_click(own_screen, phantoms, open_window, tmp_path):
    folder, _ = phantoms
    out = tmp_path / "annotation"
    words = [f"{name}={value:g}" for name, value in DIAMETERS.items()]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "etpicker_plugin.engine", "view"),
            *("--tomogram", str(folder / "TS_a.mrc"), "--diameter", *words),
            *("--out", str(out)),
        ],
        env=own_screen,
        stderr=subprocess.DEVNULL,
    )
    journal = out / "TS_a.journal.jsonl"
    try:
        (window,) = until(
            lambda: xdotool(
                own_screen, "search", "--pid", process.pid, "--name", "TS_a"
            ),
            what="the window",
        )
        before = len(until(lambda: lines_of(journal), what="the journal"))
        time.sleep(1)
        for count, place in enumerate([(500, 300), (620, 420)], 1):
            xdotool(own_screen, "mousemove", "--window", window, *place)
            time.sleep(0.2)
            xdotool(own_screen, "click", 1)
            until(
                lambda n=count: len(lines_of(journal)) == before + n,
                what=f"click {count}",
            )
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not (out / "TS_a.csv").exists()  # It was not closed.
    clicked = [json.loads(line)["positions_zyx"][0] for line in lines_of(journal)[1:]]

    reopened = open_window(folder / "TS_a.mrc", out=out)
    assert reopened.editor.annotation.positions_zyx.tolist() == clicked
    assert len(clicked) == 2
    assert clicked[0] != clicked[1]
