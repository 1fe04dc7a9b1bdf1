"""The colours of marks: bright on grey slices."""

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


def class_colour(name: str, names: list[str]) -> str:
    """Return the colour of a class by its place among the classes."""
    if name == NEGATIVE:
        return NEGATIVE_COLOUR
    place = names.index(name) if name in names else len(names)
    return CLASS_COLOURS[place % len(CLASS_COLOURS)]
