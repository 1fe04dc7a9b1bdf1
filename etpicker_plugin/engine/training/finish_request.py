"""Ending a training early, with the best model so far: by a signal, or by a file.

A file reaches a training on another machine too, where a queue has put it; a window
can write one.
"""

import os
import signal
import threading
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from etpicker_plugin.engine.records import FINISH_FILE

SIGNAL = getattr(signal, "SIGUSR1", None)  # Windows has none


class FinishRequest:
    """Tells whether a training was asked to finish; listens while it is entered.

    Parameters
    ----------
    folder
        The training's output folder: a file ``finish`` there asks it.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FINISH_FILE
        self._signalled = False
        self._former: Any = None

    def __enter__(self) -> "FinishRequest":
        """Listen to the signal, where one can: in a process's main thread."""
        if SIGNAL and threading.current_thread() is threading.main_thread():
            self._former = signal.signal(SIGNAL, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Listen no more."""
        if SIGNAL and self._former is not None:
            signal.signal(SIGNAL, self._former)

    def is_made(self) -> bool:
        """Return whether somebody has asked."""
        return self._signalled or self._file.exists()

    def forget(self) -> None:
        """Remove the file of a training that is over, or that begins anew."""
        self._file.unlink(missing_ok=True)

    def how(self) -> str:
        """Return, for a log, how to ask."""
        by_signal = f" or kill -USR1 {os.getpid()}" if SIGNAL else ""
        return f"touch {self._file}{by_signal}"

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._signalled = True
