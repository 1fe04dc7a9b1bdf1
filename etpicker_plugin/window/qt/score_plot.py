"""The histogram of scores, with the cut-off and the model's threshold as lines."""

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray

from etpicker_plugin.window.qt.style import BACKGROUND, FAINT, TEXT, WARNING

BINS = 60
HEIGHT = 150
LEFT_AXIS = 34


class ScorePlot(pg.PlotWidget):
    """Bars; a line to drag; a dashed one that stays."""

    def __init__(self) -> None:
        super().__init__(background=BACKGROUND)
        self.setFixedHeight(HEIGHT)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setMenuEnabled(False)
        self.getAxis("left").setWidth(LEFT_AXIS)
        self.bars = pg.BarGraphItem(x=[], height=[], width=1)
        self.models = pg.InfiniteLine(
            pen=pg.mkPen(WARNING, width=1.5, dash=[4, 3]),
            label="model",
            labelOpts={"position": 0.9, "color": WARNING, "fill": BACKGROUND},
        )
        self.line = pg.InfiniteLine(movable=True, pen=pg.mkPen(TEXT, width=2))
        self.line.setHoverPen(pg.mkPen("w", width=3))
        self.text = pg.TextItem("", color=FAINT, anchor=(0.5, 0.5))
        # The line that is dragged would cross out the label of the other one.
        for item in (self.bars, self.line, self.models, self.text):
            self.addItem(item, ignoreBounds=True)

    def show_scores(
        self, scores: NDArray[np.float64], *, colour: str, models: float | None
    ) -> None:
        """Draw the scores of a class, and the model's threshold if it is known."""
        self.models.setVisible(models is not None)
        self.models.setValue(models or 0.0)
        if len(scores) == 0:
            self.bars.setOpts(x=[], height=[], width=1)
            return
        counts, edges = np.histogram(scores, bins=BINS)
        self.bars.setOpts(
            x=(edges[1:] + edges[:-1]) / 2,
            height=counts,
            width=(edges[1] - edges[0]) * 0.9,
            brush=colour,
            pen=colour,
        )
        ends = [edges[0], edges[-1], *([] if models is None else [models])]
        self.setXRange(min(ends), max(ends), padding=0.03)
        self.setYRange(0, counts.max(), padding=0.05)

    def say(self, text: str) -> None:
        """Write in the middle why there is nothing to draw; nothing to hide it."""
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.line.setVisible(not text)
        for axis in ("left", "bottom"):
            self.getAxis(axis).setVisible(not text)
        if text:
            self.models.hide()
            self.setRange(xRange=(0, 1), yRange=(0, 1), padding=0)
            self.text.setPos(0.5, 0.5)
