"""Every key of the window, and what the mouse does: one table, for all who need it.

The window binds the keys from it, the help (F1) and the documentation print it.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Binding:
    """``keys`` as Qt names them, each enough alone; ``text`` says what they do."""

    keys: tuple[str, ...]
    text: str


TOOLS = {
    "look": Binding(("L",), "Look: a click puts the cursor, or selects a pick"),
    "pick": Binding(("P",), "Pick: a click adds a pick of the chosen class"),
    "negative": Binding(
        ("N", "0"), "None here: a click marks a place without a particle"
    ),
    "erase": Binding(("E",), "Erase: a drag deletes all picks in a ball"),
    "measure": Binding(("M",), "Measure: a drag measures a length"),
    "membrane": Binding(
        ("O",), "Membrane: three clicks and more on a membrane fit a vesicle to it"
    ),
}
PICKS = {
    "class": Binding(
        tuple("123456789"), "Choose the class; with C, the selected pick gets it"
    ),
    "relabel": Binding(("C",), "Give the selected pick the chosen class"),
    "recentre": Binding(("R",), "Move the selected pick to the local centre"),
    "snap": Binding(("S",), "Move each new pick to the local centre, or no longer"),
    "delete": Binding(
        ("Del", "Backspace"), "Delete the selected pick, or the chosen filament"
    ),
    "undo": Binding(("Ctrl+Z",), "Take the last edit back"),
    "redo": Binding(("Ctrl+Shift+Z", "Ctrl+Y"), "Make it again"),
}
CURVES = {
    "end": Binding(
        ("Return", "Enter"),
        "End the filament or vesicle; or go on with the chosen filament at its end",
    ),
    "leave": Binding(("Esc",), "End it"),
    "flip": Binding(("F",), "Turn the chosen filament round; without one: *Fit*"),
    "straighten": Binding(
        ("T",), "Show the chosen filament straightened, or the vesicle unrolled"
    ),
}
MOVING = {
    "up": Binding(("Up",), "Next slice of the view under the mouse"),
    "down": Binding(("Down",), "The slice before it"),
    "far_up": Binding(("PgUp",), "Ten slices on"),
    "far_down": Binding(("PgDown",), "Ten slices back"),
    "next": Binding(("Ctrl+PgDown", "."), "Next tomogram"),
    "previous": Binding(("Ctrl+PgUp", ","), "Previous tomogram"),
    "fit": Binding(("Home",), "Fit: show all of the tomogram"),
    "cloud": Binding(("V",), "Show the picks in space (3D), or the xy slice again"),
}
PAGES = {
    "page_annotate": Binding(("Alt+N",), "Page *Annotate*"),
    "page_live": Binding(("Alt+L",), "Page *Live*"),
    "page_judge": Binding(("Alt+J",), "Page *Judge*"),
    "page_suggest": Binding(("Alt+S",), "Page *Suggest*"),
    "automatic": Binding(("Alt+A",), "On *Judge*: find a cut-off"),
    "to_cut_off": Binding(("G",), "On *Judge*: go to the pick at the cut-off"),
    "reject": Binding(("X", "Del", "Backspace"), "In the gallery: reject the pick"),
    "particle": Binding(("A",), "On *Suggest*: it is a particle"),
    "none_here": Binding(("X",), "On *Suggest*: there is none"),
    "skip": Binding(("Space",), "On *Suggest*: skip it"),
}
LIVE = {
    "doubtful": Binding(("N",), "Go to the most doubtful candidate"),
    "accept": Binding(
        ("A",), "It is a particle: the one asked about, or under the mouse"
    ),
    "decline": Binding(("X",), "It is none"),
    "refine": Binding(("Ctrl+R",), "Refine: train in the background; or stop it"),
}
WINDOW = {
    "save": Binding(("Ctrl+S",), "Write NAME.csv now; every edit is saved anyway"),
    "done": Binding(("Ctrl+Q",), "Save and close"),
    "help": Binding(("F1", "?"), "Show these keys"),
}

GROUPS = {
    "Tools": TOOLS,
    "Picks": PICKS,
    "Filaments and vesicles": CURVES,
    "Moving about": MOVING,
    "Pages": PAGES,
    "On the page *Live*": LIVE,
    "Window": WINDOW,
}
"""Heading -> name of an action -> its keys."""

MOUSE = {
    "Mouse on a slice": {
        "wheel": "next slice",
        "Ctrl + wheel": "zoom",
        "click": "what the tool says; on a pick: select it",
        "drag a pick": "move it (tools Pick and None here)",
        "click, class of filaments": "add a point to the filament that is drawn",
        "Ctrl + click": "add its last point",
        "click a curve": "choose the filament; the chosen one: insert a point",
        "Shift + wheel, drag a rim": "size of the selected vesicle",
        "drag elsewhere": "move the picture",
        "right-click a pick or curve": "delete it",
        "click a dashed circle": "on *Live*: it is a particle",
        "right-click a dashed circle": "on *Live*: it is none",
        "right-drag": "across: contrast; up: brightness",
        "Shift + click, middle click": "put the cursor there",
    },
    "Mouse on the cloud": {
        "drag": "turn it",
        "wheel": "zoom",
        "right-drag, middle-drag": "move it",
        "click a pick": "select it, and show its slices",
    },
    "Mouse elsewhere": {
        "click in the gallery": "show that pick",
        "click a class on Judge": "choose it; its dot hides or shows it",
        "drag the line": "set the cut-off",
        "double-click a class or diameter": "rename it; change it",
    },
}
"""Heading -> gesture -> what it does."""

KEYS = {name: b for group in GROUPS.values() for name, b in group.items()}

SHOWN = {
    "PgUp": "Page Up",
    "Esc": "Escape",
    "PgDown": "Page Down",
    "Del": "Delete",
    "Ctrl+PgDown": "Ctrl + Page Down",
    "Ctrl+PgUp": "Ctrl + Page Up",
}


def name_of(key: str, group: dict[str, Binding]) -> str | None:
    """Return the action of a group that a key is bound to."""
    return next((name for name, b in group.items() if key in b.keys), None)


def shown_keys(binding: Binding) -> str:
    """Return the keys of an action as a person reads them."""
    if binding.keys == tuple("123456789"):
        return "1 … 9"
    *first, last = (SHOWN.get(k, k.replace("+", " + ")) for k in binding.keys)
    return f"{', '.join(first)} or {last}" if first else last


def help_rows() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield each heading with its rows: keys or gesture, and what they do."""
    for heading, group in GROUPS.items():
        yield heading, [(shown_keys(b), b.text) for b in group.values()]
    for heading, gestures in MOUSE.items():
        yield heading, list(gestures.items())
