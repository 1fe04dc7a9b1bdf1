"""Counting anew after a short pause, so that many edits in a row are one."""

from collections.abc import Callable

from PyQt5.QtCore import QObject, QTimer

PAUSE_MS = 60


class Recount(QObject):
    """Calls a function soon; it gets whether every tomogram is to be counted."""

    def __init__(self, count: Callable[[bool], None]) -> None:
        super().__init__()
        self._count_now = count
        self._every = False
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self._count)

    def open_one(self) -> None:
        """Count the open tomogram: an edit is in one."""
        self._timer.start()

    def every(self) -> None:
        """Count every tomogram: a cut-off holds in all."""
        self._every = True
        self._timer.start()

    def _count(self) -> None:
        every, self._every = self._every, False
        self._count_now(every)
