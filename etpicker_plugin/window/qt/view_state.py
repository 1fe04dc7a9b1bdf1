"""What the three views share: the cursor, what is in their middle, and the zoom."""

from collections.abc import Sequence

import numpy as np
from PyQt5.QtCore import QObject, pyqtSignal

LEAST_SCALE, MOST_SCALE = 0.02, 60.0


class ViewState(QObject):
    """Cursor and zoom of one tomogram.

    Attributes
    ----------
    cursor_zyx
        Whole voxels: the slices shown are those through it.
    centre_zyx
        Floats: what lies in the middle of the views.
    scale
        Screen pixels per voxel, the same in all three views.
    """

    cursor_moved = pyqtSignal()
    range_changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.shape_zyx = (1, 1, 1)
        self.cursor_zyx = [0, 0, 0]
        self.centre_zyx = np.zeros(3)
        self.scale = 1.0

    def open(self, shape_zyx: tuple[int, int, int], scale: float) -> None:
        """Begin in the middle of a tomogram, at a zoom that shows all of it."""
        self.shape_zyx = shape_zyx
        self.scale = scale
        self.centre_zyx = (np.asarray(shape_zyx) - 1) / 2
        self.cursor_zyx = [n // 2 for n in shape_zyx]
        self.range_changed.emit()
        self.cursor_moved.emit()

    def move_cursor(self, position_zyx: Sequence[float]) -> None:
        """Put the cursor on the voxel of a position."""
        wanted = [
            int(min(max(round(p), 0), n - 1))
            for p, n in zip(position_zyx, self.shape_zyx, strict=True)
        ]
        if wanted != self.cursor_zyx:
            self.cursor_zyx = wanted
            self.cursor_moved.emit()

    def step(self, axis: int, steps: int) -> None:
        """Move the cursor along one axis."""
        wanted = list(self.cursor_zyx)
        wanted[axis] += steps
        self.move_cursor(wanted)

    def pan(self, shift_zyx: Sequence[float]) -> None:
        """Move what is in the middle by voxels."""
        limit = np.asarray(self.shape_zyx)
        moved = self.centre_zyx + np.asarray(shift_zyx)
        self.centre_zyx = np.clip(moved, 0, limit - 1)
        self.range_changed.emit()

    def zoom(self, factor: float, about_zyx: Sequence[float]) -> None:
        """Zoom, keeping a point where it is on the screen."""
        scale = float(np.clip(self.scale * factor, LEAST_SCALE, MOST_SCALE))
        about = np.asarray(about_zyx, dtype=float)
        self.centre_zyx = about + (self.centre_zyx - about) * (self.scale / scale)
        self.scale = scale
        self.range_changed.emit()
