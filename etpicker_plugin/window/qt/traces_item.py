"""Filaments over a slice: curves, their points, and arrows that say which way."""

from dataclasses import dataclass, field

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt5.QtCore import QPointF, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from etpicker_plugin.window.drawing.sections import IN_PLANE
from etpicker_plugin.window.drawing.traces import Trace, near_slice, runs, thinned
from etpicker_plugin.window.qt.marks import EVERYWHERE

LINE_PX, CHOSEN_PX = 1.8, 2.8
POINT_PX, CHOSEN_POINT_PX = 2.0, 4.0
FAINT, CHOSEN_FAINT = 0.25, 0.5
APART_PX = 7.0
SHADE, SHADE_PX = QColor(0, 0, 0, 90), 1.6
"""Beneath what lies in the slice, wider by so much."""

ARROW_PX, ARROW_SHARE = 11.0, 0.42
LEAST_ARROW_PX = 1.0
"""Where less of a curve is seen in the slice, it has no direction there."""


@dataclass(kw_only=True)
class ShownTraces:
    """Filaments in a view, one of which may be chosen, and of that one a point."""

    traces: list[Trace] = field(default_factory=list)
    axis: int = 0
    index: float = 0.0
    chosen: str | None = None
    point: int | None = None
    clicks: NDArray[np.float64] | None = None
    """Places zyx on a membrane that make no vesicle yet."""


class TracesItem(pg.GraphicsObject):
    """What of the filaments lies near the slice is drawn full, the rest faint.

    Kept as an image until they or the zoom change, as circles are.
    """

    def __init__(self) -> None:
        super().__init__()
        self.shown = ShownTraces()
        self._image: QImage | None = None
        self._drawn_for: tuple[float, ...] = ()

    def show_traces(self, shown: ShownTraces) -> None:
        """Draw these from now on."""
        self.shown, self._image = shown, None
        self.update()

    def boundingRect(self) -> QRectF:
        """Return a rectangle that holds everything."""
        return EVERYWHERE

    def paint(self, painter: QPainter, *_args: object) -> None:
        """Draw what lies in sight."""
        if not self.shown.traces and self.shown.clicks is None:
            return
        box = self.getViewBox()
        sight, size = box.viewRect(), box.size()
        key = (*sight.getRect(), size.width(), size.height())
        if self._image is None or key != self._drawn_for:
            self._image = draw_traces(self.shown, sight, size.toSize())
            self._drawn_for = key
        painter.resetTransform()
        painter.drawImage(0, 0, self._image)


def draw_traces(shown: ShownTraces, sight: QRectF, size: QSize) -> QImage:
    """Return an image of a view's size with the filaments (voxels) in it."""
    image = QImage(size, QImage.Format_ARGB32_Premultiplied)
    image.fill(Qt.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.Antialiasing)
    scale = size.width() / sight.width()

    def to_pixels(places_zyx: NDArray[np.float64]) -> NDArray[np.float64]:
        flat = places_zyx[:, IN_PLANE[shown.axis]]
        return (flat - (sight.left(), sight.bottom())) * (scale, -scale)

    for trace in sorted(shown.traces, key=lambda t: t.name == shown.chosen):
        chosen = trace.name == shown.chosen
        course = trace.course_zyx[thinned(len(trace.course_zyx), scale=scale)]
        near = near_slice(trace, course, axis=shown.axis, index=shown.index)
        pixels = to_pixels(course)
        width = CHOSEN_PX if chosen else LINE_PX
        painter.setOpacity(CHOSEN_FAINT if chosen else FAINT)
        for run in runs(~near):
            _draw_line(painter, pixels[run], QColor(trace.colour), width)
        painter.setOpacity(1.0)
        for run in runs(near):
            _draw_line(painter, pixels[run], SHADE, width + SHADE_PX)
            _draw_line(painter, pixels[run], QColor(trace.colour), width)
        _draw_arrows(painter, pixels, near, trace.colour)
        marks = to_pixels(trace.points_zyx)
        if chosen or _are_apart(marks):
            _draw_points(painter, trace, shown, marks)
    painter.setOpacity(1.0)
    for x, y in [] if shown.clicks is None else to_pixels(shown.clicks).tolist():
        painter.setPen(QPen(QColor("white"), 1.6))
        painter.drawEllipse(QPointF(x, y), CHOSEN_POINT_PX, CHOSEN_POINT_PX)
    painter.end()
    return image


def _draw_line(
    painter: QPainter, pixels: NDArray[np.float64], colour: QColor, width: float
) -> None:
    pen = QPen(colour, width)
    pen.setJoinStyle(Qt.RoundJoin)
    painter.setPen(pen)
    painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in pixels.tolist()]))


def _are_apart(marks: NDArray[np.float64]) -> bool:
    """Return whether a filament's points can be told from each other."""
    steps = np.linalg.norm(np.diff(marks, axis=0), axis=1)
    return len(steps) == 0 or float(np.median(steps)) >= APART_PX


def _draw_arrows(
    painter: QPainter,
    pixels: NDArray[np.float64],
    near: NDArray[np.bool_],
    colour: str,
) -> None:
    """Draw arrow heads at the middle of a curve and at its end, along its order."""
    for place in sorted({len(pixels) // 2, len(pixels) - 1}):
        if place == 0:
            continue
        first = max(place - 1, 0)
        step = pixels[place] - pixels[first]
        length = float(np.hypot(*step))
        if length < LEAST_ARROW_PX:
            continue
        x, y = step / length * ARROW_PX
        tip = pixels[place] + np.array([x, y]) * 0.5
        side = np.array([-y, x]) * ARROW_SHARE
        back = tip - np.array([x, y])
        head = [QPointF(*p) for p in (tip, back + side, back - side)]
        painter.setOpacity(1.0 if near[place] else FAINT)
        painter.setPen(QPen(SHADE, 1.0))
        painter.setBrush(QColor(colour))
        painter.drawPolygon(QPolygonF(head))
        painter.setBrush(Qt.NoBrush)


def _draw_points(
    painter: QPainter, trace: Trace, shown: ShownTraces, pixels: NDArray[np.float64]
) -> None:
    """Draw the points: of a chosen filament large, the chosen one filled."""
    chosen = trace.name == shown.chosen
    near = near_slice(trace, trace.points_zyx, axis=shown.axis, index=shown.index)
    size = CHOSEN_POINT_PX if chosen else POINT_PX
    for (x, y), pick, is_near in zip(
        pixels.tolist(), trace.ids.tolist(), near.tolist(), strict=True
    ):
        if not (is_near or chosen):
            continue
        painter.setOpacity(1.0 if is_near else CHOSEN_FAINT)
        is_point = pick == shown.point
        painter.setPen(QPen(QColor("white" if is_point else trace.colour), 1.6))
        painter.setBrush(QColor(trace.colour) if is_point or not chosen else Qt.black)
        painter.drawEllipse(QPointF(x, y), size, size)
    painter.setBrush(Qt.NoBrush)
