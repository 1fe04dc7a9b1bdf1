"""One list, several processes: nothing lost, nothing twice, and only the rest again."""

import json
import subprocess
import sys

import pytest

from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.picking.partial import PartialPicks
from etpicker_plugin.tests.support.untrained import (
    MOST_PICKS,
    break_tomogram,
    make_tiny_tomograms,
    make_untrained_model,
)

NAMES = [f"TS_{i:02d}" for i in range(7)]
BROKEN = "TS_03"
DEADLINE_S = 240


@pytest.fixture
def data(tmp_path):
    make_untrained_model(tmp_path / "model.safetensors")
    paths = make_tiny_tomograms(tmp_path / "tomograms", NAMES)
    break_tomogram(paths[NAMES.index(BROKEN)], 0)
    return tmp_path


def pick_command(data, *more):
    tomograms = sorted(str(p) for p in (data / "tomograms").glob("*.mrc"))
    return [
        *(sys.executable, "-m", "etpicker_plugin.engine", "pick"),
        *("--model", str(data / "model.safetensors"), "--tomogram", *tomograms),
        *("--max-picks", str(MOST_PICKS), "--threads", "1", "--device", "cpu"),
        *("--out", str(data / "out"), *more),
    ]


def run(words, **keywords):
    return subprocess.run(
        words, capture_output=True, text=True, timeout=DEADLINE_S, **keywords
    )


def times(out):
    return {path.stem: path.stat().st_mtime_ns for path in out.glob("*.csv")}


def test_two_processes_at_once_share_a_list_and_a_folder(data):
    out = data / "out"

    both = [
        subprocess.Popen(pick_command(data, "--part", f"{k}/2"), stderr=subprocess.PIPE)
        for k in (1, 2)
    ]
    errors = [process.communicate(timeout=DEADLINE_S)[1] for process in both]

    assert [process.returncode for process in both] == [0, 0], errors
    picked = [name for name in NAMES if name != BROKEN]
    assert sorted(times(out)) == picked
    assert [p.stem for p in (out / "failed").iterdir()] == [BROKEN]
    ended = [
        json.loads((out / f"part_{k}_of_2/finished.json").read_text()) for k in (1, 2)
    ]
    assert ended == [{"command": "pick"}] * 2
    stages = [
        {json.loads(line)["stage"].split()[-1] for line in path.open()}
        for path in (
            out / "part_1_of_2/progress.jsonl",
            out / "part_2_of_2/progress.jsonl",
        )
    ]
    assert stages == [set(NAMES[0::2]), set(NAMES[1::2]) - {BROKEN}]
    for name in picked:
        assert len(read_csv(out / f"{name}.csv", tomogram_id=name)) > 0


def test_a_second_run_does_what_is_missing_alone(data):
    out = data / "out"
    assert run(pick_command(data, "--part", "1/3")).returncode == 0
    before = times(out)
    assert sorted(before) == ["TS_00", "TS_06"]  # TS_03 of this part is broken
    assert (
        json.loads((out / "failed/TS_03.json").read_text())["kind"] == "InputDataError"
    )

    make_tiny_tomograms(data / "mended", NAMES)
    (data / "mended/TS_03.mrc").replace(data / "tomograms/TS_03.mrc")
    assert run(pick_command(data)).returncode == 0

    after = times(out)
    assert sorted(after) == NAMES
    assert {name: after[name] for name in before} == before
    assert list((out / "failed").iterdir()) == []


def test_a_slurm_array_s_task_takes_its_part(data, monkeypatch):
    for key, value in {"ID": 4, "MIN": 3, "MAX": 9, "STEP": 1, "COUNT": 7}.items():
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{key}", str(value))

    assert run(pick_command(data, "--part", "slurm")).returncode == 0

    assert sorted(times(data / "out")) == ["TS_01"]


def test_a_part_without_a_tomogram_finishes(data):
    assert run(pick_command(data, "--part", "9/9")).returncode == 0
    assert (data / "out/part_9_of_9/finished.json").is_file()


def test_a_model_of_another_version_is_refused(data):
    result = run(pick_command(data, "--model-sha256", "0123456789ab"))

    assert result.returncode == 4
    assert "not the one that this run began with" in result.stderr
    assert (
        json.loads((data / "out/records/error.json").read_text())["kind"]
        == "CheckpointError"
    )
    assert not (data / "out/records/finished.json").exists()


MEASURE = """
import resource, sys
from etpicker_plugin.engine.cli import main

peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
model, out, *tomograms = sys.argv[1:]
peaks = []
for part in (tomograms[:10], tomograms[10:]):
    words = ["pick", "--model", model, "--out", out, "--tomogram", *part]
    assert main([*words, "--max-picks", "4", "--threads", "1"]) == 0
    peaks.append(peak())
print(*peaks)
"""


def test_memory_does_not_grow_with_the_number_of_tomograms(tmp_path):
    model = make_untrained_model(tmp_path / "model.safetensors")
    names = [f"TS_{i:02d}" for i in range(60)]
    paths = make_tiny_tomograms(tmp_path / "tomograms", names)

    words = [sys.executable, "-c", MEASURE, model, tmp_path / "out", *paths]
    result = run([str(w) for w in words])

    assert result.returncode == 0, result.stderr
    first, last = (float(mb) for mb in result.stdout.split())
    assert last - first < 20


def test_a_tomogram_that_another_process_picks_is_left_to_it(data):
    theirs, ours = [name for name in NAMES if name != BROKEN][:2]
    out = data / "out"
    out.mkdir()
    with PartialPicks(out / f".{theirs}.partial.jsonl", "other").held():
        done = run(pick_command(data))

    assert done.returncode == 0, done.stderr
    assert "another process picks this tomogram now" in done.stderr
    assert not (out / "failed" / f"{theirs}.json").exists()
    assert not (out / f"{theirs}.csv").exists()
    assert (out / f"{ours}.csv").exists()
