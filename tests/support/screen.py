"""A screen of the tests' own."""

import os
import shutil
import subprocess
from contextlib import contextmanager

SCREEN = "1600x1000x24"


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
