"""Numbers in files of other programs: plain, finite, and of a size that can be meant.

Python's ``float`` also takes ``1_0``, ``nan``, ``inf`` and digits of other scripts, any
of which would go on as a number that nobody has written.
"""

from __future__ import annotations

import re

LARGEST = 1e12
"""No position, angle, score or class is larger; what is, was written by mistake."""

PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


def plain_number(text: str, *, largest: float = LARGEST) -> float:
    """Return the number that a text holds, blanks around it left out.

    Raises
    ------
    ValueError
        If it holds none, or one above ``largest``; it says what was expected.
    """
    stripped = text.strip()
    if not PLAIN.fullmatch(stripped):
        raise ValueError(_expected(stripped))
    number = float(stripped)
    if abs(number) > largest:
        raise ValueError(f"a number of at most {largest:g}")
    return number


def is_any_number(text: str) -> bool:
    """Tell a number, in whatever way Python reads one, from a name."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _expected(text: str) -> str:
    if NOT_FINITE.fullmatch(text):
        return "a finite number"
    if COMMA.fullmatch(text):
        return "a number with a decimal point (12.5) and no comma"
    return "a number"
