"""The cut-off of the live picker's candidates: a line to drag, and how sure it is."""

import html

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

from etpicker_plugin.window.drawing.colours import class_colour
from etpicker_plugin.window.live.events import CutOff
from etpicker_plugin.window.live.picker import LivePicker
from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.score_plot import ScorePlot

BAND = (122, 162, 247, 70)


class LiveCutOff(QGroupBox):
    """The scores of a class's candidates, with the cut-off and how sure it is."""

    changed = pyqtSignal()

    def __init__(self, editor: Editor, picker: LivePicker) -> None:
        super().__init__()
        self.editor, self.picker = editor, picker
        self.plot = ScorePlot()
        self.band = pg.LinearRegionItem(movable=False, brush=BAND, pen=pg.mkPen(None))
        self.band.setZValue(-10)
        self.plot.addItem(self.band, ignoreBounds=True)
        self.count = words()
        self.cut = QDoubleSpinBox(decimals=3, singleStep=0.01, minimum=-1e6)
        self.cut.setKeyboardTracking(False)
        self.automatic = QPushButton("Automatic")
        self.automatic.setToolTip("Follow the live picker's own cut-off again.")
        self.sure = words(faint=True)
        self.sure.setToolTip("Within the band it might as well lie elsewhere.")
        column = QVBoxLayout(self)
        column.addWidget(self.plot)
        column.addWidget(self.count)
        row = QHBoxLayout()
        self.label = QLabel("cut-off")
        row.addWidget(self.label)
        row.addWidget(self.cut, stretch=1)
        row.addWidget(self.automatic)
        column.addLayout(row)
        column.addWidget(self.sure)
        self.plot.line.sigPositionChanged.connect(lambda line: self._set(line.value()))
        self.cut.valueChanged.connect(self._set)
        self.automatic.clicked.connect(self._follow)

    def refresh(self) -> None:
        """Draw the current class's scores and cut-off."""
        name, session = self.editor.current_class, self.editor.session
        scores, known = self.picker.scores(name), self.picker.cut_offs.get(name)
        has_any = len(scores) > 0 and known is not None
        self.setTitle(f"Candidates of {name}")
        self.plot.show_scores(
            scores, colour=class_colour(name, session.classes.names()), models=None
        )
        self.plot.say("" if has_any else f"Click a {name}.")
        self.band.setVisible(has_any)
        for widget in (self.label, self.cut, self.automatic, self.count, self.sure):
            widget.setVisible(has_any)
        self._show_count(name)
        self._show_cut(name, known)

    def _show_count(self, name: str) -> None:
        picker, session = self.picker, self.editor.session
        here = picker.count([self.editor.document], name)
        text = f"<b>{here:,}</b> in this tomogram"
        if len(session.documents) > 1:
            text += f" · <b>{picker.count(session.documents, name):,}</b> in all"
        self.count.setText(text)

    def _show_cut(self, name: str, known: CutOff | None) -> None:
        cut = self.picker.cut_off(name)
        if known is None or not np.isfinite(cut):
            self.sure.clear()
            return
        for widget in (self.plot.line, self.cut):
            widget.blockSignals(True)
            widget.setValue(cut)
            widget.blockSignals(False)
        self.band.setRegion((known.least, known.most))
        own = name in self.picker.own_cut_offs
        self.automatic.setEnabled(own)
        self.sure.setText(
            f"{'yours; ' if own else ''}automatic {known.score:.2f}, uncertain from "
            f"{known.least:.2f} to {known.most:.2f}"
        )

    def _set(self, score: float) -> None:
        self.picker.own_cut_offs[self.editor.current_class] = float(score)
        self.changed.emit()

    def _follow(self) -> None:
        self.picker.own_cut_offs.pop(self.editor.current_class, None)
        self.changed.emit()


def words(text: str = "", *, faint: bool = False) -> QLabel:
    """Return a text that takes as many lines as it needs."""
    label = QLabel(html.escape(text))
    label.setWordWrap(True)
    if faint:
        label.setProperty("faint", True)
    return label
