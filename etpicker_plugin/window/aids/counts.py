"""How many picks there are of each class, and how many of them reach the cut-off."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.window.document.class_change import REMOVED
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.settings import Classes


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


def total(counts: dict[str, Count]) -> Count:
    """Return the sum over all classes."""
    found = counts.values()
    return Count(kept=sum(c.kept for c in found), there=sum(c.there for c in found))


def describe_saved(counts: dict[str, Count]) -> str:
    """Return how many picks are saved: ``52 of 72 picks``, and why not the others."""
    found = total(counts)
    if found.kept == found.there:
        return f"all {found.there:,} picks" if found.there != 1 else "the one pick"
    left_out = found.there - found.kept
    return (
        f"{found.kept:,} of {found.there:,} picks; {left_out:,} "
        f"{'is' if left_out == 1 else 'are'} below the cut-off"
    )
