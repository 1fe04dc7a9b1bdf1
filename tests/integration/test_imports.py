"""The layers: the engine without Scipion, the protocols and viewers without torch."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_SCIPION = """
import sys
for name in ("pyworkflow", "pwem", "tomo"):
    sys.modules[name] = None
from etpicker_plugin.engine.cli import COMMANDS
for command in COMMANDS.values():
    command.load()
import etpicker_plugin
assert not hasattr(etpicker_plugin, "Plugin")
"""
WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
import pyworkflow
domain = pyworkflow.Config.getDomain()
found = [domain.getProtocols(), domain.getViewers(), domain.getWizards()]
assert all(any("EtPicker" in name for name in names) for names in found), found
import etpicker_plugin.run_template
"""
WINDOW_ALONE = """
import sys
for name in ("torch", "pyworkflow", "pwem", "tomo"):
    sys.modules[name] = None
import etpicker_plugin.window.qt.main_window
"""
OTHER_MISSING = """
import sys
sys.modules["pwem.objects"] = None
try:
    import etpicker_plugin
except ModuleNotFoundError as error:
    assert error.name == "pwem.objects", error.name
else:
    raise SystemExit("a broken pwem was taken for an absent one")
"""


@pytest.mark.parametrize(
    "code",
    [WITHOUT_SCIPION, WITHOUT_TORCH, WINDOW_ALONE, OTHER_MISSING],
    ids=[
        "engine without Scipion",
        "protocols without torch",
        "window without either",
        "broken pwem is told",
    ],
)
def test_import_in_a_fresh_process(code):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
