"""The process that picks while a person marks: started, asked, heard, ended."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from PyQt5.QtCore import QObject, QProcess, pyqtSignal

from etpicker_plugin.engine.json_checks import JsonFault
from etpicker_plugin.window.live.engine import last_words
from etpicker_plugin.window.live.events import read_event

END_MS = 3000


class LiveProcess(QObject):
    """One process, which may be started again after it ended."""

    told = pyqtSignal(object)
    ended = pyqtSignal(str)

    def __init__(self, log: Path, *, name: str = "The live picker") -> None:
        super().__init__()
        self.log, self.name = log, name
        self._process: QProcess | None = None

    def is_running(self) -> bool:
        """Return whether it can be asked."""
        return self._process is not None

    def start(self, command: Sequence[str]) -> None:
        """Start it; it tells when it is ready."""
        process = QProcess(self)
        self.log.unlink(missing_ok=True)  # One that is left to end may write on there.
        process.setStandardErrorFile(str(self.log))
        process.readyReadStandardOutput.connect(self._hear)
        process.finished.connect(lambda code, how: self._end(self._how(code, how)))
        process.errorOccurred.connect(self._fail)
        self._process = process
        process.start(command[0], list(command[1:]))

    def ask(self, request: Mapping[str, object]) -> None:
        """Send a request; one to a process that has ended is dropped."""
        if self._process is not None:
            self._process.write(json.dumps(request).encode() + b"\n")

    def stop(self) -> None:
        """End it, at once if it does not by itself."""
        process, self._process = self._process, None
        if process is None:
            return
        process.blockSignals(True)
        process.closeWriteChannel()
        if not process.waitForFinished(END_MS):
            process.kill()
            process.waitForFinished(END_MS)

    def leave(self) -> None:
        """Let it end by itself, unheard, and be free to start another."""
        process, self._process = self._process, None
        if process is not None:
            process.disconnect()
            process.finished.connect(process.deleteLater)
            process.closeWriteChannel()

    def wait(self, milliseconds: int) -> None:
        """Let it tell something; for whom no event loop runs."""
        if self._process is not None:
            self._process.waitForReadyRead(milliseconds)

    def _hear(self) -> None:
        process = self._process
        while process is not None and process.canReadLine():
            line = bytes(process.readLine())
            try:
                event = read_event(line)
            except JsonFault as error:
                self.stop()
                self._tell_end(f"{self.name} said what is not understood ({error})")
                return
            self.told.emit(event)
            process = self._process

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.FailedToStart:
            self._end(f"{self.name} could not be started")

    def _end(self, how: str) -> None:
        if self._process is not None:
            self._hear()
            self._process = None
            self._tell_end(how)

    def _how(self, code: int, how: QProcess.ExitStatus) -> str:
        if how == QProcess.CrashExit:
            return f"{self.name} was ended by signal {code}"
        return f"{self.name} ended with code {code}"

    def _tell_end(self, how: str) -> None:
        words = last_words(self.log)
        self.ended.emit(f"{how}{f': {words}' if words else ''}")
