"""The colours of marks: bright on grey slices."""

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.negative import NEGATIVE

CLASS_COLOURS = (
    "#ffb000",
    "#35c9ff",
    "#ff5d8f",
    "#5ee06c",
    "#b48cff",
    "#ff8c42",
    "#00e0c6",
    "#f7f052",
    "#9fb3c8",
)
NEGATIVE_COLOUR = "#ff3b30"
CURSOR_COLOUR = "#7aa2f7"
RULER_COLOUR = "#f5f5f5"
BOTH_COLOUR = "#5ee06c"
FIRST_COLOUR = "#ffb000"
SECOND_COLOUR = "#35c9ff"
MARKED_COLOUR = "#c3cad6"
"""Of a pick without a score, where colours stand for scores."""

SCORE_COLOURS = ("#3b1f6b", "#3d4fa1", "#1f8f8d", "#5fc561", "#fbe725")
"""From the lowest score to the highest, evenly spaced; as light grows, so do scores."""


def class_colour(name: str, names: list[str]) -> str:
    """Return the colour of a class by its place among the classes."""
    if name == NEGATIVE:
        return NEGATIVE_COLOUR
    place = names.index(name) if name in names else len(names)
    return CLASS_COLOURS[place % len(CLASS_COLOURS)]


def hex_to_rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 … 255, of ``#rrggbb``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def score_colours(steps: int) -> NDArray[np.float64]:
    """Return ``(steps, 3)`` red, green, blue from the lowest score to the highest."""
    anchors = np.array([hex_to_rgb(colour) for colour in SCORE_COLOURS], dtype=float)
    places = np.linspace(0, len(anchors) - 1, steps)
    known = np.arange(len(anchors))
    return np.stack([np.interp(places, known, c) for c in anchors.T], axis=1)
