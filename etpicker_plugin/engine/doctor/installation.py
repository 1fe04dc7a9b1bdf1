"""Versions: of etpicker and of Python, and whether the packages can be imported."""

from __future__ import annotations

import importlib.util
import platform
import sys

import etpicker_plugin
from etpicker_plugin.engine.doctor.child import ask
from etpicker_plugin.engine.doctor.finding import BAD, OK, Finding

LIMIT_S = 60.0
LOOK = "etpicker_plugin.engine.doctor.look_packages"


def check_version() -> list[Finding]:
    """Say which etpicker runs, and in which Python."""
    what = (
        f"{etpicker_plugin.__version__} in {etpicker_plugin.HERE}, Python "
        f"{platform.python_version()} ({sys.executable}), {platform.system()} "
        f"{platform.machine()}"
    )
    return [Finding("etpicker", OK, what)]


def check_packages() -> list[Finding]:
    """See that the packages that the engine computes with are here and whole."""
    told = ask(LOOK, limit_s=LIMIT_S)
    versions, faults = told.values.get("versions", {}), told.values.get("faults", {})
    trying = told.values.get("trying", "packages")
    if told.ended.fault():
        faults = {**faults, trying: told.ended.fault()}
    if not faults:
        listed = ", ".join(f"{name} {version}" for name, version in versions.items())
        return [Finding("packages", OK, listed)]
    return [
        Finding(
            "packages",
            BAD,
            f"{name} cannot be imported: {fault}",
            f"Install it{again(name)}: '{sys.executable} -m pip install {name}'.",
        )
        for name, fault in faults.items()
    ]


def again(name: str) -> str:
    """Return the word for a package that is there, and broken."""
    return " again" if importlib.util.find_spec(name) else ""
