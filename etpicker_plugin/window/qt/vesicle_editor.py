"""Vesicles while a person marks them: points on a membrane, size by the wheel."""

import numpy as np
from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.engine.kinds import VESICLE
from etpicker_plugin.window.aids.membrane_clicks import (
    LARGEST_ANG,
    missing_clicks,
    sphere_through,
)
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.drawing.circles import Carried
from etpicker_plugin.window.qt.editor import Editor

GROWTH = 1.03
"""Of a radius, for each notch of the wheel."""

LEAST_ANG = 10.0
UNTIL_KEPT_MS = 250
"""What the wheel does within this time is one edit."""


class VesicleEditor(QObject):
    """Fits spheres to clicks, and gives the selected vesicle another radius.

    Attributes
    ----------
    clicks
        Places zyx on a membrane, of the vesicle that is being marked.
    """

    resized = pyqtSignal(object)

    def __init__(self, editor: Editor) -> None:
        super().__init__()
        self.editor = editor
        self.clicks: list[np.ndarray] = []
        self._of: Document | None = None
        self._made: int | None = None
        self._turned: Carried | None = None
        self._kept = QTimer(self, singleShot=True, interval=UNTIL_KEPT_MS)
        self._kept.timeout.connect(self.keep)

    def is_current(self) -> bool:
        """Return whether the class of the next picks is one of vesicles."""
        editor = self.editor
        return editor.session.classes.kind_of(editor.current_class) == VESICLE

    def selected(self) -> int | None:
        """Return the selected vesicle, if one is."""
        pick, annotation = self.editor.selected, self.editor.annotation
        if pick is None or not annotation.alive[pick]:
            return None
        kind = self.editor.session.classes.kind_of(annotation.class_of(pick))
        return pick if kind == VESICLE else None

    def clicks_in(self, document: Document) -> np.ndarray | None:
        """Return the points on a membrane ``(N, 3)`` in a tomogram, if any."""
        return np.array(self.clicks) if self.clicks and document is self._of else None

    # --------------------------- points on the membrane -----------------------
    def click(self, position_zyx: np.ndarray, *, last: bool) -> None:
        """Take a point on the membrane; from the third on a sphere goes through them.

        ``last`` ends the vesicle.
        """
        if not self.is_current():
            self.editor.said.emit("Choose a class of vesicles first.")
            return
        if self.editor.document is not self._of:
            self._of, self.clicks, self._made = self.editor.document, [], None
        self.clicks.append(np.array(position_zyx, dtype=float))
        missing = missing_clicks(self.clicks)
        if missing:
            self.editor.said.emit(f"{missing} more on the membrane, around it.")
            self.editor.changed.emit()
        else:
            self._fit()
        if last:
            self.end()

    def _fit(self) -> None:
        editor = self.editor
        try:
            voxel = editor.document.volume.voxel_size
            sphere = sphere_through(self.clicks, voxel_size=voxel)
        except EtPickerError as error:
            self.clicks.pop()
            editor.failed.emit(str(error))
            return
        if sphere is None or not editor.is_inside(sphere.centre_zyx):
            self.clicks.pop()
            editor.said.emit("These points mean a vesicle outside the tomogram.")
            return
        radius = sphere.radius_ang
        made = self._made
        if made is None or not editor.annotation.alive[made]:
            name = editor.current_class
            self._made = editor.add_at(sphere.centre_zyx, name, radius=radius)
        else:
            edit = editor.annotation.resizing(made, radius, sphere.centre_zyx)
            editor.apply(edit, select=made)
        editor.said.emit(f"Radius {radius:g} Å. More points, or Enter to end it.")

    def end(self) -> None:
        """Go on with another vesicle; one or two points alone are dropped."""
        if self.clicks:
            self.clicks, self._made = [], None
            self.editor.changed.emit()

    # --------------------------- the wheel ------------------------------------
    def turn(self, notches: float) -> bool:
        """Make the selected vesicle larger or smaller; return whether there is one."""
        pick = self.selected()
        if pick is None:
            return False
        document, classes = self.editor.document, self.editor.session.classes
        if self._turned is not None and self._turned.pick != pick:
            self.keep()
        voxel = document.volume.voxel_size
        now = (
            float(document.radii_vox(classes, np.array([pick]))[0])
            if self._turned is None
            else self._turned.radius_vox
        )
        wanted = now * voxel * GROWTH**notches
        radius = float(np.clip(wanted, LEAST_ANG, LARGEST_ANG)) / voxel
        self._turned = Carried(
            pick=pick,
            position_zyx=document.annotation.positions_zyx[pick],
            radius_vox=radius,
        )
        self.resized.emit(self._turned)
        self.editor.said.emit(f"Radius {radius * voxel:.0f} Å")
        self._kept.start()
        return True

    def keep(self) -> None:
        """Write down what the wheel did."""
        turned, self._turned = self._turned, None
        self._kept.stop()
        if turned is not None:
            self.resized.emit(None)
            self.set_radius(turned)

    def set_radius(self, carried: Carried) -> None:
        """Give a vesicle the radius that it was dragged to."""
        voxel = self.editor.document.volume.voxel_size
        radius = float(np.clip(carried.radius_vox * voxel, LEAST_ANG, LARGEST_ANG))
        self.editor.resize(carried.pick, round(radius, 1))
