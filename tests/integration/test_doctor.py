"""The doctor on this machine, and where things are truly missing or broken."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from etpicker_plugin import protocols
from etpicker_plugin.engine.doctor import folder as folder_check
from etpicker_plugin.engine.doctor.doctor import findings_of
from etpicker_plugin.engine.doctor.folder import check_folder
from etpicker_plugin.engine.doctor.model import check_model
from etpicker_plugin.engine.doctor.mpi import check_mpi, count_slots
from etpicker_plugin.engine.doctor.relion import PROGRAMS, check_relion
from etpicker_plugin.engine.doctor.scipion import check_scipion
from etpicker_plugin.engine.doctor.screen import check_screen
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.installed import write_note
from etpicker_plugin.tests.support.python_without import python_without
from etpicker_plugin.tests.support.screen import screen
from etpicker_plugin.tests.support.untrained import make_untrained_model

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["etpicker", "packages", "torch", "GPU", "folder", "RELION", "MPI", "window"]


def run_doctor(*words, python=sys.executable, **environment):
    done = subprocess.run(
        [str(python), "-m", "etpicker_plugin.engine", "doctor", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert "Traceback" not in done.stderr + done.stdout
    return done


def one(findings):
    (finding,) = findings
    return finding


def program(path, script):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


# the command ----------------------------------------------------------------------


def test_here_all_is_well(tmp_path):
    model = make_untrained_model(tmp_path / "model.safetensors")

    done = run_doctor(
        *("--folder", tmp_path, "--model", model), QT_QPA_PLATFORM="offscreen"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line[9:19].strip() for line in lines] == [*NAMES, "Scipion", "model"]
    assert {line[:9].strip() for line in lines} <= {"ok", "warning"}
    assert "the default network does" in lines[2]
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_without_torch_qt_scipion_and_relion(tmp_path):
    missing = ("torch", "torchgen", "PyQt5", "pyqtgraph", "pyworkflow")
    python = python_without(tmp_path / "bare", *missing)
    model = make_untrained_model(tmp_path / "model.safetensors")

    done = run_doctor("--json", "--model", model, python=python, PATH="/nowhere")

    assert done.returncode == 5, done.stderr
    assert "1 of 9 lines are bad: torch." in done.stderr
    found = {record["name"]: record for record in json.loads(done.stdout)}
    states = {name: record["state"] for name, record in found.items()}
    assert states == {
        "etpicker": "ok",
        "packages": "ok",
        "torch": "bad",
        "folder": "ok",
        "RELION": "warning",
        "MPI": "warning",
        "window": "warning",
        "Scipion": "ok",
        "model": "warning",
    }
    assert all(bool(r["remedy"]) == (r["state"] != "ok") for r in found.values())
    assert "it is not installed here" in found["torch"]["what"]
    assert f"{python} -m pip install torch" in found["torch"]["remedy"]
    assert "PyQt5: it is not installed" in found["window"]["what"]
    assert "its weights were not read" in found["model"]["what"]

    write_note(tmp_path / "bare" / "python", tmp_path / "em")
    done = run_doctor("--json", python=python, PATH="/nowhere")

    found = {record["name"]: record for record in json.loads(done.stdout)}
    remedy = f"Remove {tmp_path / 'em'} and run 'scipion3 installb etpicker'"
    assert found["torch"]["remedy"].startswith(remedy)


def test_packages_that_are_there_and_broken(tmp_path):
    python = python_without(tmp_path / "bare", "torch", "starfile", "tomo", "pyqtgraph")
    broken = {
        "torch": "import os; os.abort()",
        "starfile": "raise ImportError('numpy.core.multiarray failed to import')",
        "pyqtgraph": "raise ImportError('libGL.so.1: cannot open shared object file')",
    }
    for name, text in broken.items():
        (tmp_path / "bare" / "packages" / f"{name}.py").write_text(text)

    done = run_doctor("--json", python=python)

    assert done.returncode == 5, done.stderr
    found = {record["name"]: record for record in json.loads(done.stdout)}
    bad = [name for name, record in found.items() if record["state"] == "bad"]
    assert bad == ["packages", "torch", "window", "Scipion"]
    assert "starfile cannot be imported: numpy.core" in found["packages"]["what"]
    assert "again:" in found["packages"]["remedy"]
    assert "it was ended by SIGABRT" in found["torch"]["what"]
    assert "libGL.so.1" in found["window"]["what"]
    assert "cannot load the plugin" in found["Scipion"]["what"]
    assert "'tomo'" in found["Scipion"]["what"]


def test_a_check_that_fails_is_a_line():
    def fail():
        raise OSError(5, "Input/output error")

    finding = one(findings_of("folder", fail))

    assert (finding.name, finding.state) == ("folder", "bad")
    assert "the check itself failed: OSError: [Errno 5] Input" in finding.line()


def test_the_page_shows_lines_as_they_are_printed():
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    shown = re.findall(r"^    ((ok|warning|bad) .*)$", text, re.MULTILINE)

    names = [line[9:19].strip() for line, _ in shown]
    every = [*NAMES, "Scipion", "model"]
    assert names == [*every, "GPU", *(name for name in every if name != "GPU")]


# one line each --------------------------------------------------------------------


def test_a_folder(tmp_path, monkeypatch):
    good = one(check_folder(tmp_path))
    absent = one(check_folder(tmp_path / "none"))
    closed = one(check_folder(Path("/proc")))
    monkeypatch.setattr(folder_check, "FEW_GIGABYTES", 1e9)
    full = one(check_folder(tmp_path))

    states = [finding.state for finding in (good, absent, closed, full)]
    assert states == ["ok", "bad", "bad", "warning"]
    assert f"{tmp_path} can be written" in good.what
    assert "is no folder" in absent.what
    assert "Folder /proc cannot be written" in closed.what
    assert "Check its permissions" in closed.remedy
    assert "GB are free" in full.what


def test_a_model(tmp_path):
    good = make_untrained_model(tmp_path / "model.safetensors")
    data = bytearray(good.read_bytes())
    data[-100] ^= 1
    (tmp_path / "worn.safetensors").write_bytes(data)
    (tmp_path / "other.safetensors").write_bytes(b"no model")
    names = ("worn", "other", "none")

    well = one(check_model(good))
    worn, other, none = (
        one(check_model(tmp_path / f"{name}.safetensors")) for name in names
    )

    assert well.state == "ok"
    assert well.what.startswith("model.safetensors, never updated, large, small, ")
    assert "10 Å per voxel" in well.what
    assert f"SHA-256 {file_sha256(good)}; weights are whole" in well.what
    assert [f.state for f in (worn, other, none)] == ["bad"] * 3
    assert "not as written" in worn.what
    assert "is not a readable safetensors file" in other.what
    assert "no such file" in none.what
    assert all(f.remedy for f in (worn, other, none))


LOADER = (
    'echo "relion_refine: error while loading shared libraries: libmpi_cxx.so.40: '
    'cannot open shared object file: No such file or directory" >&2; exit 127'
)


def test_a_relion(tmp_path, monkeypatch):
    for name in PROGRAMS:
        program(tmp_path / "whole/bin" / name, 'echo "RELION version: 5.0.1-commit-1 "')
    program(tmp_path / "part/bin/relion_refine", 'echo "RELION version: 4.0.1"')
    program(tmp_path / "bare/bin/relion_refine", LOADER)
    found = {}
    for home in ("whole", "part", "bare", "none"):
        monkeypatch.setenv("ETPICKER_RELION_HOME", str(tmp_path / home))
        found[home] = one(check_relion())

    states = {home: finding.state for home, finding in found.items()}
    assert states == {"whole": "ok", "part": "bad", "bare": "bad", "none": "bad"}
    assert found["whole"].what == f"5.0.1-commit-1 in {tmp_path}/whole/bin"
    assert "has no program relion_refine_mpi" in found["part"].what
    assert "needs the library libmpi_cxx.so.40, which is not" in found["bare"].what
    assert "LD_LIBRARY_PATH" in found["bare"].remedy
    assert f"ETPICKER_RELION_HOME is {tmp_path}/none, but" in found["none"].what


OPEN_MPI_4 = """
======================   ALLOCATED NODES   ======================
	node1: flags=0x11 slots=16 max_slots=0 slots_inuse=0 state=UP
	node2: flags=0x10 slots=8 max_slots=0 slots_inuse=0 state=UNKNOWN
=================================================================
"""


def test_mpi(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    program(folder / "mpirun", 'case $1 in --version) echo "Intel MPI 2021";; esac')
    foreign = one(check_mpi())
    script = 'echo "There are not enough slots"; echo "available in the system"; exit 1'
    program(folder / "mpirun", script)
    refusing = one(check_mpi())

    assert count_slots(OPEN_MPI_4) == 24
    assert foreign.state == "ok"
    assert foreign.what == (
        "Intel MPI 2021; 3 processes start, mpirun does not tell its slots"
    )
    assert refusing.state == "bad"
    assert "There are not enough slots available in the system" in refusing.line()
    assert "Ask for fewer ranks" in refusing.remedy


@pytest.mark.skipif(shutil.which("mpirun") is None, reason="there is no MPI here")
def test_mpi_here():
    finding = one(check_mpi())

    assert finding.state == "ok", finding.line()
    assert "3 processes start, " in finding.what


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="there is no Xvfb here")
def test_the_screen(monkeypatch):
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with screen("1234x987x24") as display:
        monkeypatch.setenv("DISPLAY", display)
        there = one(check_screen())
    gone = one(check_screen())
    monkeypatch.delenv("DISPLAY")
    none = one(check_screen())

    assert there.state == "ok", there.line()
    assert "screen of 1234 x 987 (xcb)" in there.what
    assert gone.state == "bad"
    assert f"DISPLAY is '{display}', and nothing answers there" in gone.what
    assert none.state == "warning"
    assert "there is no display" in none.what


def test_scipion_here():
    finding = one(check_scipion())

    assert finding.state == "ok", finding.line()
    assert f"{len(protocols.__all__)} protocols: " in finding.what
    assert "etpicker - train model" not in finding.what
    assert "train model" in finding.what
