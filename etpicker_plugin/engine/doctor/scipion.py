"""Scipion's view of the plugin, where Scipion is."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

from etpicker_plugin.engine.doctor.child import ask
from etpicker_plugin.engine.doctor.finding import BAD, OK, Finding

LIMIT_S = 60.0
LOOK = "etpicker_plugin.look_scipion"
INSTALL = "Install it there: 'scipion3 installp -p scipion-em-etpicker'."


def check_scipion() -> list[Finding]:
    """Ask the Scipion of this Python, if there is one, what it finds."""
    if importlib.util.find_spec("pyworkflow") is None:
        what = (
            "not in this Python, which is well: the engine may have an environment of "
            "its own"
        )
        return [Finding("Scipion", OK, what)]
    told = ask(LOOK, limit_s=LIMIT_S)
    return [judge_scipion(told.values, told.ended.fault())]


def judge_scipion(told: dict[str, Any], fault: str) -> Finding:
    """Return the line on Scipion, by what ``look_scipion`` found."""
    if "pyworkflow" not in told:
        return Finding(
            "Scipion",
            BAD,
            f"pyworkflow is here, and cannot be imported: {fault}",
            f"Install it again: '{sys.executable} -m pip install --force-reinstall "
            "scipion-pyworkflow'.",
        )
    scipion = f"pyworkflow {told['pyworkflow']}"
    if "protocols" not in told:
        return Finding(
            "Scipion",
            BAD,
            f"{scipion} cannot load the plugin: {fault}",
            f"{INSTALL[:-1]}; where a module is missing, install that one.",
        )
    names = ", ".join(told["protocols"])
    found = f"{scipion}, plugin {told['plugin']}"
    if not told["registered"]:
        what = f"{found} is importable here, but not registered: Scipion passes it over"
        return Finding("Scipion", BAD, what, INSTALL)
    what = f"{found}, {len(told['protocols'])} protocols: {names}"
    return Finding("Scipion", OK, what)
