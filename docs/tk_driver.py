"""Works Tk windows as a person does: real clicks and keys, found by what is written.

The driver runs in a thread beside the windows' own loop, in the same process, and asks
Tk for the places of widgets only.
"""

import contextlib
import queue
import time
import tkinter
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from screen_driver import (
    SETTLE_S,
    SLOW_S,
    WAIT_S,
    room,
    save_picture,
    wait_for,
    xdotool,
)

WINDOW_WAIT_S = 30
TRIES = 5


def written_on(widget: Any) -> str:
    """Return a widget's text; Scipion writes Å in two ways."""
    return unicodedata.normalize("NFC", str(widget.cget("text"))).strip()


class TkDriver:
    """The windows of one Tk application."""

    def __init__(self, root: Any) -> None:
        self.root = root

    # --------------------------- asking ---------------------------------------
    def ask(self, question: Callable[[], Any]) -> Any:
        """Return what a function gives in the window's own thread."""
        answers: queue.Queue[Any] = queue.Queue()

        def answer() -> None:
            try:
                answers.put((question(), None))
            except Exception as error:  # noqa: BLE001  # raised again where it was asked
                answers.put((None, error))

        self.root.after(0, answer)
        found, error = answers.get(timeout=WAIT_S)
        if error is not None:
            raise error
        return found

    def windows(self) -> list[Any]:
        """Return the Tk windows that can be seen, the oldest first."""

        def below(parent: Any) -> Iterator[Any]:
            for child in parent.winfo_children():
                if isinstance(child, tkinter.Toplevel) and child.winfo_viewable():
                    yield child
                yield from below(child)

        return self.ask(lambda: list(below(self.root)))

    def wait_window(self, title: str) -> Any:
        """Return the newest window whose title begins so, once it is there."""

        def found() -> Any:
            titled = [w for w in self.windows() if w.title().startswith(title)]
            return titled[-1] if titled else None

        window = wait_for(found, what=f"window '{title}'")
        time.sleep(SLOW_S)
        return window

    def find(self, parent: Any, kind: type, text: str = "") -> Any:
        """Return the first visible widget of a kind with this text."""

        def below(widget: Any) -> Iterator[Any]:
            for child in widget.winfo_children():
                yield child
                yield from below(child)

        def match() -> Any:
            for child in below(parent):
                if isinstance(child, kind) and child.winfo_viewable():
                    if not text or written_on(child) == text:
                        return child
            return None

        return wait_for(lambda: self.ask(match), what=f"{kind.__name__} '{text}'")

    # --------------------------- clicking -------------------------------------
    def click(self, widget: Any, at: tuple[int, int] | None = None, times: int = 1):
        """Click the middle of a widget, or a pixel of it."""
        x, y = at or (widget.winfo_width() // 2, widget.winfo_height() // 2)
        x, y = widget.winfo_rootx() + x, widget.winfo_rooty() + y
        room().require(f"What to click, {widget},", 1, 1, x, y)
        xdotool("mousemove", x, y)
        time.sleep(0.3)
        xdotool("click", "--repeat", times, "--delay", 120, 1)
        self.settle()

    def settle(self) -> None:
        """Wait until the window has done what was asked of it, however busy it is."""
        for _ in range(2):
            time.sleep(SETTLE_S / 2)
            self.ask(self.root.update_idletasks)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        xdotool("type", "--delay", 25, text)
        self.settle()

    def press(self, parent: Any, text: str) -> None:
        """Click the button with this text."""
        self.click(self.find(parent, tkinter.Button, text))

    def window_of(self, act: Callable[[], None], what: str) -> Any:
        """Return the window that an act opens; it is done again if none comes."""
        before = set(self.windows())

        def new() -> list[Any]:
            return [w for w in self.windows() if w not in before]

        for _ in range(TRIES):
            act()
            with contextlib.suppress(TimeoutError):
                found = wait_for(new, what=what, within_s=WINDOW_WAIT_S)
                time.sleep(SLOW_S)
                return found[-1]
        raise TimeoutError(f"{what}: no window after {TRIES} tries")

    # --------------------------- pictures -------------------------------------
    def photograph(self, window: Any, path: Path, *, width: int | None = None) -> None:
        """Save what the screen shows of a Tk window, all of which has to be there."""
        self.ask(window.lift)
        # What the mouse rests on may explain itself.
        xdotool("mousemove", *room().corner)
        size = window.winfo_width(), window.winfo_height()
        corner = window.winfo_rootx(), window.winfo_rooty()
        room().require(path.stem, *size, *corner)
        place = "{}x{}+{}+{}".format(*size, *corner)
        save_picture(path, place=place, width=width)
