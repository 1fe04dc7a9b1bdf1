"""Filaments as lines and vesicles as outlines in the cloud of picks."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtCore import QPointF, Qt
from PyQt5.QtGui import QColor, QPainter, QPen, QPolygonF

from etpicker_plugin.window.drawing.cloud import GRIP_PX
from etpicker_plugin.window.drawing.slices import Z
from etpicker_plugin.window.drawing.traces import Trace, runs, thinned

Project = Callable[
    [NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]
]
LINE_PX, CHOSEN_PX = 2.0, 3.6
ARROW_PX, ARROW_SHARE = 10.0, 0.4
SURFACE_OPACITY = 38


def draw_filaments(
    painter: QPainter,
    traces: Sequence[Trace],
    project: Project,
    *,
    chosen: str | None,
    above: bool,
    height: float,
    scale: float,
) -> None:
    """Draw what of the filaments lies above a height along z, or beneath it.

    ``scale`` is pixels per voxel.
    """
    for trace in traces:
        course = trace.course_zyx[thinned(len(trace.course_zyx), scale=scale)]
        pixels, _ = project(course)
        pen = QPen(QColor(trace.colour), CHOSEN_PX if trace.name == chosen else LINE_PX)
        pen.setJoinStyle(Qt.RoundJoin)
        painter.setPen(pen)
        is_above = course[:, Z] >= height
        for run in runs(is_above if above else ~is_above):
            line = [QPointF(x, y) for x, y in pixels[run].tolist()]
            painter.drawPolyline(QPolygonF(line))
        if is_above[-1] == above:
            _draw_arrow(painter, pixels, trace.colour)


def _draw_arrow(painter: QPainter, pixels: NDArray[np.float64], colour: str) -> None:
    """Draw the head that says which way a filament goes."""
    step = pixels[-1] - pixels[-min(2, len(pixels))]
    length = float(np.hypot(*step))
    if length < 1:
        return
    x, y = step / length * ARROW_PX
    tip = pixels[-1] + (x / 2, y / 2)
    side = np.array([-y, x]) * ARROW_SHARE
    head = [tip, tip - (x, y) + side, tip - (x, y) - side]
    painter.setPen(Qt.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawPolygon(QPolygonF([QPointF(*p) for p in head]))
    painter.setBrush(Qt.NoBrush)


def draw_vesicles(
    painter: QPainter,
    centres_px: NDArray[np.float64],
    radii_px: NDArray[np.float64],
    colours: Sequence[str],
) -> None:
    """Draw spheres as they are seen: a circle each, filled so that one sees through."""
    for (x, y), radius, colour in zip(
        centres_px.tolist(), radii_px.tolist(), colours, strict=True
    ):
        surface = QColor(colour)
        painter.setPen(QPen(surface, LINE_PX))
        surface.setAlpha(SURFACE_OPACITY)
        painter.setBrush(surface)
        painter.drawEllipse(QPointF(x, y), radius, radius)
    painter.setBrush(Qt.NoBrush)


def filament_at(
    point: QPointF, traces: Sequence[Trace], project: Project
) -> tuple[str, NDArray[np.float64]] | None:
    """Return the filament drawn at a point, and the place zyx on it."""
    best, found = GRIP_PX + LINE_PX, None
    for trace in traces:
        pixels, _ = project(trace.course_zyx)
        distances = np.hypot(*(pixels - (point.x(), point.y())).T)
        row = int(np.argmin(distances))
        if distances[row] <= best:
            best, found = float(distances[row]), (trace.name, trace.course_zyx[row])
    return found
