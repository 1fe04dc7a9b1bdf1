"""How large the screen is, and what of it windows may take."""

import argparse
import re
from dataclasses import dataclass

EDGE, TITLE_BAR = 4, 26
"""Pixels that the window manager draws beside and above a window."""

CORNER = 12
"""Pixels between the mouse and the corner where it does not disturb."""


@dataclass(frozen=True)
class Room:
    """A screen of ``width`` x ``height`` pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def corner(self) -> tuple[int, int]:
        """Where the mouse rests on no window that explains itself."""
        return self.width - CORNER, self.height - CORNER

    def place(
        self, width: int, height: int, corner: tuple[int, int]
    ) -> tuple[int, int, int, int]:
        """Return width, height, x and y of a window that is on the screen.

        It is as large and lies where it was wanted, as far as there is room.
        """
        width = min(width, self.width - 2 * EDGE)
        height = min(height, self.height - TITLE_BAR - EDGE)
        x = min(corner[0], self.width - width - 2 * EDGE)
        y = min(corner[1], self.height - height - TITLE_BAR - EDGE)
        return width, height, x, y

    def holds(self, width: int, height: int) -> bool:
        """Say whether a window of this size, with its frame, is not too large."""
        return self.place(width, height, (0, 0))[:2] == (width, height)

    def require(self, what: str, width: int, height: int, x: int, y: int) -> None:
        """Refuse a window of which a part is beyond the screen."""
        if x < 0 or y < 0 or x + width > self.width or y + height > self.height:
            raise RuntimeError(
                f"{what} is {width}x{height} at {x},{y}: not all of it is on the "
                f"screen of {self}"
            )


def read_room(text: str) -> Room:
    """Read ``WIDTHxHEIGHT``."""
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT in pixels")
    return Room(*map(int, found.groups()))
