"""The live picker as the window knows it: what was asked, and what came of it."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.live.candidates import (
    NONE,
    Candidates,
    merged,
    radii_vox,
    unanswered,
    within,
)
from etpicker_plugin.window.live.events import (
    CutOff,
    CutOffs,
    Event,
    Found,
    Progress,
    Refused,
    Solved,
)
from etpicker_plugin.window.live.requests import has_click, marks_of, solve_request


class LivePicker:
    """Requests in, events out, and the questions that are open.

    Attributes
    ----------
    questions
        Tomogram -> candidates that nobody has answered, of any score.
    cut_offs
        Class -> the automatic cut-off of the last answer.
    own_cut_offs
        Class -> the cut-off that a person has set instead.
    progress
        The last word about it while it computes.
    is_solved
        Whether all that was asked for has come.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.questions: dict[str, Candidates] = {}
        self.cut_offs: dict[str, CutOff] = {}
        self.own_cut_offs: dict[str, float] = {}
        self.progress: Progress | None = None
        self.is_solved = True
        self._all: dict[str, Candidates] = {}
        self._scores: dict[str, dict[str, np.ndarray]] = {}
        self._number = 0
        self._asked: object = None
        self._first = ""
        self._passed: list[tuple[str, np.ndarray]] = []

    # --------------------------- asking ---------------------------------------
    def ask(self, document: Document, z: int) -> dict[str, Any] | None:
        """Return the request for what is marked now; ``None`` if it is asked already.

        ``document`` and ``z`` are what a person looks at, and come first. Looking
        elsewhere is a new request while it computes, and before the first click: it
        gets ready for one there.
        """
        classes = self.session.classes
        marks = marks_of(self.session.documents, classes)
        asked = marks, [(item.name, item.diameter_ang) for item in classes]
        is_done = self.is_solved and has_click(marks)
        if asked == self._asked and (is_done or document.name == self._first):
            return None
        self._asked, self._first = asked, document.name
        self._number += 1
        self.is_solved = False
        return solve_request(self._number, classes, marks, tomogram=document.name, z=z)

    def question(self, document: Document, z: int) -> dict[str, Any]:
        """Return the request for what is marked now, whether it is asked or not."""
        classes = self.session.classes
        marks = marks_of(self.session.documents, classes)
        return solve_request(self._number, classes, marks, tomogram=document.name, z=z)

    def forget(self) -> None:
        """Begin anew: the process that knew it is gone."""
        self._asked, self.progress, self.is_solved = None, None, True

    # --------------------------- hearing --------------------------------------
    def is_current(self, event: Event) -> bool:
        """Return whether it is not about marks that were changed since."""
        return getattr(event, "number", None) in (None, self._number)

    def take(self, event: Event) -> list[Document]:
        """Take in what was said; return the tomograms whose candidates are others."""
        if not self.is_current(event):
            return []
        if isinstance(event, Progress):
            self.progress = event
        elif isinstance(event, CutOffs):
            self.cut_offs = event.classes
            return self.session.documents
        elif isinstance(event, Found):
            return self._take_found(event)
        elif isinstance(event, Solved):
            self.progress, self.is_solved = None, True
            return self._drop_unclicked()
        elif isinstance(event, Refused):
            self.progress, self.is_solved = None, True
        return []

    def _take_found(self, event: Found) -> list[Document]:
        named = [d for d in self.session.documents if d.name == event.tomogram]
        for document in named:
            old = self._all.get(document.name, NONE)
            inside = within(event.candidates, document.volume.shape_zyx)
            self._all[document.name] = merged(old, inside, event.planes)
            self.review(document)
        return named

    def _drop_unclicked(self) -> list[Document]:
        """Drop all candidates once no particle is marked any more."""
        if has_click(marks_of(self.session.documents, self.session.classes)):
            return []
        self._all, self.questions, self._scores, self.cut_offs = {}, {}, {}, {}
        return self.session.documents

    def review(self, document: Document) -> None:
        """Look again which candidates of a tomogram are answered."""
        found = self._all.get(document.name, NONE)
        found = unanswered(found, document, self.session.classes)
        self.questions[document.name] = found
        names = np.unique(found.class_names).tolist()
        self._scores[document.name] = {
            name: np.sort(found.scores[found.class_names == name]) for name in names
        }

    # --------------------------- what is shown --------------------------------
    def cut_off(self, name: str) -> float:
        """Return the score from which on a class's candidates count."""
        if name in self.own_cut_offs:
            return self.own_cut_offs[name]
        return self.cut_offs[name].score if name in self.cut_offs else np.inf

    def open_questions(self, document: Document) -> Candidates:
        """Return the open candidates of a tomogram, of any score."""
        return self.questions.get(document.name, NONE)

    def proposed(self, document: Document) -> Candidates:
        """Return the open candidates that reach the cut-off of their class."""
        found = self.open_questions(document)
        least = {name: self.cut_off(name) for name in np.unique(found.class_names)}
        limits = np.array([least[name] for name in found.class_names], dtype=float)
        return found.chosen(found.scores >= limits)

    def count(self, documents: Iterable[Document], name: str) -> int:
        """Return how many open candidates of a class reach its cut-off."""
        least, own = self.cut_off(name), (self._own(d, name) for d in documents)
        return sum(len(scores) - int(scores.searchsorted(least)) for scores in own)

    def scores(self, name: str) -> np.ndarray:
        """Return the scores of a class's open candidates, in all tomograms."""
        return np.concatenate([self._own(d, name) for d in self.session.documents])

    def _own(self, document: Document, name: str) -> np.ndarray:
        """Return the scores of a class in a tomogram, ascending."""
        return self._scores.get(document.name, {}).get(name, np.zeros(0))

    def most_doubtful(self, document: Document, name: str) -> Candidates | None:
        """Return the open candidate nearest the cut-off of its class, as a table.

        One that was asked about and passed by comes again after all the others.
        """
        found = self.open_questions(document)
        found = found.chosen(found.class_names == name)
        if len(found) == 0 or not np.isfinite(self.cut_off(name)):
            return None
        left = found.chosen(~self._is_passed(found, document))
        if len(left) == 0:
            self._passed, left = [], found
        doubt = np.abs(left.scores - self.cut_off(name))
        best = left.chosen(np.array([np.argmin(doubt)]))
        self._passed.append((document.name, best.positions_zyx[0]))
        return best

    def _is_passed(self, found: Candidates, document: Document) -> np.ndarray:
        """Return which lie where it was asked already, ``(N,)``."""
        passed = np.zeros(len(found), dtype=bool)
        radii = radii_vox(found, document, self.session.classes)
        for tomogram, place in self._passed:
            if tomogram == document.name:
                apart = np.linalg.norm(found.positions_zyx - place, axis=1)
                passed |= apart <= radii
        return passed
