"""A Python that cannot run Scipion is named at once, with what to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / ".ci" / "check_python.py"
PRETENDED = """
import runpy, sys
sys.version_info = ({version}, 0, "final", 0)
sys.argv = ["check_python.py", "test"]
runpy.run_path({path!r}, run_name="__main__")
"""

pytestmark = pytest.mark.skipif(
    not CHECK.is_file(), reason="not in an installed package"
)


def check_as(version):
    code = PRETENDED.format(version=version, path=str(CHECK))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("version", "words"), [("3, 13", "too new"), ("3, 14", "too new"), ("3, 9", "old")]
)
def test_other_pythons_are_named(version, words):
    done = check_as(version)
    assert done.returncode == 1
    assert f"Python {version.replace(', ', '.')}.0" in done.stderr
    assert words in done.stderr
    assert "make test PYTHON=/path/to/python3.11" in done.stderr


@pytest.mark.parametrize("version", ["3, 11", "3, 12"])
def test_supported_pythons_pass(version):
    done = check_as(version)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_stops_with_one_before_it_makes_anything(tmp_path):
    fake = tmp_path / "python3.13"
    fake.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c "
        '"import runpy, sys; sys.version_info = (3, 13, 0); '
        "sys.argv = sys.argv[1:] or ['']; "
        'runpy.run_path(sys.argv[0], run_name=\'__main__\')" "$@"\n'
    )
    fake.chmod(0o755)
    environment = {
        k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")
    }
    done = subprocess.run(
        ["make", "demo", f"PYTHON={fake}", f"VENV={tmp_path / 'venv'}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode != 0
    assert "too new for Scipion" in done.stderr
    assert not (tmp_path / "venv").exists()
