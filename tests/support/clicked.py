"""A person who marks curves in the real window, with mouse and keys through X.

The window is another process, which Scipion starts; where to click is asked of one
that is opened alike.
"""

from __future__ import annotations

import json
import subprocess
import time

from etpicker_plugin import Plugin
from etpicker_plugin.tests.support import window_pixels
from etpicker_plugin.tests.support.curved import SHAPE_XYZ

WAIT_S = 300
BETWEEN_S = 0.15
FAR = 10
"""Slices that Page Up and Page Down go."""


def pixels_of(places, **values):
    """Return the pixel of each x, y in the xy slice of a window with such values."""
    words = Plugin.getEngine().words(
        window_pixels.__file__, json.dumps(values), json.dumps(places)
    )
    done = subprocess.run(
        words, env=Plugin.getEnviron(), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def mark(title, strokes, pixels):
    """Wait for the window of a name, draw in it, save and close it.

    Parameters
    ----------
    strokes
        Of each filament or vesicle: the keys before it, its slice, and the places x, y
        that are clicked.
    pixels
        Of all these places.
    """
    end = time.monotonic() + WAIT_S
    while not (found := _xdotool("search", "--name", title)):
        if time.monotonic() > end:
            return
        time.sleep(0.3)
    time.sleep(2)
    left, z = iter(pixels), SHAPE_XYZ[2] // 2
    for keys, goal, clicked in strokes:
        places = [next(left) for _ in clicked]
        _xdotool("mousemove", "--window", found[0], *places[0])
        for key in (*keys, *_steps(goal - z)):
            _xdotool("key", key)
            time.sleep(BETWEEN_S)
        z = goal
        for place in places:
            _xdotool("mousemove", "--window", found[0], *place)
            time.sleep(BETWEEN_S)
            _xdotool("click", 1)
            time.sleep(BETWEEN_S)
        _xdotool("key", "Return")
        time.sleep(BETWEEN_S)
    _xdotool("key", "ctrl+q")


def _steps(slices):
    """Return the keys that go so many slices up."""
    far, near = divmod(abs(slices), FAR)
    names = ("Prior", "Up") if slices > 0 else ("Next", "Down")
    return [names[0]] * far + [names[1]] * near


def _xdotool(*words):
    done = subprocess.run(
        ["xdotool", *map(str, words)], capture_output=True, text=True, check=False
    )
    return done.stdout.split()
