"""*Refine*: a training beside the live picker, and what becomes of its model."""

import html
from collections.abc import Callable, Mapping

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QPushButton, QVBoxLayout, QWidget

from etpicker_plugin.engine.config.refine import FEWEST_PARTICLES
from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.keys import KEYS
from etpicker_plugin.window.live import engine
from etpicker_plugin.window.live.events import BETTER, Refined, Refining
from etpicker_plugin.window.live.refined import RefinedModels, discard
from etpicker_plugin.window.live.requests import count_particles
from etpicker_plugin.window.live.verdicts import describe_progress, describe_verdict
from etpicker_plugin.window.qt.live_cut_off import words
from etpicker_plugin.window.qt.live_process import LiveProcess

EARLIER = "Candidates come from a refined model of an earlier window."
STOPPED = "Stopped. Candidates are as they were."
NOTHING_LOST = "Nothing is lost, and candidates are as they were."


class RefinePanel(QWidget):
    """A button to start and stop it, how far it is, and what it came to."""

    def __init__(self) -> None:
        super().__init__()
        self.start = QPushButton()
        self.start.setToolTip(
            "Train on the answers so far, in the background, while you go on. Some "
            "are held out: if the refined model is better there, it takes over."
        )
        self.text = words(faint=True)
        self.use = QPushButton()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.start, self.text, self.use):
            column.addWidget(widget)

    def refresh(self, models: RefinedModels, *, is_running: bool) -> None:
        """Show what can be done now."""
        (key,) = KEYS["refine"].keys
        self.start.setText(f"{'Stop refining' if is_running else 'Refine'}  [{key}]")
        self.start.setShortcut(key)  # A new text takes it away.
        offered = models.offered is not None
        self.use.setText("Use the refined model" if offered else "Use the shipped one")
        self.use.setVisible(offered or models.in_use is not None)

    def say(self, text: str) -> None:
        """Show a sentence."""
        self.text.setText(html.escape(text))
        self.text.setVisible(bool(text))


class LiveRefine(QObject):
    """Between the panel and the training.

    Parameters
    ----------
    question
        Returns what the live picker would be asked now.
    """

    changed = pyqtSignal()
    """Another model finds the candidates from now on."""

    def __init__(
        self, session: Session, question: Callable[[], Mapping[str, object]]
    ) -> None:
        super().__init__()
        self.session, self.question = session, question
        folder = session.folder / engine.FOLDER
        self.models = RefinedModels(folder)
        self.panel = RefinePanel()
        self.process = LiveProcess(folder / engine.REFINE_LOG_FILE, name="Refine")
        self._refined: Refined | None = None
        self.panel.start.clicked.connect(self._start_or_stop)
        self.panel.use.clicked.connect(self._use_other)
        self.process.told.connect(self._hear)
        self.process.ended.connect(self._end)
        self._show("" if self.models.in_use is None else EARLIER)

    def close(self) -> None:
        """End a training, and leave nothing of it."""
        if self.process.is_running():
            self._stop()
        if self.models.offered is not None:
            discard(self.models.offered)

    def _show(self, text: str) -> None:
        self.panel.say(text)
        self.panel.refresh(self.models, is_running=self.process.is_running())

    # --------------------------- a training -----------------------------------
    def _start_or_stop(self) -> None:
        if self.process.is_running():
            self._stop()
            self._show(STOPPED)
        else:
            self._start()

    def _start(self) -> None:
        question = self.question()
        particles = count_particles(question)
        if particles < FEWEST_PARTICLES:
            self._show(
                f"Refine needs {FEWEST_PARTICLES} or more particles, marked or "
                f"accepted; there are {particles}. Answer some more: N asks."
            )
            return
        self._refined = None
        try:
            self._folder = self.models.begin()
            command = engine.prepare_refining(
                self.session, self.models, question, self._folder
            )
        except EtPickerError as error:
            self._show(f"{error} {NOTHING_LOST}")
            return
        self.process.start(command)
        self._show("Refine starts …")

    def _stop(self) -> None:
        self.process.stop()
        discard(self._folder)

    def _hear(self, event: object) -> None:
        if isinstance(event, Refining):
            self.panel.say(describe_progress(event))
        elif isinstance(event, Refined):
            self._refined = event

    def _end(self, how: str) -> None:
        if self._refined is None:
            discard(self._folder)
            self._show(f"{how}. {NOTHING_LOST}")
            return
        self.models.offer(self._folder)
        if self._refined.verdict == BETTER:
            self._use_other()
        self._show(describe_verdict(self._refined))

    # --------------------------- which model ----------------------------------
    def _use_other(self) -> None:
        try:
            if self.models.offered is not None:
                self.models.use_offered()
                text = "Candidates come from the refined model now."
            else:
                self.models.use_shipped()
                text = "Candidates come from the shipped features again."
        except EtPickerError as error:
            self._show(str(error))
            return
        self._show(text)
        self.changed.emit()
