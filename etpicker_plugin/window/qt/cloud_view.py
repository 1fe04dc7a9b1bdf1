"""The picks in space: drag turns them, the wheel zooms, a click jumps to a pick."""

import numpy as np
from PyQt5.QtCore import QPoint, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPen,
    QPolygonF,
    QWheelEvent,
)
from PyQt5.QtWidgets import QWidget

from etpicker_plugin.engine.kinds import VESICLE
from etpicker_plugin.window.drawing.camera import (
    ALONG,
    EDGES,
    SLANTED,
    Camera,
    box_corners,
    pixels_per_voxel,
    project,
    slice_corners,
)
from etpicker_plugin.window.drawing.cloud import (
    Cloud,
    ball_at,
    ball_radii,
    cloud_of,
    depth_steps,
    stamp_balls,
)
from etpicker_plugin.window.drawing.colours import CURSOR_COLOUR
from etpicker_plugin.window.drawing.slices import Z
from etpicker_plugin.window.drawing.traces import Trace
from etpicker_plugin.window.qt.cloud_curves import (
    draw_filaments,
    draw_vesicles,
    filament_at,
)
from etpicker_plugin.window.qt.cloud_legend import draw_legend, draw_triad
from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.style import BACKGROUND, FAINT, LINE
from etpicker_plugin.window.qt.view_state import ViewState

ZOOM_PER_NOTCH = 1.15
WHEEL_NOTCH = 120
CLICK_SLACK_PX = 3
PLANE_OPACITY = 46
RING_GAP_PX = 3.5


class CloudView(QWidget):
    """The box of the open tomogram, the xy slice in it, and a ball for each pick.

    Filaments are curves there, and vesicles as large as they are.
    """

    jumped = pyqtSignal(int)
    filament_chosen = pyqtSignal(str, object)

    def __init__(self, editor: Editor, state: ViewState) -> None:
        super().__init__()
        self.setObjectName("cloud")
        self.editor, self.state = editor, state
        self.traces: list[Trace] = []
        self.chosen: str | None = None
        self.camera = Camera(rotation=SLANTED)
        self.by_score = False
        self.cloud: Cloud | None = None
        self._pressed: QPoint | None = None
        self._last: QPoint | None = None
        self.setMinimumSize(60, 60)
        editor.changed.connect(self.forget)
        state.cursor_moved.connect(self.update)

    # --------------------------- what is shown --------------------------------
    def forget(self) -> None:
        """Collect the picks anew when they are drawn next."""
        self.cloud = None
        self.update()

    def show_filaments(self, traces: list[Trace], chosen: str | None) -> None:
        """Show these filaments, one of which is chosen."""
        self.traces, self.chosen = traces, chosen
        self.forget()

    def colour_by(self, what: str) -> None:
        """Let colours stand for ``class`` or ``score``."""
        self.by_score = what == "score"
        self.forget()

    def look_along(self, axis: int | None) -> None:
        """Show it as a slice across an axis lies; ``None`` for the view at first."""
        rotation = SLANTED if axis is None else ALONG[axis]
        self.camera = Camera(rotation=rotation)
        self.update()

    def shape_zyx(self) -> tuple[int, int, int]:
        """Return the size of the open tomogram."""
        return self.editor.document.volume.shape_zyx

    def size_px(self) -> tuple[float, float]:
        """Return width and height."""
        return float(self.width()), float(self.height())

    def pixel_of(self, position_zyx: object) -> QPointF:
        """Return the point of the widget where a position is drawn."""
        (pixel,), _ = self._project(position_zyx)
        return QPointF(*pixel)

    def pick_at(self, point: QPointF) -> int | None:
        """Return the number of the pick that is drawn at a point."""
        cloud = self._collect()
        pixels, depths = self._project(cloud.positions_zyx)
        row = ball_at((point.x(), point.y()), pixels, self._radii(cloud, 1.0), depths)
        return None if row is None else int(cloud.ids[row])

    def _collect(self) -> Cloud:
        if self.cloud is None:
            self.cloud = cloud_of(
                self.editor.document,
                self.editor.session.classes,
                hidden=self.editor.hidden,
                by_score=self.by_score,
            )
        return self.cloud

    def _project(self, points_zyx: object) -> tuple[np.ndarray, np.ndarray]:
        return project(
            points_zyx, self.camera, shape_zyx=self.shape_zyx(), size_px=self.size_px()
        )

    def _radii(self, cloud: Cloud, detail: float) -> np.ndarray:
        scale = pixels_per_voxel(self.camera, self.shape_zyx(), self.size_px())
        return ball_radii(cloud.radii_vox, scale=scale, detail=detail)

    # --------------------------- drawing --------------------------------------
    def sizeHint(self) -> QSize:
        """Return a small size: it takes what there is."""
        return QSize(300, 300)

    def paintEvent(self, _event: object) -> None:
        """Draw from back to front: far edges, far picks, slice, near picks, edges.

        Of picks the vesicles come first, which one sees through, and curves last.
        """
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(BACKGROUND))
        painter.setRenderHint(QPainter.Antialiasing)
        cloud = self._collect()
        pixels, depths = self._project(cloud.positions_zyx)
        beneath = cloud.positions_zyx[:, Z] < self.state.cursor_zyx[Z]
        from_above = self.camera.rotation[2, 2] >= 0
        far = beneath if from_above else ~beneath
        self._draw_edges(painter, near=False)
        for is_far in (True, False):
            part = far if is_far else ~far
            self._draw_vesicles(painter, cloud, pixels, part)
            self._draw_balls(painter, cloud, pixels, depths, part)
            draw_filaments(
                painter,
                self.traces,
                self._project,
                chosen=self.chosen,
                above=from_above != is_far,
                height=self.state.cursor_zyx[Z],
                scale=pixels_per_voxel(self.camera, self.shape_zyx(), self.size_px()),
            )
            if is_far:
                self._draw_slice(painter)
        self._draw_edges(painter, near=True)
        self._draw_selected(painter, cloud)
        draw_triad(painter, self.camera.rotation, self.size_px())
        names = self.editor.session.classes.names()
        shown = [name for name in names if name not in self.editor.hidden]
        count = f"{len(cloud.ids):,} picks"
        if self.traces:
            count += f", {len(self.traces):,} filaments"
        draw_legend(painter, cloud, shown, names, self.size_px(), count)
        painter.end()

    def _draw_edges(self, painter: QPainter, *, near: bool) -> None:
        """Draw the edges that meet at the farthest corner, or the others."""
        pixels, depths = self._project(box_corners(self.shape_zyx()))
        farthest = int(np.argmin(depths))
        painter.setPen(QPen(QColor(FAINT if near else LINE), 1.0))
        for a, b in EDGES:
            if near != (farthest in (a, b)):
                painter.drawLine(QPointF(*pixels[a]), QPointF(*pixels[b]))

    def _draw_slice(self, painter: QPainter) -> None:
        """Draw the xy slice that is shown, as a pane."""
        index = self.state.cursor_zyx[Z]
        pixels, _ = self._project(slice_corners(Z, index, self.shape_zyx()))
        pane = QColor(CURSOR_COLOUR)
        painter.setPen(QPen(pane, 1.2))
        pane.setAlpha(PLANE_OPACITY)
        painter.setBrush(pane)
        painter.drawPolygon(QPolygonF([QPointF(*pixel) for pixel in pixels]))
        painter.setBrush(Qt.NoBrush)

    def _draw_vesicles(
        self, painter: QPainter, cloud: Cloud, pixels: np.ndarray, chosen: np.ndarray
    ) -> None:
        classes, annotation = self.editor.session.classes, self.editor.annotation
        kinds = [classes.kind_of(name) for name in annotation.class_names]
        of_vesicle = np.array([k == VESICLE for k in kinds] or [False])
        rows = np.flatnonzero(chosen & of_vesicle[annotation.codes[cloud.ids]])
        scale = pixels_per_voxel(self.camera, self.shape_zyx(), self.size_px())
        colours = [QColor(*cloud.palette[c]).name() for c in cloud.colours[rows]]
        draw_vesicles(painter, pixels[rows], cloud.radii_vox[rows] * scale, colours)

    def _draw_balls(
        self,
        painter: QPainter,
        cloud: Cloud,
        pixels: np.ndarray,
        depths: np.ndarray,
        chosen: np.ndarray,
    ) -> None:
        detail = self.devicePixelRatioF()
        width, height = (round(n * detail) for n in self.size_px())
        radii = self._radii(cloud, detail)
        rows = np.flatnonzero(chosen)
        order = rows[np.argsort(depths[rows], kind="stable")]
        image = np.zeros((height, width), dtype=np.uint32)
        stamp_balls(
            image,
            pixels[order] * detail,
            radii[order],
            depth_steps(depths[order], shape_zyx=self.shape_zyx()),
            cloud.colours[order],
            cloud.palette,
        )
        layer = QImage(
            image.data, width, height, 4 * width, QImage.Format_ARGB32_Premultiplied
        )
        painter.drawImage(QRectF(self.rect()), layer)

    def _draw_selected(self, painter: QPainter, cloud: Cloud) -> None:
        """Draw a ring round the selected pick."""
        rows = np.flatnonzero(cloud.ids == self.editor.selected)
        if len(rows):
            radius = float(self._radii(cloud, 1.0)[rows[0]]) + RING_GAP_PX
            painter.setPen(QPen(Qt.white, 2.0))
            painter.drawEllipse(
                self.pixel_of(cloud.positions_zyx[rows[0]]), radius, radius
            )

    # --------------------------- mouse ----------------------------------------
    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag or a click."""
        self._pressed = self._last = event.pos()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Turn with the left button, move with another."""
        if self._last is None:
            return
        shift = event.pos() - self._last
        self._last = event.pos()
        move = event.buttons() & (Qt.RightButton | Qt.MiddleButton)
        moved = self.camera.moved if move else self.camera.turned
        self.camera = moved(shift.x(), shift.y())
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Jump to the pick or the filament under a click."""
        pressed, self._pressed, self._last = self._pressed, None, None
        if pressed is None or event.button() != Qt.LeftButton:
            return
        if (event.pos() - pressed).manhattanLength() <= CLICK_SLACK_PX:
            pick = self.pick_at(QPointF(event.pos()))
            if pick is not None:
                self.jumped.emit(pick)
                return
            found = filament_at(QPointF(event.pos()), self.traces, self._project)
            if found is not None:
                self.filament_chosen.emit(*found)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the mouse."""
        notches = event.angleDelta().y() / WHEEL_NOTCH
        place = event.position() - QPointF(self.width() / 2, self.height() / 2)
        self.camera = self.camera.zoomed(
            ZOOM_PER_NOTCH**notches, (place.x(), place.y())
        )
        self.update()
        event.accept()
