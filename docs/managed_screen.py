"""A screen of its own with a window manager, to photograph the etpicker window on."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from etpicker_plugin.tests.support.screen import screen


@contextmanager
def managed_screen(size: str) -> Iterator[None]:
    """Show this process's windows on a new screen, ``1280x800x24`` say."""
    with screen(size) as display:
        os.environ["DISPLAY"] = display or ""
        os.environ.setdefault("QT_QPA_PLATFORM", "xcb")
        manager = subprocess.Popen(["openbox"], stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            manager.terminate()
