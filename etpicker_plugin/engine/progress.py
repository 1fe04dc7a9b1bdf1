"""Progress as a plain callable: the engine reports, the front end shows.

``ProgressEvent`` goes to any number of listeners: a bar on a terminal, one line per
ten seconds in a log, and ``progress.jsonl`` for viewers and queues.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from etpicker_plugin.engine.disk import append_whole, cannot_write, open_own

if TYPE_CHECKING:
    from tqdm import tqdm

logger = logging.getLogger(__name__)

LOG_INTERVAL_S = 10.0


@dataclass(frozen=True)
class ProgressEvent:
    """One report: ``done`` of ``total`` units of a stage, with named values."""

    stage: str
    done: int
    total: int
    values: Mapping[str, object] = field(default_factory=dict)


Progress = Callable[[ProgressEvent], None]


def ignore_progress(event: ProgressEvent) -> None:
    """Listen to nothing."""


def describe_values(values: Mapping[str, object]) -> str:
    """Return ``name=value`` pairs for a log line, floats with four digits."""
    parts = [
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in values.items()
    ]
    return " ".join(parts)


class JsonLinesProgress:
    """Append every event to a JSON-lines file that viewers follow."""

    def __init__(self, path: Path) -> None:
        """See that the file can be written, before anything is computed.

        Raises
        ------
        ResourceError
            If it cannot.
        """
        self._path = path
        self._append(b"" if _ends_with_a_line(path) else b"\n")

    def __call__(self, event: ProgressEvent) -> None:
        """Write one line: time, stage, done, total and the values.

        Raises
        ------
        ResourceError
            If there is no room for it.
        """
        record = {
            "time": round(time.time(), 3),
            "stage": event.stage,
            "done": event.done,
            "total": event.total,
            **event.values,
        }
        self._append(json.dumps(record).encode() + b"\n")

    def _append(self, line: bytes) -> None:
        try:
            descriptor = open_own(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            try:
                append_whole(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:
            what = f"The progress file {self._path}"
            raise cannot_write(what, self._path, error) from error


def _ends_with_a_line(path: Path) -> bool:
    """Tell whether nothing torn stands at the end, as a kill leaves it."""
    try:
        return path.read_bytes()[-1:] in (b"", b"\n")
    except OSError:
        return True


class LogProgress:
    """Log a line when a stage begins, at most every ten seconds, and at its end."""

    def __init__(self) -> None:
        self._stage = ""
        self._last = 0.0

    def __call__(self, event: ProgressEvent) -> None:
        """Log the event if it is due."""
        now = time.monotonic()
        due = now - self._last >= LOG_INTERVAL_S
        if due or event.stage != self._stage or event.done >= event.total:
            self._stage, self._last = event.stage, now
            logger.info(
                "%s %d/%d %s",
                event.stage,
                event.done,
                event.total,
                describe_values(event.values),
            )


class BarProgress:
    """Show one bar per stage on a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._stage = ""

    def __call__(self, event: ProgressEvent) -> None:
        """Move the bar of the event's stage."""
        if self._bar is None or event.stage != self._stage:
            self.close()
            # Here: a third of what `etpicker --help` would import.
            from tqdm import tqdm

            self._bar = tqdm(total=event.total, desc=event.stage, file=sys.stderr)
            self._stage = event.stage
        self._bar.total = event.total
        self._bar.n = event.done
        self._bar.set_postfix_str(describe_values(event.values), refresh=False)
        self._bar.refresh()
        if event.done >= event.total:
            self.close()

    def close(self) -> None:
        """Finish the bar, if one is open."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def report_to(listeners: list[Progress]) -> Progress:
    """Return a callable that hands each event to all listeners in order."""

    def report(event: ProgressEvent) -> None:
        for listener in listeners:
            listener(event)

    return report
