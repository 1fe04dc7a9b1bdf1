"""A user of the window: waits for it, clicks, presses keys, and closes it."""

import gc
import shutil
import subprocess
import threading
import time
import unittest
from contextlib import contextmanager

WAIT_S = 300

can_click = unittest.skipUnless(
    shutil.which("Xvfb") and shutil.which("xdotool"), "Xvfb or xdotool is not installed"
)


def xdotool(*words):
    done = subprocess.run(
        ["xdotool", *map(str, words)], capture_output=True, text=True, check=False
    )
    return done.stdout.split()


@contextmanager
def a_user(acts, *arguments):
    """Let somebody act beside the test, until both are done.

    Nothing is collected meanwhile: what Tk made in tests before ends the process if
    another thread than theirs deletes it.
    """
    user = threading.Thread(target=acts, args=arguments)
    gc.disable()
    user.start()
    try:
        yield
    finally:
        user.join()
        gc.enable()


def use_window(title, acts):
    """Wait for the window, click, press keys, and close it."""
    end = time.monotonic() + WAIT_S
    while not (found := xdotool("search", "--name", title)):
        if time.monotonic() > end:
            return
        time.sleep(0.3)
    time.sleep(3)
    for act in (*acts, ("key", "ctrl+q")):
        if act[0] == "key":
            xdotool("key", act[1])
        else:
            xdotool("mousemove", "--window", found[0], *act[1])
            time.sleep(0.3)
            xdotool("click", act[2])
        time.sleep(0.7)
