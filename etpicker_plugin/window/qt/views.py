"""The three linked slices of the open tomogram."""

from dataclasses import replace

import numpy as np
from PyQt5.QtCore import QPointF, Qt, pyqtSignal
from PyQt5.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from etpicker_plugin.window.aids.agreement import Agreement
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.drawing.circles import Carried, circles_of_view
from etpicker_plugin.window.drawing.question_circles import with_questions
from etpicker_plugin.window.drawing.slices import (
    BRIGHTNESS_RANGE,
    CONTRAST_RANGE,
    Look,
    X,
    Y,
    Z,
)
from etpicker_plugin.window.drawing.traces import traces_of
from etpicker_plugin.window.live.candidates import NONE, Candidates
from etpicker_plugin.window.qt.cloud_page import CloudPage
from etpicker_plugin.window.qt.drawn import Drawn
from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.renderer import Picture, Renderer
from etpicker_plugin.window.qt.slice_view import SliceView
from etpicker_plugin.window.qt.traces_item import ShownTraces
from etpicker_plugin.window.qt.view_state import ViewState

GAP = 3
LEAST_SHARE = 0.22
"""Of the window, for the thin side of a thin tomogram."""


class Views(QWidget):
    """XY large, ZY to its right, XZ beneath; all at one scale, with one cursor.

    The cloud of picks takes the place of XY, which then is in the corner.
    """

    look_changed = pyqtSignal(object)
    levels_changed = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(self, editor: Editor, state: ViewState, drawn: Drawn) -> None:
        super().__init__()
        self.editor, self.state = editor, state
        self.filaments, self.vesicles = drawn.filaments, drawn.vesicles
        self.look = Look()
        self.show_probability = self.show_mask = True
        self.carried: Carried | None = None
        self.agreement: Agreement | None = None
        self.questions, self.asked = NONE, None
        self._traces = ShownTraces()
        self.views = {axis: SliceView(axis, state) for axis in (Z, Y, X)}
        self.corner = QLabel()
        self.corner.setTextFormat(Qt.RichText)
        self.corner.setContentsMargins(14, 8, 8, 8)
        self.corner.setWordWrap(True)
        self.corner.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Ignored)
        self.cloud = CloudPage(editor, state)
        self.cloud.hide()
        self._renderers: dict[int, Renderer] = {}
        self._asked: dict[int, tuple[object, ...]] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP)
        for widget, row, column in (
            (self.views[Z], 0, 0),
            (self.views[X], 0, 1),
            (self.views[Y], 1, 0),
            (self.corner, 1, 1),
        ):
            self._grid.addWidget(widget, row, column)
        state.cursor_moved.connect(self.request_slices)
        editor.changed.connect(self._picks_changed)

    def open(self, document: Document) -> None:
        """Show another tomogram, all of it."""
        self.close_document()
        self.carried = self.agreement = None
        self.questions, self.asked = NONE, None
        for axis, view in self.views.items():
            view.voxel_size = document.volume.voxel_size
            view.ruler.hide()
            renderer = Renderer(document, axis)
            renderer.ready.connect(lambda picture, a=axis: self._show(a, picture))
            renderer.failed.connect(self._fail)
            self._renderers[axis] = renderer
        self._share_space(document.volume.shape_zyx)
        self.state.open(document.volume.shape_zyx, self._fitting_scale(document))
        self.request_slices()

    def close_document(self) -> None:
        """End the threads of the tomogram that was shown."""
        for renderer in self._renderers.values():
            renderer.stop()
        self._renderers, self._asked = {}, {}

    def is_open(self) -> bool:
        """Return whether a tomogram is shown."""
        return bool(self._renderers)

    def is_drawn(self) -> bool:
        """Return whether every view shows the cursor's slice."""
        return all(
            renderer.is_idle() and self.views[axis].index == self.state.cursor_zyx[axis]
            for axis, renderer in self._renderers.items()
        )

    def fit(self) -> None:
        """Show all of the tomogram again."""
        document = self.editor.document
        self.state.scale = self._fitting_scale(document)
        self.state.centre_zyx = (np.asarray(document.volume.shape_zyx) - 1) / 2
        self.state.range_changed.emit()

    def go_to(self, position_zyx: np.ndarray) -> None:
        """Put the cursor on a position; move the picture only if it is out of sight."""
        for view in self.views.values():
            point = QPointF(position_zyx[view.right], position_zyx[view.up])
            if not view.box.viewRect().contains(point):
                self.state.centre_zyx = np.asarray(position_zyx, dtype=float)
                self.state.range_changed.emit()
        self.state.move_cursor(position_zyx)

    def show_cloud(self, shown: bool) -> None:
        """Show the picks in space, or the name of the tomogram in the corner again."""
        large, corner = (
            (self.cloud, self.views[Z]) if shown else (self.views[Z], self.corner)
        )
        self._grid.addWidget(large, 0, 0)
        self._grid.addWidget(corner, 1, 1)
        self.cloud.setVisible(shown)
        self.corner.setVisible(not shown)

    def set_look(self, look: Look) -> None:
        """Show the slices in another way."""
        self.look = look
        self.look_changed.emit(look)
        self.request_slices()

    def show_layers(self, probability: bool, mask: bool) -> None:
        """Show or hide what lies over the slices."""
        self.show_probability, self.show_mask = probability, mask
        self.request_slices()

    def drag_contrast(self, factor: float, shift: float) -> None:
        """Change contrast by a factor and brightness by a share of the range."""
        contrast = float(np.clip(self.look.contrast * factor, *CONTRAST_RANGE))
        brightness = float(np.clip(self.look.brightness + shift, *BRIGHTNESS_RANGE))
        self.set_look(replace(self.look, contrast=contrast, brightness=brightness))

    def carry(self, carried: Carried | None) -> None:
        """Show a pick where it is being dragged to."""
        self.carried = carried
        self.refresh_circles()

    def show_agreement(self, agreement: Agreement | None) -> None:
        """Colour the circles by what both sets found, or by class again."""
        if agreement is not None or self.agreement is not None:
            self.agreement = agreement
            self.refresh_circles()

    def show_questions(self, questions: Candidates, asked: int | None) -> None:
        """Draw the candidates that can be answered; one of them may be asked about."""
        if len(questions) or len(self.questions):
            self.questions, self.asked = questions, asked
            self.refresh_circles()

    def request_slices(self) -> None:
        """Have the slices at the cursor made, as far as they are others than before."""
        layers = {"probability": self.show_probability, "mask": self.show_mask}
        for axis, renderer in self._renderers.items():
            wanted = (self.state.cursor_zyx[axis], self.look, tuple(layers.values()))
            if self._asked.get(axis) != wanted:
                self._asked[axis] = wanted
                renderer.request(self.state.cursor_zyx[axis], self.look, **layers)

    def refresh_circles(self) -> None:
        """Draw the circles of every view, and the cloud, anew."""
        self._traces = shown = self._collect_traces()
        self.cloud.view.show_filaments(shown.traces, shown.chosen)
        for axis in self.views:
            self._refresh_circles_of(axis)

    def _fail(self, text: str) -> None:
        """Tell the error, and try again when the cursor moves next."""
        self._asked.clear()
        self.failed.emit(text)

    def _picks_changed(self) -> None:
        """Draw anew; a comparison that is out of date is made again elsewhere."""
        if self.agreement is not None:
            grown = len(self.editor.annotation) - len(self.agreement.first)
            first = np.pad(self.agreement.first, (0, max(grown, 0)))
            self.agreement = replace(self.agreement, first=first)
        self.refresh_circles()

    def _show(self, axis: int, picture: Picture) -> None:
        if axis not in self._renderers:
            return
        if axis == Z:
            self.levels_changed.emit(picture.levels)
        moved = self.views[axis].index != picture.index
        self.views[axis].show_picture(picture)
        if moved or self.views[axis].sections is None:
            self._refresh_circles_of(axis)

    def _refresh_circles_of(self, axis: int) -> None:
        view = self.views[axis]
        document, classes = self.editor.document, self.editor.session.classes
        place = {"axis": axis, "index": view.index, "hidden": self.editor.hidden}
        circles = circles_of_view(
            document,
            classes,
            selected=self.editor.selected,
            carried=self.carried,
            agreement=self.agreement,
            **place,
        )
        if len(self.questions):
            circles = with_questions(
                circles,
                self.questions,
                document=document,
                classes=classes,
                asked=self.asked,
                **place,
            )
        view.show_circles(circles)
        view.show_traces(replace(self._traces, axis=axis, index=view.index))

    def _collect_traces(self) -> ShownTraces:
        """Return the filaments, for all views, and clicks on a membrane."""
        chosen, carried = self.filaments.chosen(), self.carried
        clicks = self.vesicles.clicks_in(self.editor.document)
        return ShownTraces(
            traces=traces_of(
                self.editor.document,
                self.editor.session.classes,
                hidden=self.editor.hidden,
                moved={carried.pick: carried.position_zyx} if carried else None,
                also=chosen and chosen.name,
            ),
            chosen=chosen and chosen.name,
            point=carried.pick if carried else self.editor.selected,
            clicks=clicks,
        )

    def _share_space(self, shape_zyx: tuple[int, int, int]) -> None:
        """Give rows and columns the tomogram's proportions; a micrograph all space."""
        nz, ny, nx = shape_zyx
        for beside in (self.views[Y], self.views[X], self.corner):
            beside.setVisible(nz > 1)
        for set_stretch, along in (
            (self._grid.setColumnStretch, nx),
            (self._grid.setRowStretch, ny),
        ):
            share = min(max(nz / (nz + along), LEAST_SHARE), 0.5) if nz > 1 else 0.0
            set_stretch(0, round(1000 * (1 - share)))
            set_stretch(1, round(1000 * share))

    def _fitting_scale(self, document: Document) -> float:
        """Return pixels per voxel at which the whole xy slice is seen."""
        self._grid.activate()
        _, ny, nx = document.volume.shape_zyx
        view = self.cloud.view if self.cloud.isVisible() else self.views[Z]
        return 0.98 * min(view.width() / nx, view.height() / ny)
