"""What is drawn over a slice: circles, cursor, scale bar, ruler."""

import math

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt5.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QImage, QPainter, QPen

from etpicker_plugin.window.drawing.circles import CircleGroup
from etpicker_plugin.window.drawing.colours import RULER_COLOUR
from etpicker_plugin.window.drawing.rings import INKED, count_dashes, stamp_rings

MANY, MANY_DASHED = 500, 150
"""From so many circles on they are stamped, to whole pixels."""

MOST_RING_PIXELS = 2_000_000
"""More would cover the picture, and take long: a crowd is drawn as dots."""

EVERYWHERE = QRectF(-1e6, -1e6, 2e6, 2e6)
AT_CENTRE = 0.5
LINE_PX, THICK_LINE_PX, DOT_PX = 1.6, 3.0, 1.5
SHADE, SHADE_PX = QColor(0, 0, 0, 70), 1.4
"""Beneath dashes, wider by so much: in the gaps of noise they would be lost."""


class CirclesItem(pg.GraphicsObject):
    """The circles of the particles that a slice cuts.

    A dot marks those whose centre lies in the slice; negatives are crossed out. The
    circles are kept as an image until they or the zoom change: while the cursor moves
    a view is drawn often.

    Attributes
    ----------
    groups
        What is drawn, by look.
    """

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[CircleGroup] = []
        self._image: QImage | None = None
        self._drawn_for: tuple[float, ...] = ()

    def show_groups(self, groups: list[CircleGroup]) -> None:
        """Draw these from now on."""
        self.groups, self._image = groups, None
        self.update()

    def boundingRect(self) -> QRectF:
        """Return a rectangle that holds everything."""
        return EVERYWHERE

    def paint(self, painter: QPainter, *_args: object) -> None:
        """Draw what lies in sight."""
        if not any(len(group.radii) for group in self.groups):
            return
        box = self.getViewBox()
        sight, size = box.viewRect(), box.size()
        key = (*sight.getRect(), size.width(), size.height())
        if self._image is None or key != self._drawn_for:
            self._image = draw_circles(self.groups, sight, size.toSize())
            self._drawn_for = key
        painter.resetTransform()
        painter.drawImage(0, 0, self._image)


def draw_circles(groups: list[CircleGroup], sight: QRectF, size: QSize) -> QImage:
    """Return an image of a view's size with the circles in sight (voxels)."""
    image = QImage(size, QImage.Format_ARGB32_Premultiplied)
    image.fill(Qt.transparent)
    scale = size.width() / sight.width()
    for group in groups:
        seen = in_sight(group, sight)
        x = (group.centres[seen, 0] - sight.left()) * scale
        y = (sight.bottom() - group.centres[seen, 1]) * scale
        centres, radii = np.stack([x, y], axis=1), group.radii[seen] * scale
        if len(seen) < (MANY_DASHED if group.dashed else MANY):
            at_centre = np.abs(group.heights[seen]) <= AT_CENTRE
            _paint_circles(image, group, centres, radii, at_centre)
        else:
            _stamp_circles(image, group, centres, radii)
    return image


def _stamp_circles(
    image: QImage,
    group: CircleGroup,
    centres: NDArray[np.float64],
    radii: NDArray[np.float64],
) -> None:
    """Lay many circles over the image."""
    height, width = image.height(), image.width()
    alpha = np.zeros((height, width), dtype=np.uint8)
    stamp_rings(
        alpha,
        centres - 0.5,
        crowd_radii(radii),
        width_px=LINE_PX,
        dashed=group.dashed,
    )
    colour = QColor(group.colour)
    pixels = np.empty((height, width, 4), dtype=np.uint8)
    for channel, value in enumerate((colour.blue(), colour.green(), colour.red(), 255)):
        pixels[..., channel] = (alpha.astype(np.uint16) * value) // 255
    layer = QImage(
        pixels.tobytes(), width, height, 4 * width, QImage.Format_ARGB32_Premultiplied
    )
    painter = QPainter(image)
    painter.drawImage(0, 0, layer)
    painter.end()


def _paint_circles(
    image: QImage,
    group: CircleGroup,
    centres: NDArray[np.float64],
    radii: NDArray[np.float64],
    at_centre: NDArray[np.bool_],
) -> None:
    """Draw a few circles, with their centres, or crossed out."""
    painter = QPainter(image)
    painter.setRenderHint(QPainter.Antialiasing)
    width = THICK_LINE_PX if group.thick else LINE_PX
    pen = QPen(QColor(group.colour), width)
    for (x, y), radius, dotted in zip(
        centres.tolist(), radii.tolist(), at_centre.tolist(), strict=True
    ):
        if group.dashed:
            painter.setPen(QPen(SHADE, width + SHADE_PX))
            painter.drawEllipse(QPointF(x, y), radius, radius)
        painter.setPen(_dashed(pen, radius) if group.dashed else pen)
        painter.drawEllipse(QPointF(x, y), radius, radius)
        painter.setPen(pen)
        if group.crossed:
            arm = radius * math.sqrt(0.5)
            painter.drawLine(QLineF(x - arm, y - arm, x + arm, y + arm))
            painter.drawLine(QLineF(x - arm, y + arm, x + arm, y - arm))
        elif dotted:
            painter.drawEllipse(QPointF(x, y), DOT_PX, DOT_PX)
    painter.end()


def _dashed(pen: QPen, radius_px: float) -> QPen:
    """Return the pen with dashes that close evenly round a circle."""
    period = 2 * math.pi * radius_px / count_dashes(radius_px) / pen.widthF()
    dashed = QPen(pen)
    dashed.setCapStyle(Qt.FlatCap)
    dashed.setDashPattern([INKED * period, (1 - INKED) * period])
    return dashed


def crowd_radii(radii_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the radii as they are, or a dot's for all if they are a crowd."""
    pixels = 2 * math.pi * LINE_PX * radii_px.sum()
    return radii_px if pixels <= MOST_RING_PIXELS else np.full_like(radii_px, DOT_PX)


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
