"""One of the three views: a slice, its circles, and where the mouse is on it."""

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt5.QtGui import QImage, QPainter, QTransform

from etpicker_plugin.window.drawing.circles import ViewCircles
from etpicker_plugin.window.drawing.colours import CURSOR_COLOUR
from etpicker_plugin.window.drawing.sections import IN_PLANE, Sections
from etpicker_plugin.window.drawing.slices import X, Y, Z
from etpicker_plugin.window.drawing.traces import Hit, hit_trace
from etpicker_plugin.window.qt.marks import (
    CirclesItem,
    RulerItem,
    format_length,
    scale_bar_length,
)
from etpicker_plugin.window.qt.renderer import Picture
from etpicker_plugin.window.qt.style import BACKGROUND, TEXT
from etpicker_plugin.window.qt.traces_item import ShownTraces, TracesItem
from etpicker_plugin.window.qt.view_state import ViewState

NAMES = {Z: "xy", Y: "xz", X: "zy"}
AXIS_LETTERS = "zyx"
HALF_PIXEL = QPointF(0.5, 0.5)
"""Qt gives the corner of the pixel that the mouse is on; meant is its middle."""

GRIP_PIXELS = 5
"""A circle is at least this large for the mouse."""

SHADE = "#16181dc0"
PROBABILITY_LUT = np.zeros((256, 4), dtype=np.uint8)
PROBABILITY_LUT[:, 0] = 255
PROBABILITY_LUT[:, 1] = np.linspace(40, 220, 256)
PROBABILITY_LUT[:, 2] = 60
PROBABILITY_LUT[:, 3] = np.linspace(0, 170, 256)
MASK_LUT = np.zeros((256, 4), dtype=np.uint8)
MASK_LUT[:128] = (40, 60, 140, 110)
"""What lies outside a region mask is tinted blue."""


class SliceImage(pg.ImageItem):
    """An image whose pixel *i* is centred at *i*, smooth when made smaller.

    It is kept as it is on the screen until image or zoom change: scaling it takes most
    of the time in which a view is drawn, and the cursor's lines are drawn anew often.
    """

    def __init__(self) -> None:
        super().__init__(axisOrder="row-major")
        self._scaled: QImage | None = None
        self._scaled_for: tuple[object, ...] = ()

    def show_array(self, array: np.ndarray) -> None:
        """Show ``(up, right)`` grey levels."""
        self._scaled = None
        self.setImage(array, autoLevels=False, levels=(0, 255))
        self.setRect(QRectF(-0.5, -0.5, array.shape[1], array.shape[0]))

    def paint(self, painter: QPainter, *args: object) -> None:
        """Draw, averaging neighbours where the screen has fewer pixels."""
        transform, size = painter.transform(), self.getViewBox().size().toSize()
        key = (QTransform(transform), size)
        if self._scaled is None or key != self._scaled_for:
            self._scaled = QImage(size, QImage.Format_ARGB32_Premultiplied)
            self._scaled.fill(Qt.transparent)
            inner = QPainter(self._scaled)
            inner.setTransform(transform)
            inner.setRenderHint(QPainter.SmoothPixmapTransform, True)
            super().paint(inner, *args)
            inner.end()
            self._scaled_for = key
        painter.resetTransform()
        painter.drawImage(0, 0, self._scaled)


class SliceBox(pg.ViewBox):
    """Hands the mouse on to its view."""

    def __init__(self, view: "SliceView") -> None:
        super().__init__(enableMouse=False, enableMenu=False)
        self._view = view

    def mouseClickEvent(self, event: object) -> None:
        """Hand a click on."""
        event.accept()
        self._view.clicked.emit(self._view, event)

    def mouseDragEvent(self, event: object, axis: int | None = None) -> None:
        """Hand a drag on."""
        event.accept()
        self._view.dragged.emit(self._view, event)

    def wheelEvent(self, event: object, axis: int | None = None) -> None:
        """Hand a turn of the wheel on."""
        event.accept()
        self._view.wheeled.emit(self._view, event)

    def hoverEvent(self, event: object) -> None:
        """Tell where the mouse is."""
        if not event.isExit():
            self._view.hovered.emit(self._view, self._view.position_at(event))


class SliceView(pg.GraphicsView):
    """A slice across one axis.

    Signals carry the view, and pyqtgraph's mouse event or a position (zyx).
    """

    clicked = pyqtSignal(object, object)
    dragged = pyqtSignal(object, object)
    wheeled = pyqtSignal(object, object)
    hovered = pyqtSignal(object, object)

    def __init__(self, axis: int, state: ViewState) -> None:
        super().__init__(background=BACKGROUND)
        self.axis, self.state = axis, state
        self.right, self.up = IN_PLANE[axis]
        self.voxel_size = 1.0
        self.index = 0
        self.sections: Sections | None = None
        self.questions: Sections | None = None
        self.setObjectName(f"view_{NAMES[axis]}")
        self.setMinimumSize(120, 90)
        self.box = SliceBox(self)
        self.setCentralItem(self.box)
        self._add_items()
        state.range_changed.connect(self.update_range)
        state.cursor_moved.connect(self.update_cursor)

    def _add_items(self) -> None:
        """Put the layers in: slice, overlays, circles, cursor, ruler."""
        self.image, self.probability, self.mask = (SliceImage() for _ in range(3))
        self.probability.setLookupTable(PROBABILITY_LUT)
        self.mask.setLookupTable(MASK_LUT)
        pen = pg.mkPen(CURSOR_COLOUR, width=1, style=Qt.DashLine)
        self._lines = pg.InfiniteLine(angle=90, pen=pen), pg.InfiniteLine(pen=pen)
        self._lines[1].setAngle(0)
        self.circles, self.highlight = CirclesItem(), CirclesItem()
        self.traces, self.ruler = TracesItem(), RulerItem()
        for line in self._lines:
            line.setOpacity(0.55)
        for item in (
            *(self.image, self.mask, self.probability, *self._lines),
            *(self.traces, self.circles, self.highlight, self.ruler),
        ):
            self.box.addItem(item, ignoreBounds=True)

    # --------------------------- geometry -------------------------------------
    def position_at(self, event: object) -> np.ndarray:
        """Return the position zyx under the mouse; across the view, the slice."""
        return self._to_zyx(event.scenePos())

    def press_position(self, event: object) -> np.ndarray:
        """Return the position zyx at which a drag began."""
        return self._to_zyx(event.buttonDownScenePos())

    def _to_zyx(self, scene_point: QPointF) -> np.ndarray:
        point = self.box.mapSceneToView(QPointF(scene_point) + HALF_PIXEL)
        position = np.zeros(3)
        position[self.axis] = self.index
        position[self.right], position[self.up] = point.x(), point.y()
        return position

    def pixel_of(self, position_zyx: Sequence[float]) -> QPointF:
        """Return the point of the widget where a position is drawn."""
        point = QPointF(position_zyx[self.right], position_zyx[self.up])
        return self.box.mapViewToScene(point)

    def update_range(self) -> None:
        """Show what the shared centre and zoom say."""
        width = self.width() / self.state.scale
        height = self.height() / self.state.scale
        x, y = self.state.centre_zyx[[self.right, self.up]]
        self.box.setRange(
            xRange=(x - width / 2, x + width / 2),
            yRange=(y - height / 2, y + height / 2),
            padding=0,
            disableAutoRange=True,
        )

    def resizeEvent(self, event: object) -> None:
        """Keep zoom and centre when the size changes."""
        super().resizeEvent(event)
        if hasattr(self, "box"):
            self.update_range()

    # --------------------------- content --------------------------------------
    def show_picture(self, picture: Picture) -> None:
        """Show a slice and what lies over it."""
        self.index = picture.index
        for item, array in (
            (self.image, picture.grey),
            (self.probability, picture.probability),
            (self.mask, picture.mask),
        ):
            item.setVisible(array is not None)
            if array is not None:
                item.show_array(array.T if self.axis == X else array)

    def show_circles(self, circles: ViewCircles) -> None:
        """Show the circles, and those to be pointed out."""
        self.sections, self.questions = circles.sections, circles.questions
        self.circles.show_groups(circles.groups)
        self.highlight.show_groups(circles.highlight)
        self.viewport().update()

    def show_traces(self, shown: ShownTraces) -> None:
        """Show the filaments."""
        self.traces.show_traces(shown)

    def pick_at(
        self, position_zyx: Sequence[float], *, rims: bool = True
    ) -> int | None:
        """Return the number of the pick whose circle is there.

        Of a vesicle it is the rim, if ``rims`` count, and the middle.
        """
        return self._nearest(self.sections, position_zyx, rims=rims)

    def rim_at(self, position_zyx: Sequence[float]) -> int | None:
        """Return the number of the vesicle whose rim is there, and not its middle."""
        pick = self.pick_at(position_zyx)
        return None if pick == self.pick_at(position_zyx, rims=False) else pick

    def trace_at(self, position_zyx: Sequence[float]) -> Hit | None:
        """Return the place on a curve that is there."""
        return hit_trace(
            self.traces.shown.traces,
            self._flat(position_zyx),
            axis=self.axis,
            index=self.index,
            slack=GRIP_PIXELS / self.state.scale,
        )

    def question_at(self, position_zyx: Sequence[float]) -> int | None:
        """Return the number of the candidate whose circle is there."""
        return self._nearest(self.questions, position_zyx)

    def _nearest(
        self,
        sections: Sections | None,
        position_zyx: Sequence[float],
        *,
        rims: bool = True,
    ) -> int | None:
        if sections is None:
            return None
        slack = GRIP_PIXELS / self.state.scale
        return sections.nearest(self._flat(position_zyx), slack=slack, rims=rims)

    def _flat(self, position_zyx: Sequence[float]) -> tuple[float, float]:
        return float(position_zyx[self.right]), float(position_zyx[self.up])

    def update_cursor(self) -> None:
        """Draw the lines of the other two slices."""
        cursor = self.state.cursor_zyx
        self._lines[0].setValue(cursor[self.right])
        self._lines[1].setValue(cursor[self.up])

    def drawForeground(self, painter: QPainter, _rect: QRectF) -> None:
        """Draw name and place of the slice, and the scale bar."""
        painter.resetTransform()
        letter = AXIS_LETTERS[self.axis]
        write(painter, QPointF(10, 19), f"{NAMES[self.axis]}   {letter} {self.index}")
        self._draw_scale_bar(painter)

    def _draw_scale_bar(self, painter: QPainter) -> None:
        angstrom_per_pixel = self.voxel_size / self.state.scale
        length = scale_bar_length(self.width() * angstrom_per_pixel)
        pixels = length / angstrom_per_pixel
        bottom = self.height() - 12.0
        painter.fillRect(QRectF(9, bottom - 1, pixels + 2, 6), pg.mkColor(SHADE))
        painter.fillRect(QRectF(10, bottom, pixels, 4), pg.mkColor(TEXT))
        write(painter, QPointF(10, bottom - 7), format_length(length))


def write(painter: QPainter, place: QPointF, text: str) -> None:
    """Write on a dark ground, legible on any slice."""
    metrics = painter.fontMetrics()
    width, height = metrics.horizontalAdvance(text), metrics.ascent()
    ground = QRectF(place.x() - 5, place.y() - height - 2, width + 10, height + 7)
    painter.fillRect(ground, pg.mkColor(SHADE))
    painter.setPen(pg.mkColor(TEXT))
    painter.drawText(place, text)
