"""What a live picker finds of answers that it was not told."""

from typing import Any

import numpy as np

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.live.held_out import Count, count_found
from etpicker_plugin.engine.live.requests import Marks, Solve
from etpicker_plugin.engine.live.session import Session
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.training.validation import MATCH_SHARE

Event = dict[str, Any]


def find_held_out(
    session: Session, kept: Solve, held: Marks, *, on_progress: Progress
) -> Count:
    """Answer a question, and count what the answer says of what was held out of it.

    Raises
    ------
    InputDataError
        If a tomogram cannot be used any more; what is wrong stands in the message.
    """
    wanted = {name for name, of in kept.marks.items() if kept.has_marks(name)}
    wanted |= set(held)
    events: dict[str, Event] = {}
    cuts: dict[str, float] = {}
    refused: list[str] = []
    for event in filter(None, session.solve(kept)):
        kind = event["event"]
        if kind == "candidates" and event["whole"]:
            events[event["tomogram"]] = event["classes"]
        elif kind == "cut_off":
            cuts = {name: of["cut_off"] for name, of in event["classes"].items()}
        elif kind == "refused":
            refused.append(event["text"])
        elif kind == "progress":
            what, done, total = event["what"], event["done"], event["total"]
            on_progress(ProgressEvent(what, done, total))
        if session.has_answered(kept) and wanted <= set(events):
            break
    missing = sorted(wanted - set(events))
    if missing or not session.has_answered(kept):
        raise InputDataError(_reason(refused, missing))
    return count_found(
        held,
        {name: _above(events[name], cuts) for name in held},
        {name: _reach(session, kept, name) for name in held},
    )


def _reason(refused: list[str], missing: list[str]) -> str:
    """Return what was said of the first tomogram without an answer, or of all."""
    of_it = [text for text in refused if missing and missing[0] in text]
    return (of_it or refused or ["Live has no answer: no class has a click."])[-1]


def _above(classes: Event, cuts: dict[str, float]) -> dict[str, Any]:
    """Return the centres zyx of each class that reach its cut-off, ``(N, 3)``."""
    found = {}
    for name, of in classes.items():
        xyz = np.array(of["xyz"], dtype=np.float64).reshape(-1, 3)
        above = np.array(of["scores"]) >= cuts.get(name, np.inf)
        found[name] = xyz[above][:, ::-1]
    return found


def _reach(session: Session, kept: Solve, tomogram: str) -> dict[str, float]:
    voxel_size = session.voxel_size(tomogram)
    return {name: MATCH_SHARE * d / voxel_size for name, d in kept.diameters.items()}
