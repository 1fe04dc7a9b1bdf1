"""The page that asks about one place after the other."""

import numpy as np
from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QGridLayout, QGroupBox, QLabel, QPushButton, QVBoxLayout

from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.window.aids.suggestions import suggest_places
from etpicker_plugin.window.keys import KEYS
from etpicker_plugin.window.qt.editor import Editor

AT_ONCE = 20
HELP = (
    "Places of the chosen class that its scores leave in doubt, unlike one another. "
    "Pick with a low threshold to have doubtful ones. What you confirm loses its score "
    "and counts as marked by hand; what you decline becomes a negative. None is asked "
    "twice."
)


class SuggestPage(QGroupBox):
    """Suggestions for the open tomogram and the chosen class."""

    jumped = pyqtSignal(int)

    def __init__(self, editor: Editor) -> None:
        super().__init__("What to label next")
        self.editor = editor
        self.queue: list[int] = []
        self.skipped: set[tuple[str, int]] = set()
        self.answered = 0
        self.text = QLabel(HELP)
        self.text.setWordWrap(True)
        self.text.setProperty("faint", True)
        self.start = QPushButton("Suggest")
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.accept = self._button("Particle", "particle", self.confirm)
        self.decline = self._button("None here", "none_here", self.reject)
        self.pass_by = self._button("Skip", "skip", self.skip)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addWidget(self.start)
        column.addWidget(self.state)
        answers = QGridLayout()
        answers.addWidget(self.accept, 0, 0)
        answers.addWidget(self.decline, 0, 1)
        answers.addWidget(self.pass_by, 1, 0, 1, 2)
        column.addLayout(answers)
        column.addStretch()
        self.start.clicked.connect(self.suggest)
        editor.class_chosen.connect(lambda _name: self.clear())
        self.clear()

    def _button(self, text: str, name: str, act: object) -> QPushButton:
        (key,) = KEYS[name].keys
        button = QPushButton(f"{text}  [{key}]")
        button.setShortcut(key)
        button.clicked.connect(act)
        return button

    def clear(self) -> None:
        """Forget the suggestions: of another tomogram or class."""
        self.queue = []
        self.state.clear()
        self._enable()

    def suggest(self) -> None:
        """Choose places, and go to the first."""
        editor, name = self.editor, self.editor.current_class
        try:
            found = suggest_places(
                editor.document,
                editor.session.classes,
                name,
                count=AT_ONCE + len(self.skipped),
            )
        except EtPickerError as error:
            editor.failed.emit(str(error))
            return
        self.queue = [p for p in found.tolist() if self._key(p) not in self.skipped]
        if not self.queue:
            self.state.setText(
                f"There is no place to ask about: no pick of {name} has a score, or "
                "all are answered."
            )
        self._show()

    def confirm(self) -> None:
        """The place holds a particle."""
        self._answer(lambda pick: self.editor.confirm(pick))

    def reject(self) -> None:
        """The place holds none."""
        self._answer(lambda pick: self.editor.confirm(pick, NEGATIVE))

    def skip(self) -> None:
        """Do not ask about this place in this window again."""
        self.skipped.update(self._key(pick) for pick in self.queue[:1])
        self.queue = self.queue[1:]
        self._show()

    def _answer(self, act: object) -> None:
        if not self.queue:
            return
        pick, self.queue = self.queue[0], self.queue[1:]
        if self.editor.annotation.alive[pick]:
            act(pick)
            self.answered += 1
        self._show()

    def _show(self) -> None:
        """Go to the next place that is still a question."""
        annotation = self.editor.annotation
        while self.queue and not (
            annotation.alive[self.queue[0]]
            and np.isfinite(annotation.scores[self.queue[0]])
        ):
            self.queue = self.queue[1:]
        self._enable()
        if self.queue:
            pick = self.queue[0]
            score = annotation.scores[pick]
            self.state.setText(
                f"<b>Is this {annotation.class_of(pick)}?</b> score {score:.3f} · "
                f"{len(self.queue)} to go · {self.answered} answered"
            )
            self.jumped.emit(pick)
        elif self.answered:
            self.state.setText(f"{self.answered} answered. Suggest more, or train.")

    def _enable(self) -> None:
        for button in (self.accept, self.decline, self.pass_by):
            button.setEnabled(bool(self.queue))

    def _key(self, pick: int) -> tuple[str, int]:
        return self.editor.document.name, pick
