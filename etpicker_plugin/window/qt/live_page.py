"""The page that shows what the live picker proposes, and takes the answers."""

import html

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QGridLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from etpicker_plugin.window.document.counts import count_things
from etpicker_plugin.window.keys import KEYS
from etpicker_plugin.window.live.candidates import Candidates
from etpicker_plugin.window.live.picker import LivePicker
from etpicker_plugin.window.qt.class_chips import ClassChips
from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.live_cut_off import LiveCutOff, words

HELP = (
    "Click one particle: all that look like it are circled, dashed. Click a dashed "
    "circle if it is one, right-click it if not; each answer teaches."
)


class LivePage(QWidget):
    """Classes, cut-off, answers, and what is to be kept."""

    class_chosen = pyqtSignal(str)
    cut_changed = pyqtSignal()
    answered = pyqtSignal(bool)
    next_asked = pyqtSignal()
    keep_asked = pyqtSignal()
    restart_asked = pyqtSignal()

    def __init__(self, editor: Editor, picker: LivePicker, refine: QWidget) -> None:
        super().__init__()
        self.editor, self.picker, self.refine = editor, picker, refine
        self.chips = ClassChips()
        self.text = words(HELP, faint=True)
        self.cut_off = LiveCutOff(editor, picker)
        self.accept = self._button("Particle", "accept")
        self.decline = self._button("None here", "decline")
        self.doubtful = self._button("Most doubtful", "doubtful")
        self.question = words("\u00a0")
        self.keep = QPushButton("Save live picks")
        self.keep.setToolTip(
            "Make picks of the candidates that reach the cut-off, with their scores, "
            "in all tomograms, and save the live model."
        )
        self.saved = words()
        self.saved.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.trouble = words()
        self.trouble.setObjectName("trouble")
        self.restart = QPushButton("Start it again")
        self._lay_out()
        self._connect()
        self.show_trouble("")

    def _button(self, text: str, name: str) -> QPushButton:
        (key,) = KEYS[name].keys
        button = QPushButton(f"{text}  [{key}]")
        button.setShortcut(key)
        button.setToolTip(f"{KEYS[name].text}.")
        return button

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.trouble, self.restart, self.text, self.chips, self.cut_off):
            column.addWidget(widget)
        answers = QGridLayout()
        answers.addWidget(self.doubtful, 0, 0, 1, 2)
        answers.addWidget(self.question, 1, 0, 1, 2)
        answers.addWidget(self.accept, 2, 0)
        answers.addWidget(self.decline, 2, 1)
        column.addLayout(answers)
        column.addWidget(self.keep)
        column.addWidget(self.saved)
        column.addWidget(self.refine)
        column.addStretch()

    def _connect(self) -> None:
        self.chips.chosen.connect(self.class_chosen)
        self.chips.toggled.connect(
            lambda name: self.editor.show_classes(self.editor.hidden ^ {name})
        )
        self.cut_off.changed.connect(self.cut_changed)
        self.accept.clicked.connect(lambda: self.answered.emit(True))
        self.decline.clicked.connect(lambda: self.answered.emit(False))
        self.doubtful.clicked.connect(self.next_asked)
        self.keep.clicked.connect(self.keep_asked)
        self.restart.clicked.connect(self.restart_asked)

    def refresh(self, *, can_keep: bool) -> None:
        """Show counts and cut-off as they are now."""
        editor, picker = self.editor, self.picker
        documents = editor.session.documents
        self.chips.refresh(
            count_things(documents, editor.session.classes),
            current=editor.current_class,
            hidden=editor.hidden,
        )
        self.cut_off.refresh()
        names = editor.session.classes.names()
        has_any = any(picker.count(documents, name) for name in names)
        self.keep.setEnabled(can_keep or has_any)
        self.doubtful.setEnabled(len(picker.scores(editor.current_class)) > 0)

    def show_question(self, asked: Candidates | None) -> None:
        """Show the candidate, a table of one, that the answers are about."""
        for button in (self.accept, self.decline):
            button.setEnabled(asked is not None)
        if asked is None:
            self.question.setText("\u00a0")
        else:
            name, score = html.escape(str(asked.class_names[0])), asked.scores[0]
            self.question.setText(f"<b>Is this {name}?</b> score {score:.2f}")

    def show_trouble(self, text: str, *, ended: bool = False) -> None:
        """Say what is wrong and what to do; nothing if all is well."""
        self.trouble.setText(text)
        self.trouble.setVisible(bool(text))
        self.restart.setVisible(ended)
