"""``etpicker validate`` with real RELION: planted particles, a wrong origin, noise."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from etpicker_plugin.engine.averaging.job import iteration_of, latest_optimiser
from etpicker_plugin.engine.cli import main
from etpicker_plugin.tests.support.planted import SHAPES, make_planted

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("relion_refine_mpi") is None or shutil.which("mpirun") is None,
        reason="RELION or MPI is not installed",
    ),
]

MPIRUN_AND_RANKS = 4
STOP_S = 600


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("validate")
    make_planted(folder)
    return folder


def words(folder, *extra):
    return [
        *("validate", "--picks"),
        *(f"ours={folder / 'ours'}", f"moved={folder / 'moved'}"),
        *("--tomogram", *(str(folder / f"{name}.mrc") for name in SHAPES)),
        *("--diameter", "ribosome=323", "--tilt-range", "-60", "60"),
        *("--reference", str(folder / "reference.mrc")),
        *("--iterations", "2", "--resamples", "200"),
        *("--out", str(folder / "out"), *extra),
    ]


def validate(folder, *extra):
    return main(words(folder, *extra))


def relion_processes(folder):
    """Return the processes, mpirun's too, that work in RELION's folder."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink() == folder / "out/relion":
                found.append(link.parent.name)
        except OSError:  # ended meanwhile, or another user's
            continue
    return found


def finished_iterations(folder):
    """Return how many the command has told of."""
    lines = (
        (folder / "out/records/progress.jsonl").read_text(encoding="utf-8").splitlines()
    )
    events = [json.loads(line) for line in lines]
    done = [e["done"] for e in events if e["stage"] == "refining all together"]
    return max(done, default=0)


def stop_when(folder, ready, *, by):
    """Start the command and stop it; return its exit code, words, and what is left."""
    engine = subprocess.Popen(
        [sys.executable, "-m", "etpicker_plugin.engine", *words(folder)],
        stderr=subprocess.PIPE,
        text=True,
        # What is started in a shell's background ignores Ctrl-C, and so do its own.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while len(relion_processes(folder)) < MPIRUN_AND_RANKS or not ready():
        assert engine.poll() is None, engine.stderr.read()
        time.sleep(0.05)
    engine.send_signal(by)
    said = engine.communicate(timeout=STOP_S)[1]
    return engine.returncode, said, relion_processes(folder)


@pytest.fixture(scope="module")
def stopped(folder):
    """Stop it as soon as RELION runs, and again after the first iteration.

    Returns how both ended, and the last iteration's file, from RELION's folder.
    """
    stops = [
        stop_when(folder, lambda: True, by=signal.SIGINT),
        stop_when(folder, lambda: finished_iterations(folder) >= 1, by=signal.SIGTERM),
    ]
    last = latest_optimiser(folder / "out/relion", "refinement/run")
    return stops, last.relative_to(folder / "out/relion")


@pytest.fixture(scope="module")
def verdict(folder, stopped):
    assert validate(folder) == 0
    return json.loads((folder / "out/verdict.json").read_text(encoding="utf-8"))


def test_a_stop_takes_relion_with_it_and_the_next_run_goes_on(stopped, verdict, folder):
    stops, last = stopped
    for code, said, left in stops:
        assert code == 130
        assert "Run the same command again to go on from here" in said
        assert left == []
    begun, again, gone_on = verdict["commands"]
    assert begun == again
    # The first iteration, or one that ended while the stop was on its way.
    assert iteration_of(last) >= 1
    assert f"--continue {last} " in gone_on


def test_the_control_ranks_last(verdict):
    assert verdict["ranking"][-1] == "control"
    assert set(verdict["ranking"]) == {"ours", "moved", "control"}
    ours, control = verdict["sets"]["ours"], verdict["sets"]["control"]
    assert ours["n"] == 36
    assert ours["llr_auc_over_control"] > 0.95
    assert ours["llr_median"] > control["llr_median"]
    assert ours["share_above_control"] > 0.9
    assert ours["resolution_ang"] < control["resolution_ang"]


def test_the_planted_origin_is_named(verdict, folder):
    moved, ours = verdict["sets"]["moved"], verdict["sets"]["ours"]
    assert moved["origin_alarm"] is True
    assert ours["origin_alarm"] is False
    np.testing.assert_allclose(moved["origin_shift_voxels"], [0, 2, 0], atol=0.6)
    (alarm,) = verdict["alarms"]
    assert re.search(r"Set moved: .* voxels along y of the particles", alarm)
    page = (folder / "out/report.html").read_text(encoding="utf-8")
    assert alarm in page


def test_the_report_is_one_file_and_says_what_is_too_small(verdict, folder):
    page = (folder / "out/report.html").read_text(encoding="utf-8")
    sources = re.findall(r'(?:src|href)\s*=\s*"([^"]{0,22})', page)
    assert sources == ["data:image/png;base64,"] * 8
    assert "too few for a resolution" in " ".join(verdict["words"])
    assert "etpicker validate --picks ours=" in page
    assert "relion_refine_mpi" in page


def test_every_box_is_listed(verdict, folder):
    lines = (folder / "out/boxes.csv").read_text(encoding="utf-8").splitlines()
    boxes = sum(verdict["sets"][n]["n_judged"] for n in ("ours", "moved", "control"))
    assert len(lines) == 1 + boxes
    assert (folder / "out/averages/ours.mrc").is_file()


def test_a_finished_one_goes_on_without_relion_and_is_not_overwritten(folder, verdict):
    log = folder / "out/relion/relion.log"
    before = log.read_bytes()
    assert validate(folder) == 0
    assert log.read_bytes() == before
    assert validate(folder, "--seed", "7") == 2
    error = json.loads((folder / "out/records/error.json").read_text(encoding="utf-8"))
    assert "never overwritten" in error["message"]


def test_without_relion_it_is_said_at_once(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for variable in ("ETPICKER_RELION_HOME", "RELION_HOME"):
        monkeypatch.delenv(variable, raising=False)
    assert validate(folder, "--out", str(tmp_path / "none")) == 6
    record = json.loads(
        (tmp_path / "none/records/error.json").read_text(encoding="utf-8")
    )
    assert "RELION was not found" in record["message"]
    assert os.listdir(Path(tmp_path / "none")) == ["records"]
