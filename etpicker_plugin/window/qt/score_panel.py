"""The scores of a class over all tomograms, with the cut-off as a line to drag."""

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import (
    QDoubleSpinBox,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
)

from etpicker_plugin.window.aids.cut_off import find_cut_off
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.drawing.colours import class_colour
from etpicker_plugin.window.keys import KEYS
from etpicker_plugin.window.qt.key_press import mnemonic
from etpicker_plugin.window.qt.style import BACKGROUND, FAINT, TEXT

BINS = 60
STEP = 0.01


class ScorePanel(QGroupBox):
    """Histogram, cut-off, count, and the automatic cut-off with its reason."""

    changed = pyqtSignal()

    def __init__(self, session: Session) -> None:
        super().__init__("Scores")
        self.session = session
        self.name = session.classes.names()[0]
        self.scores = np.zeros(0)
        self.plot = pg.PlotWidget(background=BACKGROUND)
        self.plot.setFixedHeight(150)
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.hideButtons()
        self.plot.setMenuEnabled(False)
        self.plot.getAxis("left").setWidth(34)
        self.bars = pg.BarGraphItem(x=[], height=[], width=1)
        self.line = pg.InfiniteLine(movable=True, pen=pg.mkPen(TEXT, width=2))
        self.line.setHoverPen(pg.mkPen("w", width=3))
        self.plot.addItem(self.bars)
        self.plot.addItem(self.line)
        self.cut = QDoubleSpinBox(
            decimals=4, singleStep=STEP, minimum=-1e9, maximum=1e9
        )
        self.cut.setKeyboardTracking(False)
        self.cut.setObjectName("cut_off")
        self.count = QLabel()
        self.automatic = QPushButton(mnemonic("Automatic", KEYS["automatic"]))
        self.all = QPushButton("Keep all")
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.reason.setProperty("faint", True)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.addWidget(self.plot)
        row = QHBoxLayout()
        row.addWidget(QLabel("cut-off"))
        row.addWidget(self.cut)
        row.addWidget(self.automatic)
        row.addWidget(self.all)
        column.addWidget(self.count)
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
        self.all.clicked.connect(self._keep_all)

    def show_class(self, name: str) -> None:
        """Show another class."""
        self.name = name
        self.reason.clear()
        self.refresh()

    def refresh(self) -> None:
        """Collect the scores anew and draw them."""
        found = [
            d.annotation.scores[d.annotation.ids_of(self.name)]
            for d in self.session.documents
        ]
        scores = np.concatenate(found)
        self.scores = scores[np.isfinite(scores)]
        self.setTitle(f"Scores of {self.name}")
        self.setEnabled(len(self.scores) > 0)
        if len(self.scores):
            counts, edges = np.histogram(self.scores, bins=BINS)
            width = edges[1] - edges[0]
            colour = class_colour(self.name, self.session.classes.names())
            self.bars.setOpts(
                x=(edges[1:] + edges[:-1]) / 2,
                height=counts,
                width=width * 0.9,
                brush=colour,
                pen=colour,
            )
            self.plot.setXRange(edges[0], edges[-1], padding=0.03)
            self.plot.setYRange(0, counts.max(), padding=0.05)
        else:
            self.bars.setOpts(x=[], height=[], width=1)
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
            "scored picks kept, in all tomograms</span>"
        )
