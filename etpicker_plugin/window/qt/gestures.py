"""What the mouse means on a slice, with each tool."""

from enum import Enum

import numpy as np
from PyQt5.QtCore import QObject, Qt, pyqtSignal

from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.window.drawing.circles import Carried
from etpicker_plugin.window.drawing.traces import Hit
from etpicker_plugin.window.qt.drawn import Drawn
from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.slice_view import SliceView
from etpicker_plugin.window.qt.view_state import ViewState

ZOOM_STEP = 1.2
BRIGHTNESS_PER_PIXEL = 1 / 300
CONTRAST_PER_PIXEL = 1.008
WHEEL_NOTCH = 120
CLICK_SLACK_PX = 4


class Tool(Enum):
    """What the left button does where there is no pick."""

    LOOK = "look"
    PICK = "pick"
    NEGATIVE = "negative"
    ERASE = "erase"
    MEASURE = "measure"
    MEMBRANE = "membrane"


class Gestures(QObject):
    """Turns clicks and drags into edits, and the rest into moving about."""

    preview = pyqtSignal(object)
    contrast_dragged = pyqtSignal(float, float)
    measured = pyqtSignal(float)
    hovered = pyqtSignal(object, object)
    answered = pyqtSignal(int, bool)

    def __init__(self, editor: Editor, state: ViewState, drawn: Drawn) -> None:
        super().__init__()
        self.editor, self.state = editor, state
        self.filaments, self.vesicles = drawn.filaments, drawn.vesicles
        self.tool = Tool.PICK
        self.eraser_ang = 200.0
        self.takes_answers = False
        self._held: int | None = None
        self._holds_rim = False

    def connect(self, view: SliceView) -> None:
        """Listen to a view."""
        view.clicked.connect(self._click)
        view.dragged.connect(self._drag)
        view.wheeled.connect(self._wheel)
        view.hovered.connect(self.hovered)

    # --------------------------- clicks ---------------------------------------
    def _click(self, view: SliceView, event: object) -> None:
        position = view.position_at(event)
        button = event.button()
        pick = self._pick_at(view, position)
        shifted = bool(event.modifiers() & Qt.ShiftModifier)
        if button == Qt.MiddleButton or (button == Qt.LeftButton and shifted):
            self.state.move_cursor(position)
        elif button == Qt.RightButton:
            self._right_click(view, position, pick)
        elif button == Qt.LeftButton:
            last = bool(event.modifiers() & Qt.ControlModifier)
            self._left_click(view, position, pick, last=last)

    def _pick_at(self, view: SliceView, position: np.ndarray) -> int | None:
        """Return the pick that is meant.

        While particles are marked, rims of vesicles and points of filaments are none.
        """
        looks = self.tool is Tool.LOOK
        pick = view.pick_at(position, rims=looks or self.vesicles.is_current())
        if looks or self.filaments.is_current() or not self.filaments.holds(pick):
            return pick
        return None

    def _trace_at(self, view: SliceView, position: np.ndarray) -> Hit | None:
        """Return the curve that is meant, where filaments are looked at or drawn."""
        looks = self.tool is Tool.LOOK
        draws = self.tool is Tool.PICK and self.filaments.is_current()
        return view.trace_at(position) if looks or draws else None

    def _right_click(
        self, view: SliceView, position: np.ndarray, pick: int | None
    ) -> None:
        hit = self._trace_at(view, position)
        if self._answer(view, position, pick, False):
            pass
        elif self.filaments.holds(pick):
            self.filaments.delete_point(pick)
        elif pick is not None:
            self.editor.delete(pick)
        elif hit is not None:
            self.filaments.delete_filament(hit.name)

    def _left_click(
        self,
        view: SliceView,
        position: np.ndarray,
        pick: int | None,
        *,
        last: bool = False,
    ) -> None:
        yes = self.tool is not Tool.NEGATIVE
        if self.tool is Tool.ERASE:
            self._erase(view, position)
        elif self.tool is Tool.MEASURE:
            self.state.move_cursor(position)
        elif self.tool is Tool.MEMBRANE:
            self.vesicles.click(position, last=last)
        elif self._answer(view, position, pick, yes):
            pass
        elif pick is not None and not self._goes_on_over(pick):
            self._select(pick, last=last)
        else:
            self._click_beside(view, position, last=last)

    def _select(self, pick: int, *, last: bool) -> None:
        self.editor.selected = pick
        self.state.move_cursor(self.editor.annotation.positions_zyx[pick])
        self.editor.changed.emit()
        if last:
            self.filaments.end()

    def _click_beside(
        self, view: SliceView, position: np.ndarray, *, last: bool
    ) -> None:
        """Take a click where there is no pick: look there, draw on, or add one."""
        hit = self._trace_at(view, position)
        if self.tool is Tool.LOOK:
            self.state.move_cursor(position)
            if hit is not None:
                self.filaments.choose(hit.name)
        elif self.tool is Tool.PICK and self.filaments.is_current():
            if self.filaments.click(position, hit, last=last):
                self.state.move_cursor(position)
        else:
            name = NEGATIVE if self.tool is Tool.NEGATIVE else None
            added = self.editor.add(position, name)
            if added is not None:
                self.state.move_cursor(self.editor.annotation.positions_zyx[added])

    def _goes_on_over(self, pick: int) -> bool:
        """Return whether a pick is no aim: a filament is drawn on across another's."""
        if self.tool is not Tool.PICK or not self.filaments.is_current():
            return False
        chosen = self.filaments.chosen()
        goes_on = chosen is not None and self.filaments.is_drawing
        return goes_on and pick not in chosen.ids

    def _answer(
        self, view: SliceView, position: np.ndarray, pick: int | None, yes: bool
    ) -> bool:
        """Take a click for the answer to a question, on *Live*; return whether it is.

        A pick with a score is a model's word, and a question as a candidate is.
        """
        if not self.takes_answers:
            return False
        if pick is None:
            question = view.question_at(position)
            if question is not None:
                self.answered.emit(question, yes)
            return question is not None
        is_open = bool(np.isfinite(self.editor.annotation.scores[pick]))
        if is_open:
            self.editor.confirm(pick, None if yes else NEGATIVE)
        return is_open

    # --------------------------- drags ----------------------------------------
    def _drag(self, view: SliceView, event: object) -> None:
        button = event.button()
        if button == Qt.RightButton:
            shift = event.scenePos() - event.lastScenePos()
            self.contrast_dragged.emit(
                CONTRAST_PER_PIXEL ** shift.x(), -shift.y() * BRIGHTNESS_PER_PIXEL
            )
        elif button == Qt.LeftButton and self.tool is Tool.MEASURE:
            self._measure(view, event)
        elif button == Qt.LeftButton and self.tool is Tool.ERASE:
            self._erase(view, view.position_at(event))
        elif button == Qt.LeftButton and self._holds_pick(view, event):
            self._carry(view, event)
        else:
            self._pan(view, event)
            if button == Qt.LeftButton and event.isFinish():
                self._click_after_all(view, event)

    def _click_after_all(self, view: SliceView, event: object) -> None:
        """Take a long press that hardly moved for the click that it was meant as."""
        moved = event.scenePos() - event.buttonDownScenePos()
        if max(abs(moved.x()), abs(moved.y())) < CLICK_SLACK_PX:
            self._left_click(view, view.press_position(event), None)

    def _holds_pick(self, view: SliceView, event: object) -> bool:
        if event.isStart():
            can_move = self.tool in (Tool.PICK, Tool.NEGATIVE)
            start = view.press_position(event)
            self._held = self._pick_at(view, start) if can_move else None
            rim = view.rim_at(start) if self.vesicles.is_current() else None
            self._holds_rim = rim is not None and rim == self._held
        return self._held is not None

    def _carry(self, view: SliceView, event: object) -> None:
        """Move the held pick as far as the mouse went; across the view it stays.

        Held by its rim, a vesicle's surface goes to the mouse.
        """
        shift = view.position_at(event) - view.press_position(event)
        position = self.editor.annotation.positions_zyx[self._held]
        if self._holds_rim:
            radius = float(np.linalg.norm(view.position_at(event) - position))
            carried = Carried(pick=self._held, position_zyx=position, radius_vox=radius)
        else:
            carried = Carried(pick=self._held, position_zyx=position + shift)
        if not event.isFinish():
            self.preview.emit(carried)
            return
        self._held = None
        self.preview.emit(None)
        if self._holds_rim:
            self.vesicles.set_radius(carried)
        else:
            self.editor.move(carried.pick, carried.position_zyx)

    def _pan(self, view: SliceView, event: object) -> None:
        shift = np.zeros(3)
        moved = event.scenePos() - event.lastScenePos()
        shift[view.right] = -moved.x() / self.state.scale
        shift[view.up] = moved.y() / self.state.scale
        self.state.pan(shift)

    def _measure(self, view: SliceView, event: object) -> None:
        start, end = view.press_position(event), view.position_at(event)
        voxels = float(np.linalg.norm(end - start))
        length = voxels * view.voxel_size
        view.ruler.measure(
            (start[view.right], start[view.up]),
            (end[view.right], end[view.up]),
            f" {length:.0f} Å ({voxels:.1f} voxels)",
        )
        self.measured.emit(length)

    def _erase(self, view: SliceView, position: np.ndarray) -> None:
        """Delete the picks whose centre is within the eraser, a ball.

        What is of a hidden class stays.
        """
        annotation = self.editor.annotation
        radius = self.eraser_ang / view.voxel_size / 2
        height = position[view.axis]
        near = self.editor.document.heights.near(
            view.axis, height - radius, height + radius
        )
        near = near[self.editor.document.visible_classes(self.editor.hidden, near)]
        offsets = annotation.positions_zyx[near] - position
        self.editor.delete(near[(offsets**2).sum(axis=1) <= radius**2])

    # --------------------------- wheel ----------------------------------------
    def _wheel(self, view: SliceView, event: object) -> None:
        notches = event.delta() / WHEEL_NOTCH
        if event.modifiers() & Qt.ControlModifier:
            self.state.zoom(ZOOM_STEP**notches, view.position_at(event))
        elif event.modifiers() & Qt.ShiftModifier and self.vesicles.turn(notches):
            pass
        else:
            steps = int(np.sign(notches)) * max(1, round(abs(notches)))
            self.state.step(view.axis, steps)
