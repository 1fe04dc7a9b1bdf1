"""The real window on a small screen, and on one of twice as fine pixels."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from etpicker_plugin.tests.support import window_probe
from etpicker_plugin.tests.support.screen import screen

SCREENS = {1: "1280x800x24", 2: "2560x1600x24"}

pytestmark = pytest.mark.skipif(
    shutil.which("Xvfb") is None or shutil.which("openbox") is None,
    reason="Xvfb or openbox is not installed",
)


@pytest.fixture(scope="module", params=sorted(SCREENS), ids=["1x", "2x"])
def found(request, phantoms, tmp_path_factory):
    """What the window tells of itself under a window manager."""
    folder, _ = phantoms
    work = tmp_path_factory.mktemp("screen")
    rows = "large,20,20,20,0.7\nlarge,30,30,20,0.2\n"
    (work / "TS_a.csv").write_text(f"class,x,y,z,score\n{rows}")
    (work / "out").mkdir()
    scale = request.param
    with screen(SCREENS[scale]) as display:
        environment = {
            **os.environ,
            "DISPLAY": display,
            "QT_QPA_PLATFORM": "xcb",
            "QT_SCALE_FACTOR": str(scale),
        }
        manager = subprocess.Popen(
            ["openbox"], env=environment, stderr=subprocess.DEVNULL
        )
        time.sleep(1)
        try:
            words = (work / "out", folder / "TS_a.mrc", work / "TS_a.csv")
            done = subprocess.run(
                [sys.executable, Path(window_probe.__file__), *map(str, words)],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
        finally:
            manager.terminate()
            manager.wait()
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "scale": scale}


def lies_in(inner, outer):
    return (
        inner[0] >= outer[0]
        and inner[1] >= outer[1]
        and inner[2] <= outer[2]
        and inner[3] <= outer[3]
    )


def test_the_window_with_its_frame_lies_on_the_screen(found):
    assert found["ratio"] == found["scale"]
    assert found["screen"] == [0, 0, 1280, 800]
    assert lies_in(found["frame"], found["screen"])
    left, top, right, bottom = found["inside"]
    assert right - left > 1200
    assert bottom - top > 700
    assert found["frame"] != found["inside"]  # The window manager has framed it.


def test_no_text_and_no_button_is_cut_off_on_any_page(found):
    assert set(found["cut_off"]) == {
        "A&nnotate",
        "&Live",
        "&Judge",
        "&Suggest",
        "cloud",
    }
    assert all(texts == [] for texts in found["cut_off"].values()), found["cut_off"]


def test_the_help_fits_too(found):
    assert lies_in(found["help"], found["screen"])
    assert found["help_cut_off"] == []
