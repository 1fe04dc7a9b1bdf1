"""Work beside the window's own thread, of which only what was asked last counts."""

import threading
from collections.abc import Callable

from PyQt5.QtCore import QObject, pyqtSignal

from etpicker_plugin.engine.errors import EtPickerError


class Newest(QObject):
    """Does what it was asked last; what was asked before and is not begun is dropped.

    ``made`` hands the result on to the window's thread.
    """

    made = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self._wanted: Callable[[], object] | None = None
        self._busy = self._stopped = False
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None

    def ask(self, work: Callable[[], object]) -> None:
        """Have this done; the thread begins with the first."""
        with self._news:
            self._wanted = work
            self._news.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def is_idle(self) -> bool:
        """Return whether nothing is asked for or being made."""
        with self._news:
            return self._wanted is None and not self._busy

    def stop(self) -> None:
        """End the thread."""
        with self._news:
            self._stopped = True
            self._news.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._news:
                self._busy = False
                while self._wanted is None and not self._stopped:
                    self._news.wait()
                if self._stopped:
                    return
                work, self._wanted = self._wanted, None
                self._busy = True
            try:
                self.made.emit(work())
            except EtPickerError as error:
                self.failed.emit(str(error))
