"""A class renamed, joined with another or removed: in all tomograms, and undone.

No pick is touched: each knows its class by a code, and what changes is the name that a
code stands for. So a change of classes can be undone whatever was edited since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from etpicker_plugin.window.document.settings import ParticleClass

REMOVED = ""
"""The name that the code of a removed class stands for; its picks are as deleted."""

MAKE, UNDO, REDO = "class", "undo class", "redo class"
"""What a line of a journal does with a change."""


@dataclass(frozen=True)
class ClassChange:
    """What a class becomes.

    Attributes
    ----------
    token
        Tells one change from another, in the journals of all tomograms.
    was
        The class before.
    place
        Its place among the classes, from 0.
    name
        Its name after; ``REMOVED`` if it goes, another's if the two become one.
    joins
        Whether ``name`` was another class's already.
    """

    token: str
    was: ParticleClass
    place: int
    name: str
    joins: bool = False

    @property
    def kind(self) -> str:
        """What to call it."""
        if self.name == REMOVED:
            return f"remove {self.was.name}"
        return f"{'join' if self.joins else 'rename'} {self.was.name}"


def changed_names(
    names: list[str], change: ClassChange
) -> tuple[list[str], tuple[int, ...]]:
    """Return the names after a change, and the codes whose name it changed."""
    codes = tuple(i for i, name in enumerate(names) if name == change.was.name)
    changed = [change.name if i in codes else name for i, name in enumerate(names)]
    return changed, codes


def change_to_values(change: ClassChange) -> dict[str, Any]:
    """Return a change as JSON values."""
    return {
        "token": change.token,
        "was": asdict(change.was),
        "place": change.place,
        "name": change.name,
        "joins": change.joins,
    }


def change_from_values(values: Mapping[str, Any]) -> ClassChange:
    """Return the change that JSON values describe.

    Raises
    ------
    KeyError, TypeError, ValueError
        If they describe none.
    """
    was = values["was"]
    limit = was["model_threshold"]
    return ClassChange(
        token=str(values["token"]),
        was=ParticleClass(
            name=str(was["name"]),
            diameter_ang=float(was["diameter_ang"]),
            threshold=float(was["threshold"]),
            guessed=bool(was["guessed"]),
            model_threshold=None if limit is None else float(limit),
        ),
        place=int(values["place"]),
        name=str(values["name"]),
        joins=bool(values["joins"]),
    )
