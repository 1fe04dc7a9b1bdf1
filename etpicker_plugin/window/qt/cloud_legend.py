"""What the cloud's colours and directions mean, written into its corners."""

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QLinearGradient, QPainter, QPen

from etpicker_plugin.window.drawing.cloud import Cloud
from etpicker_plugin.window.drawing.colours import (
    MARKED_COLOUR,
    SCORE_COLOURS,
    class_colour,
)
from etpicker_plugin.window.qt.style import FAINT, TEXT

MARGIN, ROW = 12.0, 17.0
DOT = 4.0
BAR = 150.0, 8.0
ARM = 24.0
MOST_ROWS = 9
AXIS_COLOURS = ("#ff7b72", "#7ee787", "#79c0ff")
"""Of x, y and z."""


def draw_triad(
    painter: QPainter, rotation: np.ndarray, size_px: tuple[float, float]
) -> None:
    """Draw, in the lower right corner, where x, y and z point; the nearest last."""
    width, height = size_px
    origin = QPointF(width - MARGIN - ARM, height - MARGIN - ARM)
    for axis in np.argsort(rotation[2]).tolist():
        right, up = rotation[:2, axis]
        tip = origin + QPointF(right, -up) * ARM
        painter.setPen(QPen(QColor(AXIS_COLOURS[axis]), 2.0))
        painter.drawLine(origin, tip)
        place = origin + QPointF(right, -up) * (ARM + 8)
        box = QRectF(place.x() - 8, place.y() - 8, 16, 16)
        painter.drawText(box, Qt.AlignCenter, "xyz"[axis])


def draw_legend(
    painter: QPainter,
    cloud: Cloud,
    names: list[str],
    all_names: list[str],
    size_px: tuple[float, float],
    count: str,
) -> None:
    """Draw, in the lower left corner, what the colours stand for; and the count."""
    bottom = size_px[1] - MARGIN
    painter.setPen(QColor(FAINT))
    painter.drawText(QPointF(MARGIN, bottom), count)
    bottom -= ROW
    if cloud.by_score:
        _draw_scores(painter, cloud, bottom)
        return
    for name in reversed(names[:MOST_ROWS]):
        _draw_row(painter, class_colour(name, all_names), name, bottom)
        bottom -= ROW


def _draw_row(painter: QPainter, colour: str, text: str, bottom: float) -> None:
    painter.setPen(Qt.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawEllipse(QPointF(MARGIN + DOT, bottom - DOT), DOT, DOT)
    painter.setBrush(Qt.NoBrush)
    painter.setPen(QColor(TEXT))
    painter.drawText(QPointF(MARGIN + 3.5 * DOT, bottom), text)


def _draw_scores(painter: QPainter, cloud: Cloud, bottom: float) -> None:
    """Draw the bar of colours with the lowest and the highest score."""
    _draw_row(painter, MARKED_COLOUR, "no score", bottom)
    if cloud.scores is None:
        return
    bottom -= ROW
    width, height = BAR
    bar = QRectF(MARGIN, bottom - height, width, height)
    gradient = QLinearGradient(bar.topLeft(), bar.topRight())
    for i, colour in enumerate(SCORE_COLOURS):
        gradient.setColorAt(i / (len(SCORE_COLOURS) - 1), QColor(colour))
    painter.fillRect(bar, gradient)
    painter.setPen(QColor(TEXT))
    above = QRectF(MARGIN, bar.top() - ROW, width, ROW)
    low, high = cloud.scores
    painter.drawText(above, Qt.AlignLeft | Qt.AlignVCenter, f"{low:.2f}")
    painter.drawText(above, Qt.AlignRight | Qt.AlignVCenter, f"{high:.2f}")
    painter.drawText(above, Qt.AlignCenter, "score")
