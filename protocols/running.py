"""What a running protocol's Summary says: how far it is, and how long it will take."""

from __future__ import annotations

from pathlib import Path

from etpicker_plugin.engine.progress import describe_duration, read_last_event
from etpicker_plugin.engine.records import FINISHED_FILE, PROGRESS_FILE, RECORDS_FOLDER

PLACES = ("*", f"*/{RECORDS_FOLDER}", "jobs/*")
"""Where jobs of a protocol keep their records. Other folders may hold a hundred
thousand files, and a Summary is asked for every few seconds."""


def describe_running(folder: Path) -> list[str]:
    """Return a line for each engine job under a folder that is not finished."""
    lines = []
    found = (
        path for place in PLACES for path in folder.glob(f"{place}/{PROGRESS_FILE}")
    )
    for path in sorted(found):
        event = read_last_event(path)
        if event is not None and not (path.parent / FINISHED_FILE).exists():
            lines.append(describe_event(event))
    return lines


def describe_event(event) -> str:
    """Return a report in words: 'Picking TS_03 (2 of 20): 14 of 40, 3 min left.'"""
    stage = event.stage[:1].upper() + event.stage[1:]
    if "tomogram" in event.values:
        stage += f" (tomogram {event.values['tomogram']})"
    parts = [f"{event.done} of {event.total}"]
    if "best_score" in event.values:
        parts.append(f"best score so far {event.values['best_score']:.2f}")
    if event.left_s is not None:
        parts.append(f"about {describe_duration(event.left_s)} left")
    return f"{stage}: {', '.join(parts)}."
