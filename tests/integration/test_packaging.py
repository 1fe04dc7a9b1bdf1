"""The plugin as Scipion finds it: from a wheel, an editable install, a checkout."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROBE = Path(__file__).parents[1] / "support" / "scipion_probe.py"
NOT_COPIED = (
    ".git",
    ".venv*",
    ".*_cache",
    "__pycache__",
    "*.egg-info",
    "build",
    "dist",
    "demo",
)
AVERAGING = {"ProtEtPickerAverage", "ProtEtPickerExtract"}
PROTOCOLS = [
    "ProtEtPickerAnnotate",
    "ProtEtPickerAverage",
    "ProtEtPickerCompare",
    "ProtEtPickerEvaluate",
    "ProtEtPickerExportCoordinates",
    "ProtEtPickerExtract",
    "ProtEtPickerImportCoordinates",
    "ProtEtPickerImportModel",
    "ProtEtPickerPick",
    "ProtEtPickerPickMicrographs",
    "ProtEtPickerTrain",
    "ProtEtPickerUpdate",
    "ProtEtPickerValidate",
]

VARIABLES = [
    "ETPICKER_CUDA",
    "ETPICKER_ENV_ACTIVATION",
    "ETPICKER_HOME",
    "ETPICKER_PYTHON",
    "ETPICKER_RELION_HOME",
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Return a copy of the repository as a clone has it, without build leftovers."""
    copy = tmp_path_factory.mktemp("checkout") / "repository"
    ignore = shutil.ignore_patterns(*NOT_COPIED)
    shutil.copytree(ROOT, copy, symlinks=True, ignore=ignore)
    return copy


def make_environment(folder):
    """Make an environment that sees this one's packages; return its Python."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    paths = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    site_packages = Path(paths["purelib"])
    (site_packages / "tested.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def pip_install(python, *arguments):
    run(
        sys.executable,
        *("-m", "pip", "--python", python, "install", "--quiet", "--no-deps"),
        *("--no-build-isolation", "--no-index", "--ignore-installed", *arguments),
    )


def run(*command, **keywords):
    """Run a command; show what it said if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, **keywords)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def ask_scipion(python, folder, *, plugins="pwem tomo", **extra):
    """Return what Scipion finds in an environment, asked from an empty folder."""
    folder.mkdir()
    environment = {
        **os.environ,
        "SCIPION_HOME": str(folder),
        "SCIPION_USER_DATA": str(folder / "data"),
        "SCIPION_PRIORITY_PACKAGE_LIST": plugins,
        **extra,
    }
    if "PYTHONPATH" not in extra:
        environment.pop("PYTHONPATH", None)
    output = run(python, PROBE, cwd=folder, env=environment)
    return json.loads(output.splitlines()[-1])


def check_found(found):
    """Everything is there, in its place, and nothing loaded torch."""
    assert found["protocols"] == PROTOCOLS
    assert found["viewers"] == [
        "EtPickerAverageViewer",
        "EtPickerEvaluateViewer",
        "EtPickerExportViewer",
        "EtPickerExtractViewer",
        "EtPickerModelViewer",
        "EtPickerPicksViewer",
        "EtPickerReportViewer",
        "EtPickerTrainViewer",
    ]
    assert "EtPickerDiameterWizard" in found["wizards"]
    assert "EtPickerBoxSizeWizard" in found["wizards"]
    assert "EtPickerRulerWizard" in found["wizards"]
    assert "EtPickerThresholdWizard" in found["wizards"]
    assert "EtPickerZRangeWizard" in found["wizards"]
    assert found["objects"] == ["EtPickerModel"]
    assert {"train_pick_evaluate", "compare_two_pickers"} <= set(found["templates"])
    picking = {name for place, name in found["tree"] if place.endswith("Picking")}
    assert picking == set(PROTOCOLS) - AVERAGING
    assert {place for place, _ in found["tree"]} >= {
        "Tomography/Particles/Picking",
        "Tomography/Imports",
    }
    assert found["icon"]
    assert found["plugin"] == ["etpicker_plugin", found["path"]]
    assert found["variables"] == VARIABLES
    assert sorted(found["pretrained"]) == ["fast-2d.safetensors", "fast.safetensors"]
    assert found["references"] == ["Bharat2016", "Liu2024", "Zhang2022"]
    assert (
        "etpicker_plugin.tests.test_protocols_workflow.TestTrainPickEvaluate"
        in found["tests"]
    )
    assert not found["torch"]


def test_wheel(checkout, tmp_path):
    run(
        sys.executable,
        *("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"),
        *("--no-index", "--wheel-dir", tmp_path / "wheel", checkout),
    )
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    python = make_environment(tmp_path / "environment")
    pip_install(python, wheel)
    found = ask_scipion(python, tmp_path / "elsewhere")
    assert str(tmp_path / "environment") in found["path"]
    check_found(found)
    check_engine(python, tmp_path)


def test_editable(checkout, tmp_path):
    python = make_environment(tmp_path / "environment")
    pip_install(python, "--editable", checkout)
    found = ask_scipion(python, tmp_path / "elsewhere")
    assert found["path"] == str(checkout / "etpicker_plugin")
    check_found(found)
    check_engine(python, tmp_path)


def test_checkout(checkout, tmp_path):
    python = make_environment(tmp_path / "environment")
    found = ask_scipion(
        python,
        tmp_path / "elsewhere",
        plugins="pwem tomo etpicker_plugin",
        PYTHONPATH=str(checkout),
    )
    assert found["path"] == str(checkout / "etpicker_plugin")
    check_found(found)


def check_engine(python, folder):
    """The console script runs, and every command's module is installed."""
    script = python.with_name("etpicker")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    assert "train" in run(script, "--help", cwd=folder, env=environment)
    code = (
        "from etpicker_plugin.engine.cli import COMMANDS\n"
        "for c in COMMANDS.values():\n"
        "    c.load()"
    )
    run(python, "-c", code, cwd=folder, env=environment)
