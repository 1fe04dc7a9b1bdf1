"""Progress as a plain callable: the engine reports, the front end shows.

``ProgressEvent`` goes to any number of listeners: a bar on a terminal, one line per
ten seconds in a log, and ``progress.jsonl`` for viewers and queues.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from etpicker_plugin.engine.disk import append_whole, cannot_write, open_own
from etpicker_plugin.engine.json_checks import (
    JsonFault,
    number,
    parse,
    record,
    text,
    whole,
)
from etpicker_plugin.engine.names import printable

if TYPE_CHECKING:
    from tqdm import tqdm

logger = logging.getLogger(__name__)

LOG_INTERVAL_S = 10.0
LAST_BYTES = 65536
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
"""Without tqdm's own guess of the time left: a time limit, or many tomograms, make it
wrong."""


@dataclass(frozen=True)
class ProgressEvent:
    """One report: ``done`` of ``total`` units of a stage, with named values.

    ``left_s`` estimates the seconds that are left, of all that the command does.
    """

    stage: str
    done: int
    total: int
    values: Mapping[str, object] = field(default_factory=dict)
    left_s: float | None = None


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


def describe_duration(seconds: float) -> str:
    """Return a time as people say it: ``40 s``, ``3 min``, ``2.5 h``."""
    if seconds < 60:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 60 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def describe_event(event: ProgressEvent) -> str:
    """Return an event's values and the time left, for a line that names its stage."""
    left = [] if event.left_s is None else [f"{describe_duration(event.left_s)} left"]
    return ", ".join(filter(None, [describe_values(event.values), *left]))


OWN_KEYS = ("time", "stage", "done", "total", "left_s")
LINE = record(
    {"stage": text, "done": whole(0), "total": whole(0)},
    {"left_s": number(0)},
    others=True,
)


def event_of(line: bytes) -> ProgressEvent:
    """Return the event that a line of ``JsonLinesProgress`` records.

    Raises
    ------
    JsonFault
        If it is none, or was cut.
    """
    values = LINE(parse(line, finite=False), "line")
    return ProgressEvent(
        values["stage"],
        values["done"],
        values["total"],
        {k: v for k, v in values.items() if k not in OWN_KEYS},
        left_s=values.get("left_s"),
    )


def read_last_event(path: Path) -> ProgressEvent | None:
    """Return the newest whole report in a progress file; none if there is none."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(path.stat().st_size - LAST_BYTES, 0))
            lines = stream.read().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        try:
            return event_of(line)
        except JsonFault:
            continue  # half written, or cut at its beginning
    return None


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
        values: dict[str, object] = {
            "time": round(time.time(), 3),
            "stage": event.stage,
            "done": event.done,
            "total": event.total,
            **event.values,
        }
        if event.left_s is not None:
            values["left_s"] = round(event.left_s, 1)
        self._append(json.dumps(values).encode() + b"\n")

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
                describe_event(event),
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

            self._bar = tqdm(
                total=event.total,
                desc=printable(event.stage),
                file=sys.stderr,
                bar_format=BAR,
            )
            self._stage = event.stage
        self._bar.total = event.total
        self._bar.n = event.done
        self._bar.set_postfix_str(printable(describe_event(event)), refresh=False)
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
