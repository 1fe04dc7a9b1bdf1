"""The GPU's check runs from end to end on a CPU, so that it does on a GPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def test_it_measures_and_prints(tmp_path):
    words = ["benchmarks/gpu_check.py", str(tmp_path / "out"), "--device", "cpu"]
    done = subprocess.run(
        [sys.executable, *words, "--quick", "--no-tests"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "out" / "gpu_check.json").read_text())
    assert len(result["picking"]["seconds"]) == 2
    assert result["step_s"] > 0
    assert set(result["clicks"]) == {"cpu"}
    assert "| picking 40 × 72 × 88, model loaded |" in done.stdout
    assert "Tests: not run" in done.stdout
