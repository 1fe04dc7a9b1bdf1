"""How many picks there are of each class, and how many of them reach the cut-off.

``saved.json`` in an annotation's folder keeps the sum, for whom the window is closed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.kinds import FILAMENT, PARTICLE
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.result_files import read_record
from etpicker_plugin.window.document.class_change import REMOVED
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.settings import Classes

SAVED_FILE = "saved.json"


@dataclass
class Count:
    """``kept`` of ``there`` picks are saved: those not below the cut-off."""

    kept: int = 0
    there: int = 0

    def add(self, kept: int, there: int) -> None:
        """Count more."""
        self.kept += kept
        self.there += there


def count_picks(documents: Iterable[Document], classes: Classes) -> dict[str, Count]:
    """Return the counts of each class, and of places without a particle, in order."""
    counts = {name: Count() for name in (*classes.names(), NEGATIVE)}
    for document in documents:
        annotation = document.annotation
        codes, n = annotation.codes, len(annotation.class_names)
        there = np.bincount(codes[annotation.alive], minlength=n)
        kept = np.bincount(codes[document.shown(classes)], minlength=n)
        for code, name in enumerate(annotation.class_names):
            if name != REMOVED:
                counts.setdefault(name, Count()).add(int(kept[code]), int(there[code]))
    return counts


@dataclass
class Things:
    """How many particles, filaments or vesicles of a class there are.

    Attributes
    ----------
    kept, there
        Those that are saved, of all.
    kept_points
        Rows that the kept ones are in files; of filaments more.
    kind
        What they are.
    """

    kept: int = 0
    there: int = 0
    kept_points: int = 0
    kind: str = PARTICLE

    def words(self) -> str:
        """Return ``12 filaments (340 points)``, ``1 vesicle`` or ``7 of 9 picks``."""
        noun = "pick" if self.kind == PARTICLE else self.kind
        words = f"{self.number()} {noun}{'' if self.there == 1 else 's'}"
        if self.kind != FILAMENT:
            return words
        return f"{words} ({self.kept_points:,} point{'s'[: self.kept_points != 1]})"

    def number(self) -> str:
        """Return ``12``, or ``7 of 9``."""
        if self.kept == self.there:
            return f"{self.there:,}"
        return f"{self.kept:,} of {self.there:,}"


def count_things(documents: Iterable[Document], classes: Classes) -> dict[str, Things]:
    """Return what there is of each class, a filament counted as one."""
    found: dict[str, Things] = {}
    for document in documents:
        for name, count in count_picks([document], classes).items():
            one = found.setdefault(name, Things(kind=classes.kind_of(name)))
            one.kept_points += count.kept
            if one.kind != PARTICLE:
                ids = document.things(classes, name)
                one.kept += int(document.shown(classes, ids).sum())
                one.there += len(ids)
            else:
                one.kept, one.there = one.kept + count.kept, one.there + count.there
    return found


def total(counts: dict[str, Count]) -> Count:
    """Return the sum over all classes."""
    found = counts.values()
    return Count(kept=sum(c.kept for c in found), there=sum(c.there for c in found))


def describe(count: Count) -> str:
    """Return how many picks are saved: ``52 of 72 picks``, and why not the others."""
    if count.kept == count.there:
        return f"all {count.there:,} picks" if count.there != 1 else "the one pick"
    below = count.there - count.kept
    return (
        f"{count.kept:,} of {count.there:,} picks; {below:,} "
        f"{'is' if below == 1 else 'are'} below the cut-off"
    )


def write_saved(folder: Path, count: Count) -> None:
    """Note how many picks were saved, and how many there are.

    Raises
    ------
    ResourceError
        If it cannot be written.
    """
    with write_whole(folder / SAVED_FILE) as temporary:
        temporary.write_text(json.dumps(asdict(count)), encoding="utf-8")


def read_saved(folder: Path) -> Count | None:
    """Return what was noted; ``None`` if it cannot be read."""
    try:
        record = read_record(folder / SAVED_FILE)
        return Count(kept=int(record["kept"]), there=int(record["there"]))
    except (ValueError, KeyError, TypeError):
        return None
