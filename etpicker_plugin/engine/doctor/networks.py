"""torch: is it here, how fast is the default network, and is a GPU used."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

from etpicker_plugin.engine.doctor.child import ask
from etpicker_plugin.engine.doctor.finding import BAD, OK, Finding
from etpicker_plugin.engine.doctor.gpu import judge_gpu, megavoxels
from etpicker_plugin.engine.doctor.nvidia import find_driver
from etpicker_plugin.engine.doctor.reinstalling import by_installb

LIMIT_S = 120.0
"""On a network disk torch alone takes a minute to be read for the first time."""
LOOK = "etpicker_plugin.engine.doctor.look_torch"
PIP = f"{sys.executable} -m pip install"
INSTALL = (
    f"Install the build for your driver (see pytorch.org): '{PIP} torch'. If the "
    "engine has an environment of its own, run the doctor there."
)
AGAIN = f"Install it again: '{PIP} --force-reinstall torch'."


def check_torch() -> list[Finding]:
    """Run the default network on what is here."""
    if importlib.util.find_spec("torch") is None:
        return [
            Finding(
                "torch",
                BAD,
                "it is not installed here, so nothing is trained or picked",
                by_installb(otherwise=INSTALL),
            )
        ]
    told = ask(LOOK, limit_s=LIMIT_S)
    fault = told.ended.fault()
    torch = judge_torch(told.values, fault)
    if "speed" not in told.values:
        return [torch]
    return [torch, judge_gpu(told.values, fault, find_driver())]


def judge_torch(told: dict[str, Any], fault: str) -> Finding:
    """Return the line on torch and the CPU, by what ``look_torch`` found."""
    if "version" not in told:
        what = f"it cannot be imported: {fault}"
        return Finding("torch", BAD, what, by_installb(otherwise=AGAIN))
    what = f"{told['version']}, built for {told['built_for']}"
    if "speed" not in told:
        return Finding(
            "torch",
            BAD,
            f"{what}; the network does not run on the CPU: {fault}",
            f"{by_installb(otherwise=AGAIN)} Where it was ended, or took too long, see "
            "first that memory is free and the machine is not overloaded.",
        )
    number = "bfloat16" if told["bfloat16"] else "float32 (no bfloat16 in hardware)"
    threads = f"CPU with {told['threads']} threads"
    return Finding(
        "torch", OK, f"{what}; {threads}, {number}: {megavoxels(told['speed'])}"
    )
