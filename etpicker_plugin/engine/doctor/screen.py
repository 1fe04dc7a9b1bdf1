"""The window: Qt, and a screen for it."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

from etpicker_plugin.engine.doctor.child import Ended, ask
from etpicker_plugin.engine.doctor.finding import BAD, OK, WARNING, Finding
from etpicker_plugin.engine.doctor.installation import again

LIMIT_S = 30.0
LOOK = "etpicker_plugin.window.look_screen"
PACKAGES = ("PyQt5", "pyqtgraph")
QT_LIBRARIES = (
    "libxcb-icccm4 libxcb-keysyms1 libxcb-image0 libxcb-render-util0 "
    "libxkbcommon-x11-0 libxcb-xinerama0"
)


def check_screen() -> list[Finding]:
    """Make a Qt application in another process: Qt ends it where it cannot."""
    for name in PACKAGES:
        if importlib.util.find_spec(name) is None:
            return [_missing(name, WARNING, "it is not installed")]
    told = ask(LOOK, limit_s=LIMIT_S)
    return [judge_screen(told.values, told.ended)]


def _missing(name: str, state: str, fault: str) -> Finding:
    return Finding(
        "window",
        state,
        f"{name}: {fault}; only the window needs it ('etpicker view')",
        f"Install it{again(name)}: '{sys.executable} -m pip install {name}'.",
    )


def judge_screen(told: dict[str, Any], ended: Ended) -> Finding:
    """Return the line on the window, by what ``look_screen`` found."""
    if "trying" not in told or "versions" not in told:
        return _missing(told.get("trying", "PyQt5"), BAD, ended.fault())
    if "no_display" in told:
        return Finding(
            "window",
            WARNING,
            f"{told['versions']}; there is no display for it here",
            "Over ssh, log in with 'ssh -X', or use a VNC or X2Go desktop; all else "
            "works without one.",
        )
    if "screen" in told:
        return Finding("window", OK, f"{told['versions']}; {told['screen']}")
    if "could not connect to display" in ended.errors:
        return Finding(
            "window",
            BAD,
            f"{told['versions']}; DISPLAY is '{told['display']}', and nothing answers "
            "there",
            "Log in again with 'ssh -X', or set DISPLAY to the screen that there is.",
        )
    if "platform plugin" in ended.errors:
        return Finding(
            "window",
            BAD,
            f"{told['versions']}; Qt misses system libraries: {ended.fault()}",
            f"Install them (Debian and Ubuntu: apt-get install {QT_LIBRARIES}).",
        )
    return Finding(
        "window",
        BAD,
        f"{told['versions']}; Qt does not start: {ended.fault()}",
        "See that a simple program with a window starts on this display (xterm); if "
        "it does, install PyQt5 again.",
    )
