"""The chosen filament straightened, or the selected vesicle unrolled, in a low pane."""

from dataclasses import dataclass

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, QSize, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QColor, QImage, QMouseEvent, QPainter, QPen
from PyQt5.QtWidgets import QWidget

from etpicker_plugin.window.aids.strips import (
    Strip,
    along_filament,
    round_vesicle,
    shell_of_vesicle,
)
from etpicker_plugin.window.drawing.colours import CURSOR_COLOUR, class_colour
from etpicker_plugin.window.drawing.slices import Look, to_grey
from etpicker_plugin.window.qt.drawn import Drawn
from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.marks import format_length
from etpicker_plugin.window.qt.newest import Newest
from etpicker_plugin.window.qt.slice_view import write
from etpicker_plugin.window.qt.style import BACKGROUND, FAINT, TEXT
from etpicker_plugin.window.qt.view_state import ViewState

HEIGHT = 236
MOST_SCALE = 4.0
CAPTION_PX, GAP_PX, TICK_PX = 20, 5, 5
UNTIL_MADE_MS = 120
NOTHING = "Choose a filament to see it straightened, or a vesicle to see it unrolled."


@dataclass(kw_only=True)
class Placed:
    """A strip and where in the pane it is drawn, in pixels."""

    strip: Strip
    image: QImage
    place: QRectF


@dataclass(frozen=True, kw_only=True)
class Made:
    """Pictures, and what to say of them."""

    caption: str
    strips: tuple[Strip, ...] = ()
    colour: str = TEXT


class StripView(QWidget):
    """Sections along or round what is chosen; a click puts the cursor there."""

    jumped = pyqtSignal(object)

    def __init__(self, editor: Editor, state: ViewState, drawn: Drawn) -> None:
        super().__init__()
        self.setObjectName("strip")
        self.editor, self.state = editor, state
        self.filaments, self.vesicles = drawn.filaments, drawn.vesicles
        self.look = Look()
        self.strips: tuple[Strip, ...] = ()
        self.caption, self.colour = NOTHING, TEXT
        self._placed: list[Placed] = []
        self._maker = Newest()
        self._maker.made.connect(self._show)
        self._maker.failed.connect(editor.failed)
        self._soon = QTimer(self, singleShot=True, interval=UNTIL_MADE_MS)
        self._soon.timeout.connect(self._make)
        self.setFixedHeight(HEIGHT)
        self.hide()
        editor.changed.connect(self._wait)
        state.cursor_moved.connect(self.update)

    def show_look(self, look: Look) -> None:
        """Show the pictures as the slices are shown."""
        self.look = look
        self._lay_out()

    def is_made(self) -> bool:
        """Return whether what is shown is what is chosen now."""
        return not self._soon.isActive() and self._maker.is_idle()

    def sizeHint(self) -> QSize:
        """Return a low size."""
        return QSize(400, HEIGHT)

    # --------------------------- what is shown --------------------------------
    def _wait(self) -> None:
        """Make the pictures soon: a drag changes much."""
        if self.isVisible():
            self._soon.start()

    def showEvent(self, event: object) -> None:
        """Catch up with what happened meanwhile."""
        super().showEvent(event)
        self._make()

    def _make(self) -> None:
        """Have the pictures made of what is chosen; they come when they are ready."""
        chosen, vesicle = self.filaments.chosen(), self.vesicles.selected()
        if chosen is not None:
            self._straighten(chosen.class_name, chosen.ids)
        elif vesicle is not None:
            self._unroll(vesicle)
        else:
            self._maker.ask(lambda: Made(caption=NOTHING))

    def _show(self, made: Made) -> None:
        self.strips, self.caption, self.colour = made.strips, made.caption, made.colour
        self._lay_out()

    def _straighten(self, class_name: str, ids: np.ndarray) -> None:
        document, classes = self.editor.document, self.editor.session.classes
        volume = document.volume
        points = document.annotation.positions_zyx[ids]
        points = points[np.append(True, np.diff(points, axis=0).any(axis=1))]
        if len(points) < 2:
            self._maker.ask(lambda: Made(caption="One point makes no filament yet."))
            return
        width = classes[class_name].diameter_ang / volume.voxel_size
        colour = class_colour(class_name, classes.names())

        def make() -> Made:
            strips = along_filament(volume, points, width_vox=width)
            steps = np.diff(strips[0].columns_zyx, axis=0)
            length = np.linalg.norm(steps, axis=1).sum() * volume.voxel_size
            caption = f"{class_name}, {len(ids)} points, {_rounded(length)}"
            return Made(strips=strips, caption=caption, colour=colour)

        self._maker.ask(make)

    def _unroll(self, pick: int) -> None:
        document, classes = self.editor.document, self.editor.session.classes
        annotation, volume = document.annotation, document.volume
        name, centre = annotation.class_of(pick), annotation.positions_zyx[pick].copy()
        radius = float(document.radii_vox(classes, np.array([pick]))[0])
        colour = class_colour(name, classes.names())

        def make() -> Made:
            strips = round_vesicle(volume, centre, radius_vox=radius)
            if volume.shape_zyx[0] > 1:
                strips += (shell_of_vesicle(volume, centre, radius_vox=radius),)
            caption = f"{name}, radius {_rounded(radius * volume.voxel_size)}"
            return Made(strips=strips, caption=caption, colour=colour)

        self._maker.ask(make)

    def stop(self) -> None:
        """End the thread that makes the pictures."""
        self._maker.stop()

    def _lay_out(self) -> None:
        """Place the sections, and a shell to their right."""
        sections = [s for s in self.strips if s.guides]
        shells = [s for s in self.strips if not s.guides]
        height = self.height() - CAPTION_PX
        width = self.width() - 2 * GAP_PX
        self._placed = []
        room = width
        for strip in shells:
            rows, columns = strip.values.shape
            scale = min((height - GAP_PX) / rows, width / 2 / columns)
            room = width - scale * columns - GAP_PX
            place = QRectF(room + 2 * GAP_PX, CAPTION_PX, scale * columns, scale * rows)
            self._placed.append(self._image(strip, place))
        self._placed += self._place_sections(sections, room, height)
        self.update()

    def _place_sections(
        self, sections: list[Strip], width: float, height: float
    ) -> list[Placed]:
        """Place sections one below the other, or beside it where they are larger so."""
        if not sections:
            return []
        rows = max(s.values.shape[0] for s in sections)
        columns = max(s.values.shape[1] for s in sections)
        n = len(sections)
        below = min(width / columns, (height / n - GAP_PX) / rows, MOST_SCALE)
        beside = min((width / n - GAP_PX) / columns, height / rows, MOST_SCALE)
        scale = max(below, beside)
        right = scale * columns + GAP_PX if beside > below else 0.0
        down = 0.0 if beside > below else scale * rows + GAP_PX
        return [
            self._image(
                strip,
                QRectF(
                    GAP_PX + i * right,
                    CAPTION_PX + i * down,
                    scale * strip.values.shape[1],
                    scale * strip.values.shape[0],
                ),
            )
            for i, strip in enumerate(sections)
        ]

    def _image(self, strip: Strip, place: QRectF) -> Placed:
        grey = np.ascontiguousarray(to_grey(strip.values, self.look)[::-1])
        height, width = grey.shape
        image = QImage(
            grey.tobytes(), width, height, width, QImage.Format_Grayscale8
        ).copy()
        return Placed(strip=strip, image=image, place=place)

    def resizeEvent(self, event: object) -> None:
        """Place them anew."""
        super().resizeEvent(event)
        self._lay_out()

    # --------------------------- drawing --------------------------------------
    def paintEvent(self, _event: object) -> None:
        """Draw caption, sections, the lines that should be met, and the cursor."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(BACKGROUND))
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setRenderHint(QPainter.SmoothPixmapTransform)
        painter.setPen(QColor(self.colour if self.strips else FAINT))
        painter.drawText(QPointF(10, CAPTION_PX - 6), self.caption)
        for one in self._placed:
            painter.drawImage(one.place, one.image)
            self._draw_guides(painter, one)
            self._draw_cursor(painter, one)
            write(painter, one.place.topLeft() + QPointF(10, 17), one.strip.name)
        painter.end()

    def _draw_guides(self, painter: QPainter, one: Placed) -> None:
        place = one.place
        scale = place.width() / one.strip.values.shape[1]
        pen = QPen(QColor(self.colour), 1.0, Qt.DashLine)
        painter.setPen(pen)
        for row in one.strip.guides:
            y = place.bottom() - (row + 0.5) * scale
            painter.drawLine(QPointF(place.left(), y), QPointF(place.right(), y))
        painter.setPen(QPen(QColor(self.colour), 1.6))
        for column in one.strip.ticks:
            x = place.left() + (column + 0.5) * scale
            for end, towards in ((place.top(), 1), (place.bottom(), -1)):
                painter.drawLine(QPointF(x, end), QPointF(x, end + towards * TICK_PX))

    def _draw_cursor(self, painter: QPainter, one: Placed) -> None:
        """Mark the column that is nearest to the cursor."""
        apart = one.strip.columns_zyx - np.asarray(self.state.cursor_zyx, float)
        column = int(np.linalg.norm(apart, axis=1).argmin())
        x = one.place.left() + (column + 0.5) * one.place.width() / len(apart)
        painter.setPen(QPen(QColor(CURSOR_COLOUR), 1.0))
        painter.drawLine(QPointF(x, one.place.top()), QPointF(x, one.place.bottom()))

    def place_at(self, point: QPointF) -> np.ndarray | None:
        """Return the place zyx of the column at a point of the pane."""
        for one in self._placed:
            if one.place.contains(point):
                columns = one.strip.columns_zyx
                share = (point.x() - one.place.left()) / one.place.width()
                return columns[min(int(share * len(columns)), len(columns) - 1)]
        return None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the place of a click."""
        place = self.place_at(QPointF(event.pos()))
        if place is not None:
            self.jumped.emit(place)


def _rounded(length_ang: float) -> str:
    """Return a length to three digits."""
    return format_length(float(f"{length_ang:.3g}"))
