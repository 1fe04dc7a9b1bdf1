"""*Live*: marks go to a process, candidates come back, answers become marks."""

import html
from collections.abc import Mapping

import numpy as np
from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.live import engine
from etpicker_plugin.window.live.candidates import NONE, Candidates, joined
from etpicker_plugin.window.live.events import Progress, Ready, Refused, Solved
from etpicker_plugin.window.live.keeping import keep_candidates
from etpicker_plugin.window.live.picker import LivePicker
from etpicker_plugin.window.live.requests import clicked_classes
from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.live_page import LivePage
from etpicker_plugin.window.qt.live_process import LiveProcess
from etpicker_plugin.window.qt.live_refine import LiveRefine
from etpicker_plugin.window.qt.live_saving import LiveSaving
from etpicker_plugin.window.qt.slice_view import SliceView
from etpicker_plugin.window.qt.view_state import ViewState

UNTIL_ASKED_MS, UNTIL_SHOWN_MS = 60, 40
"""Several edits, or several answers, within this time are one."""

STARTING = "Live starts …"
NO_PARTICLES = (
    "Live finds particles, and every class here is of filaments or vesicles. Mark some "
    "on Annotate, and train a model from them; or add a class of particles."
)
WHAT = {"features": "looks at", "candidates": "searches"}


class LiveMode(QObject):
    """Between the editor, the process and the page; idle while it is not in sight."""

    shown = pyqtSignal(object, object)
    counted = pyqtSignal()
    jumped = pyqtSignal(object)
    progressed = pyqtSignal(str)

    def __init__(self, editor: Editor, state: ViewState) -> None:
        super().__init__()
        self.editor, self.state = editor, state
        session = editor.session
        self.picker = LivePicker(session)
        self.refine = LiveRefine(session, self._question)
        self.page = LivePage(editor, self.picker, self.refine.panel)
        self.process = LiveProcess(session.folder / engine.FOLDER / engine.LOG_FILE)
        self.is_active = False
        self.hindrance = engine.hindrance()
        self.questions: Candidates = NONE
        self._of: Document | None = None
        self.asked: int | None = None
        self._under_mouse: int | None = None
        self.saving = LiveSaving(editor, self.picker, self.process)
        self._kept: dict[str, np.ndarray] = {}
        self._troubles: list[str] = []
        self._to_ask = QTimer(self, singleShot=True, interval=UNTIL_ASKED_MS)
        self._to_show = QTimer(self, singleShot=True, interval=UNTIL_SHOWN_MS)
        self._connect()

    def _connect(self) -> None:
        self._to_ask.timeout.connect(self._ask)
        self._to_show.timeout.connect(self._show)
        self.editor.changed.connect(self._edited)
        self.editor.classes_changed.connect(self._review_all)
        self.editor.class_chosen.connect(lambda _name: self._forget_asked())
        self.process.told.connect(self._hear)
        self.process.ended.connect(self._mourn)
        self.page.cut_changed.connect(self._show_soon)
        self.page.answered.connect(self.answer_asked)
        self.page.next_asked.connect(self.ask_next)
        self.page.keep_asked.connect(self.keep)
        self.page.restart_asked.connect(self._start)
        self.saving.saved.connect(self.page.saved.setText)
        self.refine.changed.connect(self._change_model)

    # --------------------------- in sight, or not -----------------------------
    def set_active(self, active: bool) -> None:
        """Begin, or rest: candidates are shown on the page *Live* alone."""
        if active == self.is_active:
            return
        self.is_active = active
        if active and not self.process.is_running():
            self._start()
        if active:
            self._review_all()
            self._to_ask.start()
        self._show()

    def close(self) -> None:
        """Save the model, if it knows more than its file, and end the process."""
        self.saving.close()
        self.process.stop()
        self.refine.close()

    def _change_model(self) -> None:
        """Begin anew with other features; what was found stays until then."""
        self.process.leave()
        self.picker.own_cut_offs.clear()  # Other features, other scores.
        self.saving.forget()
        self._start()

    def _start(self) -> None:
        self.page.show_trouble("")
        try:
            command = engine.prepare(self.editor.session, self.refine.models)
        except EtPickerError as error:
            self.page.show_trouble(str(error), ended=True)
            return
        self.progressed.emit(STARTING)
        self.picker.forget()
        self.process.start(command)
        self._to_ask.start()

    def _review_all(self) -> None:
        for document in self.editor.session.documents:
            self.picker.review(document)

    # --------------------------- asking and hearing ---------------------------
    def _edited(self) -> None:
        if self.is_active:
            self.picker.review(self.editor.document)
            self._show_soon()
            self._to_ask.start()

    def _ask(self) -> None:
        if not (self.is_active and self.process.is_running()):
            return
        if not clicked_classes(self.editor.session.classes):
            self.page.show_trouble(NO_PARTICLES)
            return
        request = self.picker.ask(self.editor.document, self.state.cursor_zyx[0])
        if request is not None:
            self._troubles = []
            self.process.ask(request)

    def _question(self) -> Mapping[str, object]:
        return self.picker.question(self.editor.document, self.state.cursor_zyx[0])

    def _hear(self, event: object) -> None:
        if isinstance(event, Refused) and self.picker.is_current(event):
            self._troubles.append(html.escape(event.text))
        if isinstance(event, Refused | Solved):
            self.page.show_trouble("<br>".join(self._troubles))
        self.saving.hear(event)
        if self.picker.take(event):
            self.saving.is_unsaved = True
            self._show_soon()
        if self.picker.progress is not None:
            self.progressed.emit(_describe(self.picker.progress))
        elif self.picker.is_solved or isinstance(event, Ready):
            self.progressed.emit("")

    def _mourn(self, how: str) -> None:
        """Say that the process has ended; what was marked is on disk."""
        self.picker.forget()
        self.saving.forget()
        self.progressed.emit("")
        self.page.show_trouble(
            f"{html.escape(how)}. Start it again, or go on marking: nothing is lost.",
            ended=True,
        )

    # --------------------------- showing --------------------------------------
    def _show_soon(self) -> None:
        if not self._to_show.isActive():
            self._to_show.start()

    def _show(self) -> None:
        """Hand the candidates of the open tomogram to whoever draws them."""
        asked = self._asked_one()
        self.questions, self.asked, self._of = NONE, None, self.editor.document
        self._under_mouse = None
        if self.is_active:
            self.questions = self.picker.proposed(self.editor.document)
            if asked is not None:
                self._put_asked(asked)
            self.page.refresh(can_keep=bool(self._kept))
            self._show_question()
        self.shown.emit(self.questions, self.asked)
        self.counted.emit()

    def hover(self, view: SliceView, position_zyx: object) -> None:
        """Ask about the candidate under the mouse, unless another is asked about."""
        found = view.question_at(position_zyx) if self.is_active else None
        if found != self._under_mouse:
            self._under_mouse = found
            self._show_question()

    def _show_question(self) -> None:
        meant = self._under_mouse if self.asked is None else self.asked
        one = None if meant is None else self.questions.chosen(np.array([meant]))
        self.page.show_question(one)

    def _asked_one(self) -> Candidates | None:
        if self.asked is None or self._of is not self.editor.document:
            return None
        return self.questions.chosen(np.array([self.asked]))

    def _put_asked(self, asked: Candidates) -> None:
        """Find the asked candidate again, or what came in its place, if it is open."""
        found = self.picker.open_questions(self.editor.document)
        found = found.chosen(found.class_names == asked.class_names[0])
        apart = np.linalg.norm(found.positions_zyx - asked.positions_zyx[0], axis=1)
        if len(apart) == 0 or apart.min() > 1.0:
            return
        one = found.chosen(np.array([np.argmin(apart)]))
        same = (self.questions.positions_zyx == one.positions_zyx[0]).all(axis=1)
        if not same.any():
            self.questions = joined(self.questions, one)
            same = np.append(same, True)
        self.asked = int(np.argmax(same))

    def _forget_asked(self) -> None:
        self.asked = None
        if self.is_active:
            self._show_soon()

    def counts(self, document: Document) -> dict[str, int]:
        """Return how many candidates of each class a tomogram has; none at rest."""
        if not self.is_active:
            return {}
        names = self.editor.session.classes.names()
        return {name: self.picker.count([document], name) for name in names}

    # --------------------------- answers --------------------------------------
    def answer(self, question: int, is_particle: bool) -> None:
        """Make a candidate a mark of its class, or a place without a particle."""
        if self._of is not self.editor.document:
            return  # It was of the tomogram before.
        name = str(self.questions.class_names[question])
        position = self.questions.positions_zyx[question].tolist()
        if question == self.asked:
            self.asked = None
        self.editor.add_at(position, name if is_particle else NEGATIVE)

    def answer_asked(self, is_particle: bool) -> None:
        """Answer what was asked, and ask the next; or what is under the mouse."""
        if self.asked is not None:
            self.answer(self.asked, is_particle)
            self.ask_next()
        elif self._under_mouse is not None:
            self.answer(self._under_mouse, is_particle)

    def ask_next(self) -> None:
        """Go to the candidate that is nearest the cut-off."""
        document, name = self.editor.document, self.editor.current_class
        one = self.picker.most_doubtful(document, name)
        if one is not None:
            self.editor.hidden -= {name}  # What is asked about must be seen.
            self.questions = joined(self.questions, one)
            self.asked = len(self.questions) - 1
            self._show()
            self.jumped.emit(one.positions_zyx[0])

    # --------------------------- keeping --------------------------------------
    def keep(self) -> None:
        """Make picks of what reaches the cut-off, and save the model."""
        try:
            count = keep_candidates(self.editor.session, self.picker, self._kept)
        except EtPickerError as error:
            self.editor.failed.emit(str(error))
            return
        self.editor.said.emit(f"{count:,} live picks, with their scores")
        self.editor.changed.emit()
        self.save_model()

    def save_model(self) -> None:
        """Have the model and the picks that go with it written as files."""
        self.saving.save()


def _describe(progress: Progress) -> str:
    percent = 100 * progress.done // progress.total
    return f"Live {WHAT[progress.what]} {progress.tomogram}: {percent} %"
