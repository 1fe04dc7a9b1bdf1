"""Candidates that become picks, with their scores, in all tomograms."""

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.live.picker import LivePicker

Kept = dict[str, NDArray[np.intp]]
"""Tomogram -> numbers of the picks that were made of candidates before."""


def keep_candidates(session: Session, picker: LivePicker, kept: Kept) -> int:
    """Make picks of all candidates that reach the cut-off, and return how many.

    Those made before, and not confirmed since, go: the newer word counts. ``kept`` is
    brought up to date.

    Raises
    ------
    ResourceError
        If an edit cannot be written; those before it are.
    """
    return sum(_keep(document, session, picker, kept) for document in session.documents)


def _keep(document: Document, session: Session, picker: LivePicker, kept: Kept) -> int:
    annotation, journal = document.annotation, document.journal
    before = kept.pop(document.name, np.zeros(0, dtype=np.intp))
    before = before[annotation.alive[before] & np.isfinite(annotation.scores[before])]
    if len(before):
        journal.apply(annotation.deleting(before))
        picker.review(document)
    found, first = picker.proposed(document), len(annotation)
    for name in np.unique(found.class_names).tolist():
        own = found.chosen(found.class_names == name)
        journal.apply(annotation.adding(own.positions_zyx, name, scores=own.scores))
        least = min(session.classes[name].threshold, picker.cut_off(name))
        session.classes.change(name, threshold=least)
    kept[document.name] = np.arange(first, len(annotation))
    picker.review(document)
    return len(found)
