"""What is drawn over a slice: circles, cursor, scale bar, ruler."""

import math

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt5.QtCore import QLineF, QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QPainter, QPen

from etpicker_plugin.window.circles import CircleGroup
from etpicker_plugin.window.style import RULER_COLOUR

MOST_CIRCLES = 8000
"""More in one view would be a carpet that takes seconds to draw."""

EVERYWHERE = QRectF(-1e6, -1e6, 2e6, 2e6)
AT_CENTRE = 0.5


class CirclesItem(pg.GraphicsObject):
    """The circles of the particles that a slice cuts.

    A dot marks those whose centre lies in the slice; negatives are crossed out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._groups: list[CircleGroup] = []
        self.hidden = 0

    def show_groups(self, groups: list[CircleGroup]) -> None:
        """Draw these from now on."""
        self._groups = groups
        self.update()

    def boundingRect(self) -> QRectF:
        """Return a rectangle that holds everything."""
        return EVERYWHERE

    def paint(self, painter: QPainter, *_args: object) -> None:
        """Draw what lies in sight."""
        painter.setRenderHint(QPainter.Antialiasing)
        sight = self.getViewBox().viewRect()
        pixel = self.getViewBox().viewPixelSize()[0]
        self.hidden = 0
        left = MOST_CIRCLES
        for group in self._groups:
            chosen = in_sight(group, sight)
            self.hidden += max(len(chosen) - left, 0)
            chosen = chosen[:left]
            left -= len(chosen)
            self._paint_group(painter, group, chosen, pixel)

    def _paint_group(
        self,
        painter: QPainter,
        group: CircleGroup,
        chosen: NDArray[np.intp],
        pixel: float,
    ) -> None:
        pen = QPen(QColor(group.colour), 3.0 if group.thick else 1.6)
        pen.setCosmetic(True)
        painter.setPen(pen)
        painter.setBrush(Qt.NoBrush)
        dot = 1.5 * pixel
        for i in chosen.tolist():
            x, y = group.centres[i]
            radius = group.radii[i]
            painter.drawEllipse(QPointF(x, y), radius, radius)
            if group.crossed:
                arm = radius * math.sqrt(0.5)
                painter.drawLine(QLineF(x - arm, y - arm, x + arm, y + arm))
                painter.drawLine(QLineF(x - arm, y + arm, x + arm, y - arm))
            elif abs(group.heights[i]) <= AT_CENTRE:
                painter.drawEllipse(QPointF(x, y), dot, dot)


def in_sight(group: CircleGroup, sight: QRectF) -> NDArray[np.intp]:
    """Return the indices of the circles that a rectangle touches."""
    x, y = group.centres.T
    inside = (
        (x + group.radii >= sight.left())
        & (x - group.radii <= sight.right())
        & (y + group.radii >= sight.top())
        & (y - group.radii <= sight.bottom())
    )
    return np.flatnonzero(inside)


def scale_bar_length(width_ang: float) -> float:
    """Return a round length (Å) of 1, 2 or 5 times a power of ten, at most a fifth.

    ``width_ang`` is what is in sight.
    """
    most = max(width_ang / 5, 1e-6)
    power = 10.0 ** math.floor(math.log10(most))
    return max(step * power for step in (1, 2, 5) if step * power <= most)


def format_length(length_ang: float) -> str:
    """Return a length in Å, or in nm from 100 nm on."""
    if length_ang >= 1000:
        return f"{length_ang / 10:g} nm"
    return f"{length_ang:g} Å"


class RulerItem(pg.GraphicsObject):
    """A line between two points, with its length."""

    def __init__(self) -> None:
        super().__init__()
        self._line: QLineF | None = None
        self._text = pg.TextItem("", color=RULER_COLOUR, anchor=(0, 1))
        self._text.setParentItem(self)
        self.hide()

    def measure(
        self, start: tuple[float, float], end: tuple[float, float], text: str
    ) -> None:
        """Show the line from one point to another."""
        self._line = QLineF(*start, *end)
        self._text.setText(text)
        self._text.setPos(*end)
        self.show()
        self.update()

    def boundingRect(self) -> QRectF:
        """Return a rectangle that holds everything."""
        return EVERYWHERE

    def paint(self, painter: QPainter, *_args: object) -> None:
        """Draw the line and its ends."""
        if self._line is None:
            return
        painter.setRenderHint(QPainter.Antialiasing)
        pen = QPen(QColor(RULER_COLOUR), 2.0)
        pen.setCosmetic(True)
        painter.setPen(pen)
        painter.drawLine(self._line)
        pixel = self.getViewBox().viewPixelSize()[0]
        for point in (self._line.p1(), self._line.p2()):
            painter.drawEllipse(point, 3 * pixel, 3 * pixel)
