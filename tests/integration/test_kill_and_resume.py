"""kill -9 in training, updating and picking: the second run's picks are the first's."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.volumes.tomogram import write_volume
from etpicker_plugin.tests.support.phantoms import DIAMETERS, make_phantoms

TRAIN = ["--steps", "24", "--batch-size", "2", "--patch-size", "32", "--threads", "1"]
DEADLINE_S = 240


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    make_phantoms(folder)
    return folder


def command(*arguments):
    return [sys.executable, "-m", "etpicker_plugin.engine", *map(str, arguments)]


def train_command(data, out):
    diameters = [f"{name}={value}" for name, value in DIAMETERS.items()]
    return command(
        "train",
        "--tomogram",
        data / "TS_a.mrc",
        data / "TS_b.mrc",
        "--coordinates",
        data / "TS_a.csv",
        data / "TS_b.csv",
        "--diameter",
        *diameters,
        *("--working-voxel-size", "7.5"),
        "--out",
        out,
        *TRAIN,
    )


def update_command(model, data, out):
    return command(
        *("update", "--model", model, "--out", out),
        *("--tomogram", data / "TS_b.mrc", "--coordinates", data / "TS_b.csv"),
        *TRAIN,
    )


def pick_command(model, data, out):
    return command(
        "pick",
        "--model",
        model,
        "--tomogram",
        data / "TS_c.mrc",
        # A network of 24 steps is sure of nothing: its best peaks, however low.
        "--max-picks",
        "40",
        "--threshold",
        *(f"{name}=0" for name in DIAMETERS),
        "--tile-size",
        "32",
        "--threads",
        "1",
        "--out",
        out,
    )


def run(words):
    subprocess.run(words, check=True, capture_output=True, timeout=DEADLINE_S)


def kill_when(words, ready):
    """Start a command, kill it -9 as soon as ``ready()``; fail if it ends before."""
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + DEADLINE_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"ended with {process.poll()} before it could be killed")
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def trained_steps(out: Path) -> int:
    path = out / "records/progress.jsonl"
    if not path.exists():
        return 0
    records = [json.loads(line) for line in path.read_text().splitlines()[:-1]]
    return max((r["done"] for r in records if r["stage"] == "training"), default=0)


@pytest.fixture(scope="module")
def unbroken(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("unbroken")
    run(train_command(data, out))
    run(pick_command(out / "model.safetensors", data, out / "picks"))
    return out


def kill_and_resume(words, out):
    """Kill the command half-way, run it again, and see that it went on."""
    kill_when(words, lambda: trained_steps(out) >= 12)
    assert not (out / "model.safetensors").exists()
    assert (out / "training_state.safetensors").exists()
    killed_at = trained_steps(out)
    run(words)

    steps = [
        json.loads(line)["done"]
        for line in (out / "records/progress.jsonl").read_text().splitlines()
        if json.loads(line)["stage"] == "training"
    ]
    assert 1 < steps[killed_at:][0] <= killed_at + 1  # it went on, not from the start
    assert steps[-1] == 24
    assert not (out / "training_state.safetensors").exists()


def test_a_training_that_is_asked_to_finish_keeps_its_best(data, tmp_path):
    out = tmp_path / "asked"
    process = subprocess.Popen(train_command(data, out), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + DEADLINE_S
    while trained_steps(out) < 3:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR1)
    assert process.wait(DEADLINE_S) == 0

    course = read_card(out / "model.safetensors").training
    assert course["stopped_by"] == "asked"
    assert 3 <= course["steps"] < 24
    assert course["history"][-1]["step"] == course["steps"]


def test_another_time_limit_goes_on_where_it_was(data, tmp_path):
    out = tmp_path / "longer"
    words = train_command(data, out)
    kill_when([*words, "--max-minutes", "5"], lambda: trained_steps(out) >= 12)
    killed_at = trained_steps(out)
    assert (out / "training_state.safetensors").exists()

    run([*words, "--max-minutes", "9"])

    records = (out / "records/progress.jsonl").read_text().splitlines()
    steps = [r["done"] for r in map(json.loads, records) if r["stage"] == "training"]
    assert 1 < steps[killed_at:][0] <= killed_at + 1


def test_a_killed_training_gives_the_same_picks(data, unbroken, tmp_path):
    out = tmp_path / "broken"

    kill_and_resume(train_command(data, out), out)
    run(pick_command(out / "model.safetensors", data, out / "picks"))

    picks = (out / "picks" / "TS_c.csv").read_text()
    assert picks == (unbroken / "picks" / "TS_c.csv").read_text()
    assert len(picks.splitlines()) > 20


def test_a_killed_update_gives_the_same_picks(data, unbroken, tmp_path):
    old = unbroken / "model.safetensors"
    before = old.read_bytes()
    whole, broken = tmp_path / "whole", tmp_path / "broken"

    run(update_command(old, data, whole))
    kill_and_resume(update_command(old, data, broken), broken)

    for out in (whole, broken):
        run(pick_command(out / "model.safetensors", data, out / "picks"))
    picks = (broken / "picks" / "TS_c.csv").read_text()
    assert picks == (whole / "picks" / "TS_c.csv").read_text()
    assert len(picks.splitlines()) > 20
    assert old.read_bytes() == before


def test_a_killed_picking_gives_the_same_picks(data, unbroken, tmp_path):
    out = tmp_path / "picks"
    words = pick_command(unbroken / "model.safetensors", data, out)
    partial = out / ".TS_c.partial.jsonl"

    kill_when(
        words,
        lambda: partial.exists() and len(partial.read_text().splitlines()) >= 8,
    )
    assert not (out / "TS_c.csv").exists()
    done_before = len(partial.read_text().splitlines()) - 2
    begun = len((out / "records/progress.jsonl").read_text().splitlines())
    run(words)

    redone = len((out / "records/progress.jsonl").read_text().splitlines()) - begun
    assert redone <= 24 - done_before
    assert not partial.exists()
    expected = (unbroken / "picks" / "TS_c.csv").read_text()
    assert (out / "TS_c.csv").read_text() == expected


def test_a_picking_killed_between_slabs_gives_the_same_picks(data, unbroken, tmp_path):
    deep = tmp_path / "deep.mrc"
    with mrcfile.open(data / "TS_c.mrc") as mrc:
        planes, voxel_size = mrc.data, float(mrc.voxel_size.x)
        repeated = planes[np.arange(400) % len(planes)]
        write_volume(deep, repeated, voxel_size)
    model = unbroken / "model.safetensors"
    words = command("pick", "--model", model, "--tomogram", deep, "--threads", "1")
    words += ["--max-picks", "60", "--threshold", *(f"{n}=0" for n in DIAMETERS)]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    partial = killed / ".deep.partial.jsonl"

    run([*words, "--out", str(whole)])
    kill_when(
        [*words, "--out", str(killed)],
        lambda: partial.exists() and len(partial.read_text().splitlines()) >= 3,
    )
    assert not (killed / "deep.csv").exists()
    run([*words, "--out", str(killed)])

    slabs = [
        json.loads(line)["done"]
        for line in (killed / "records/progress.jsonl").read_text().splitlines()
    ]
    assert slabs == sorted(set(slabs))  # none is done twice
    assert slabs[-1] >= 4
    picks = (killed / "deep.csv").read_text()
    assert picks == (whole / "deep.csv").read_text()
    assert len(picks.splitlines()) > 20


def test_a_finished_run_is_not_redone(data, unbroken):
    before = (unbroken / "model.safetensors").stat().st_mtime_ns

    run(train_command(data, unbroken))

    assert (unbroken / "model.safetensors").stat().st_mtime_ns == before


def test_other_parameters_do_not_overwrite_a_model(data, unbroken):
    before = (unbroken / "model.safetensors").read_bytes()

    result = subprocess.run(
        [*train_command(data, unbroken), "--seed", "5"],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )

    assert result.returncode == 2
    assert "never overwritten" in result.stderr
    assert (unbroken / "model.safetensors").read_bytes() == before
