"""The scores of a class over all tomograms, with the cut-off as a line to drag."""

import numpy as np
from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QDoubleSpinBox,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
)

from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.window.aids.cut_off import find_cut_off
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.drawing.colours import class_colour
from etpicker_plugin.window.keys import KEYS
from etpicker_plugin.window.qt.key_press import mnemonic
from etpicker_plugin.window.qt.score_plot import ScorePlot
from etpicker_plugin.window.qt.style import FAINT, TEXT

STEP = 0.01


class ScorePanel(QGroupBox):
    """Histogram, cut-off, count, and the automatic cut-off with its reason."""

    changed = pyqtSignal()

    def __init__(self, session: Session) -> None:
        super().__init__("Scores")
        self.session = session
        self.name = session.classes.names()[0]
        self.scores = np.zeros(0)
        self.plot = ScorePlot()
        self.line = self.plot.line
        self.cut = QDoubleSpinBox(
            decimals=4, singleStep=STEP, minimum=-1e9, maximum=1e9
        )
        self.cut.setKeyboardTracking(False)
        self.cut.setObjectName("cut_off")
        self.count = QLabel()
        self.count.setWordWrap(True)
        self.automatic = QPushButton(mnemonic("Automatic", KEYS["automatic"]))
        self.model = QPushButton("Model's")
        self.model.setToolTip("The threshold of the model that picked.")
        self.all = QPushButton("Keep all")
        self.reason = QLabel()
        self.reason.setTextFormat(Qt.PlainText)
        self.reason.setWordWrap(True)
        self.reason.setProperty("faint", True)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.addWidget(self.plot)
        column.addWidget(self.count)
        row = QHBoxLayout()
        row.addWidget(QLabel("cut-off"))
        row.addWidget(self.cut, stretch=1)
        column.addLayout(row)
        row = QHBoxLayout()
        for button in (self.automatic, self.model, self.all):
            row.addWidget(button)
        column.addLayout(row)
        column.addWidget(self.reason)

    def _connect(self) -> None:
        self.line.sigPositionChanged.connect(
            lambda line: self.set_cut(line.value(), keep=False)
        )
        self.line.sigPositionChangeFinished.connect(
            lambda line: self.set_cut(line.value())
        )
        self.cut.valueChanged.connect(self.set_cut)
        self.automatic.clicked.connect(self.choose_automatically)
        self.model.clicked.connect(self._take_models)
        self.all.clicked.connect(self._keep_all)

    def show_class(self, name: str) -> None:
        """Show another class."""
        self.name = name
        self.reason.clear()
        self.refresh()

    def refresh(self) -> None:
        """Collect the scores anew and draw them."""
        found = [
            d.judged_scores(self.session.classes)[
                d.things(self.session.classes, self.name)
            ]
            for d in self.session.documents
        ]
        every = np.concatenate(found)
        self.scores = every[np.isfinite(every)]
        self.setTitle(f"Scores of {self.name}")
        has_scores = len(self.scores) > 0
        for widget in (self.cut, self.automatic, self.model, self.all):
            widget.setEnabled(has_scores)
        models = self.session.classes[self.name].model_threshold
        self.model.setVisible(models is not None)
        colour = class_colour(self.name, self.session.classes.names())
        self.plot.show_scores(self.scores, colour=colour, models=models)
        self.plot.say("" if has_scores else why_empty(self.name, len(every)))
        self._show_cut()

    def set_cut(self, score: float, *, keep: bool = True) -> None:
        """Keep what has at least this score; ``keep`` writes it down."""
        self.session.classes.change(self.name, keep=keep, threshold=float(score))
        self._show_cut()
        self.changed.emit()

    def choose_automatically(self) -> None:
        """Find a cut-off in the scores, and say how, or why there is none."""
        found = find_cut_off(self.scores)
        self.reason.setText(found.reason)
        if found.score is not None:
            self.set_cut(found.score)

    def _take_models(self) -> None:
        self.reason.setText("The threshold that the model's own validation chose.")
        self.set_cut(self.session.classes[self.name].model_threshold)

    def _keep_all(self) -> None:
        self.reason.clear()
        self.set_cut(0.0)

    def _show_cut(self) -> None:
        """Let line, number and count follow the class's threshold."""
        threshold = self.session.classes[self.name].threshold
        for widget in (self.line, self.cut):
            widget.blockSignals(True)
            widget.setValue(threshold)
            widget.blockSignals(False)
        kept = int((self.scores >= threshold).sum())
        colour = FAINT if len(self.scores) == 0 else TEXT
        self.count.setText(
            f"<span style='color:{colour}'><b>{kept:,}</b> of {len(self.scores):,} "
            f"scored {self._noun()} kept, in all tomograms</span>"
        )

    def _noun(self) -> str:
        kind = self.session.classes.kind_of(self.name)
        return "picks" if kind == PARTICLE else f"{kind}s"


def why_empty(name: str, count: int) -> str:
    """Return why there is no histogram of a class with so many picks."""
    if count:
        return f"No score: the {count:,} picks of\n{name} were marked by hand."
    return f"There are no picks of {name}."
