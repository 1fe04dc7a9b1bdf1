"""The engine's progress, shown while a Scipion protocol runs it in the background."""

import contextlib
import sys
import threading
from pathlib import Path

from etpicker_plugin.engine.json_checks import JsonFault
from etpicker_plugin.engine.progress import (
    BarProgress,
    LogProgress,
    Progress,
    event_of,
)
from etpicker_plugin.engine.records import PROGRESS_FILE

SECONDS_BETWEEN_READINGS = 1.0


class ProjectFollower:
    """Shows what the progress files of a project's runs gain, until it is left."""

    def __init__(self, project: Path, show: Progress | None = None) -> None:
        self._project = project
        self._show = show or (BarProgress() if sys.stderr.isatty() else LogProgress())
        self._read: dict[Path, int] = {}
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._left.set()
        self._thread.join()
        if isinstance(self._show, BarProgress):
            self._show.close()

    def _follow(self) -> None:
        while not self._left.wait(SECONDS_BETWEEN_READINGS):
            self.show_news()

    def show_news(self) -> None:
        """Hand every complete new line of every progress file to the listener."""
        for path in sorted(self._project.glob(f"Runs/*/extra/**/{PROGRESS_FILE}")):
            with path.open("rb") as stream:
                stream.seek(self._read.get(path, 0))
                news = stream.read()
            whole = news[: news.rfind(b"\n") + 1]
            self._read[path] = self._read.get(path, 0) + len(whole)
            for line in whole.splitlines():
                with contextlib.suppress(JsonFault):  # What a kill has torn.
                    self._show(event_of(line))
