"""Picking where there is no room: exit code 5, advice, and the second run goes on."""

import os
import subprocess
import sys

import pytest

from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.tests.support.untrained import (
    MOST_PICKS,
    TINY_ZYX,
    make_tiny_tomograms,
    make_untrained_model,
)

LIMITED = """
import resource, sys
from etpicker_plugin.engine.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(main(sys.argv[2:]))
"""
MAP_BYTES = 1024 + 4 * TINY_ZYX[0] * TINY_ZYX[1] * TINY_ZYX[2]


def make_data(folder):
    make_untrained_model(folder / "model.safetensors")
    make_tiny_tomograms(folder, ["A", "B"])
    return folder


@pytest.fixture
def data(tmp_path):
    return make_data(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What an undisturbed run with maps leaves."""
    data = make_data(tmp_path_factory.mktemp("undisturbed"))
    assert pick(data, data / "out", "--probability-map").returncode == 0
    return files_in(data / "out")


def pick(data, out, *more, most=10**9):
    words = [
        *("pick", "--model", data / "model.safetensors", "--out", out),
        *("--tomogram", data / "A.mrc", data / "B.mrc", "--device", "cpu"),
        *("--max-picks", MOST_PICKS, "--threads", 1, *more),
    ]
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(most), *map(str, words)],
        capture_output=True,
        text=True,
    )


def files_in(out):
    """Return what the results hold, by name; a volume's labels hold the date."""
    return {
        str(p.relative_to(out)): p.read_bytes()[1024 if p.suffix == ".mrc" else 0 :]
        for p in out.rglob("*")
        if p.is_file() and p.suffix in (".csv", ".mrc", ".part")
    }


def test_maps_without_room(data, whole):
    small = pick(data, data / "out", "--probability-map", most=MAP_BYTES - 5)
    left = files_in(data / "out")
    again = pick(data, data / "out", "--probability-map")

    assert small.returncode == 5
    assert "Traceback" not in small.stderr
    assert "pick without probability maps" in small.stderr
    assert left == {}
    assert again.returncode == 0
    assert files_in(data / "out") == whole
    assert len(whole) == 2 + 2 * 2


@pytest.mark.parametrize("most", [0, 100, 600])
def test_picks_without_room(data, most):
    small = pick(data, data / "out", most=most)
    again = pick(data, data / "out")

    assert small.returncode == 5
    assert "Traceback" not in small.stderr
    assert "cannot be written" in small.stderr
    assert again.returncode == 0
    assert sorted(files_in(data / "out")) == ["A.csv", "B.csv"]
    assert [n for n in os.listdir(data / "out") if n.startswith(".")] == []


def test_the_maps_of_a_stopped_run_are_not_another_runs(data):
    out, card = data / "out", read_card(data / "model.safetensors")
    out.mkdir()
    for name in card.class_names():
        (out / f".A_{name}_probability.mrc.part").write_bytes(b"\1" * MAP_BYTES)

    assert pick(data, out).returncode == 0
    assert not list(out.glob(".*"))


def test_a_link_in_the_place_of_what_is_picked_so_far(data):
    (data / "victim").write_text("precious")
    (data / "out").mkdir()
    (data / "out" / ".A.partial.jsonl").symlink_to(data / "victim")

    done = pick(data, data / "out")

    assert done.returncode == 0  # B was picked.
    assert "symbolic link, and what it leads to is not touched" in done.stderr
    assert (data / "victim").read_text() == "precious"
    assert (data / "out" / "B.csv").exists()


KILLED = """
import os, sys
from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.picking import one_tomogram, probability_map
module, name = sys.argv[1].split(".")
holder = {"one_tomogram": one_tomogram, "maps": probability_map.ProbabilityMaps}[module]
setattr(holder, name, lambda *_, **__: os._exit(9))
main(sys.argv[2:])
"""


@pytest.mark.parametrize(
    ("where", "lost"),
    [
        ("one_tomogram.write_picks", ""),
        ("one_tomogram.write_picks", ".mrc"),
        ("maps.finish", ".part"),
    ],
)
def test_a_kill_around_the_naming_of_maps(data, whole, where, lost):
    out = data / "out"
    words = [
        *("pick", "--model", data / "model.safetensors", "--out", out),
        *("--tomogram", data / "A.mrc", data / "B.mrc", "--device", "cpu"),
        *("--max-picks", MOST_PICKS, "--threads", 1, "--probability-map"),
    ]
    command = [sys.executable, "-c", KILLED, where, *map(str, words)]
    assert subprocess.run(command, capture_output=True).returncode == 9
    for path in list(out.glob("*A_large*"))[:1]:
        if lost and path.name.endswith(lost):
            path.unlink()

    assert pick(data, out, "--probability-map").returncode == 0

    assert files_in(out) == whole
