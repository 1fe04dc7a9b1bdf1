"""Real clicks and keys on an X screen (xdotool), and pictures of it (ImageMagick)."""

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from screen_room import Room

WAIT_S = 600
SETTLE_S = 0.7
SLOW_S = 2.0
COLOURS = 96
PLACE = (60, 30)
"""Where a window goes on a screen that has room."""

STILL_TRIES = 12
"""A blinking text cursor never lets a picture be still for long."""


def xdotool(*words: Any) -> list[str]:
    """Run xdotool; return the words it prints."""
    done = subprocess.run(
        ["xdotool", *map(str, words)], capture_output=True, text=True, check=False
    )
    return done.stdout.split()


def room() -> Room:
    """Return the screen that there is."""
    return Room(*map(int, xdotool("getdisplaygeometry")))


def wait_for(
    condition: Callable[[], Any],
    *,
    what: str,
    within_s: float = WAIT_S,
    every_s: float = 0.5,
) -> Any:
    """Return what ``condition`` gives as soon as it gives something."""
    end = time.monotonic() + within_s
    while not (found := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {within_s:.0f} s")
        time.sleep(every_s)
    return found


def grab(window: str, *options: str, to: str = "rgb:-") -> bytes:
    """Return, or save, what the screen shows of a window (ImageMagick's options)."""
    command = ["import", "-window", window, *options, to]
    return subprocess.run(command, check=True, capture_output=True).stdout


def save_picture(
    path: Path, *, window: str = "root", place: str = "", width: int | None = None
) -> None:
    """Save a window, or a part of the screen (``WxH+X+Y``), once it is drawn.

    It is when two looks at it are alike. A wider picture is made ``width`` pixels wide.
    """
    part = ("-crop", place, "+repage") if place else ()
    before = b""
    for _ in range(STILL_TRIES):
        time.sleep(SETTLE_S)
        if (now := grab(window, *part)) == before:
            break
        before = now
    smaller = ("-resize", f"{width}>") if width else ()
    colours = ("+dither", "-colors", str(COLOURS))
    grab(window, *part, *smaller, *colours, to=f"png8:{path}")
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB", flush=True)


class Screen:
    """One window that is not Tk's, the etpicker window, by its title.

    Places in it are shares of its width and height, from the upper left corner.
    """

    def __init__(self, title: str, *, size: tuple[int, int] | None = None) -> None:
        """Find the window; on a screen with room for it, give it this size."""
        self.title = title
        self.id = wait_for(lambda: xdotool("search", "--name", title), what=title)[-1]
        time.sleep(SLOW_S)
        if size is not None and room().holds(*size):
            xdotool("windowsize", self.id, *size)
            xdotool("windowmove", self.id, *PLACE)
        xdotool("windowfocus", self.id)
        time.sleep(SLOW_S)
        room().require(title, *self.geometry())

    def geometry(self) -> tuple[int, int, int, int]:
        """Return width, height, x and y, without the frame."""
        # xdotool counts a frame twice.
        command = ["xwininfo", "-id", self.id]
        told = subprocess.run(command, check=True, capture_output=True, text=True)
        words = ("Width", "Height", "Absolute upper-left X", "Absolute upper-left Y")
        found = [re.search(rf"{word}: +(-?\d+)", told.stdout) for word in words]
        return tuple(int(match[1]) for match in found)

    def pixel(self, share: tuple[float, float]) -> tuple[int, int]:
        """Return the pixel at a share of the width and the height."""
        width, height, _, _ = self.geometry()
        return round(share[0] * width), round(share[1] * height)

    def move(self, x: int, y: int) -> None:
        """Put the mouse on a pixel of the window."""
        xdotool("mousemove", "--window", self.id, x, y)
        time.sleep(0.2)

    def click(self, x: int, y: int, *, button: int = 1) -> None:
        """Click a pixel of the window."""
        self.move(x, y)
        xdotool("click", button)
        time.sleep(0.4)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press at one place, and let go at another."""
        start, end = self.pixel(start), self.pixel(end)
        self.move(*start)
        xdotool("mousedown", 1)
        for i in range(1, 11):
            at = [round(a + (b - a) * i / 10) for a, b in zip(start, end, strict=True)]
            self.move(*at)
        xdotool("mouseup", 1)
        time.sleep(SETTLE_S)

    def key(self, *keys: str) -> None:
        """Press keys."""
        for key in keys:
            xdotool("key", key)
            time.sleep(0.15)

    def photograph(self, path: Path, *, width: int | None = None) -> None:
        """Save what the window shows."""
        save_picture(path, window=self.id, width=width)
