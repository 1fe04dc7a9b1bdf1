"""Whether there is a screen for the window; asked before anything of Qt is loaded."""

import os
import sys

from etpicker_plugin.engine.errors import ResourceError


def require_display() -> None:
    """Refuse to start where there is no screen: Qt would end the process.

    Raises
    ------
    ResourceError
        Saying what to do over ssh.
    """
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM", "xcb") != "xcb":
        return
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return
    raise ResourceError(
        "There is no display for the window. Over ssh, log in with 'ssh -X' (or 'ssh "
        "-Y') from a computer with a screen, or use the desktop of a VNC or X2Go "
        "session; the window needs no OpenGL. 'etpicker pick' and all else work "
        "without one."
    )
