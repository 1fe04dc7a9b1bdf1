"""A screen of the tests' own."""

import os
import shutil
import subprocess
from contextlib import contextmanager
from functools import lru_cache

SCREEN = "1600x1000x24"
LASTING = 'Xvfb "$@" & read _; kill $!'


@contextmanager
def screen(size=SCREEN):
    """Start Xvfb and yield its name; without Xvfb, Qt's own invisible screen."""
    if shutil.which("Xvfb") is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        yield None
        return
    read, write = os.pipe()
    # No key repeats itself (-r): on a busy machine one press would become several.
    options = ("-screen", "0", size, "-nolisten", "tcp", "-r")
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), *options],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        display = f":{pipe.readline().strip()}"
    try:
        yield display
    finally:
        server.terminate()
        server.wait()


@lru_cache(maxsize=None)
def lasting_screen():
    """Return the name of a screen that lasts as long as this process.

    Tk never lets go of a screen, and ends the process when one is gone.
    """
    read, write = os.pipe()
    hold, _held = os.pipe()  # The second end is closed by the process's end alone.
    options = ("-screen", "0", SCREEN, "-nolisten", "tcp", "-r")
    subprocess.Popen(
        ["sh", "-c", LASTING, "sh", "-displayfd", str(write), *options],
        stdin=hold,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[write],
    )
    os.close(hold)
    os.close(write)
    with os.fdopen(read) as pipe:
        return f":{pipe.readline().strip()}"
