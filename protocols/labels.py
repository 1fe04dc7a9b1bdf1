"""Labels of coordinate sets: their classes and, of edited ones, what was changed."""

from __future__ import annotations

import re
from collections.abc import Mapping

CHANGES = re.compile(r" \[v\d+: [^\]]*\]$")
UNCHANGED = "unchanged"
EDITED = "edited"


def version_label(classes: str, version: int, changes: str) -> str:
    """Return a label that tells a version of a set from the others.

    Lists of a project's objects show labels in the place of output names.
    """
    return f"{classes} [v{version}: {changes}]"


def classes_of_label(label: str) -> str:
    """Return the classes that a label names, without what was changed."""
    return CHANGES.sub("", label).strip()


def describe_changes(thresholds: Mapping[str, float], *, edited: bool) -> str:
    """Say what was done to the picks of some classes.

    Parameters
    ----------
    thresholds
        The lowest score kept, per class; 0 keeps all.
    """
    cuts = {name: score for name, score in thresholds.items() if score > 0}
    words = [EDITED] if edited else []
    words += [
        f"{name if len(thresholds) > 1 else 'score'} ≥ {score:.3g}"
        for name, score in cuts.items()
    ]
    return ", ".join(words) or UNCHANGED
