"""What the live picker says, a line of JSON each, checked and as records."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from etpicker_plugin.engine.json_checks import (
    JsonFault,
    list_of,
    map_of,
    number,
    one_of,
    or_none,
    parse,
    record,
    text,
    whole,
    yes_or_no,
)
from etpicker_plugin.window.live.candidates import Candidates, make_candidates


@dataclass(frozen=True)
class Ready:
    """It waits for marks."""


@dataclass(frozen=True)
class Progress:
    """So much of a tomogram is done; ``what`` is ``features`` or ``candidates``."""

    number: int
    tomogram: str
    done: int
    total: int
    what: str


@dataclass(frozen=True)
class Found:
    """All candidates of a tomogram between two planes, half open."""

    number: int
    tomogram: str
    planes: tuple[int, int]
    candidates: Candidates


@dataclass(frozen=True)
class CutOff:
    """From which score on a candidate counts, and how sure that is."""

    score: float
    least: float
    most: float


@dataclass(frozen=True)
class CutOffs:
    """The cut-off of each class that has been clicked."""

    number: int
    classes: dict[str, CutOff]


@dataclass(frozen=True)
class Solved:
    """All tomograms are done."""

    number: int


@dataclass(frozen=True)
class Saved:
    """The model lies in a file."""

    path: str


@dataclass(frozen=True)
class Refused:
    """What a person can mend; it goes on living."""

    text: str
    number: int | None = None


@dataclass(frozen=True)
class Refining:
    """So much of a training beside it is done; ``left_s`` if that can be told."""

    what: str
    done: int
    total: int
    left_s: float | None


@dataclass(frozen=True)
class HeldOut:
    """So many particles, and rejected places, that were held out."""

    particles: int
    rejected: int


@dataclass(frozen=True)
class Refined:
    """What both models found of the answers that neither had seen."""

    verdict: str
    held_out: HeldOut
    live: HeldOut
    refined: HeldOut


Event = (
    Ready | Progress | Found | CutOffs | Solved | Saved | Refused | Refining | Refined
)

BETTER, NOT_BETTER, TOO_FEW = "better", "not better", "too few"
"""Verdicts on a refined model."""


def read_event(line: bytes) -> Event:
    """Return what a line says.

    Raises
    ------
    JsonFault
        If it says nothing that is known.
    """
    values = EVENT(parse(line), "event")
    kind = values.pop("event")
    values = SAID[kind](values, kind)
    if kind == "candidates":
        return _found(values)
    if kind == "cut_off":
        classes = {
            name: CutOff(score=v["cut_off"], least=v["least"], most=v["most"])
            for name, v in values["classes"].items()
        }
        return CutOffs(number=values["number"], classes=classes)
    if kind == "progress":
        return Progress(**values)
    if kind == "solved":
        return Solved(number=values["number"])
    if kind == "saved":
        return Saved(path=values["path"])
    if kind == "refining":
        return Refining(**values)
    if kind == "refined":
        counts = {n: HeldOut(**values[n]) for n in ("held_out", "live", "refined")}
        return Refined(verdict=values["verdict"], **counts)
    return Refused(**values) if kind == "refused" else Ready()


def _found(values: dict[str, Any]) -> Found:
    first, last = values["z"]
    if last <= first:
        raise JsonFault(f"candidates.z: got {[first, last]}, expected a range")
    found = {name: _places(v) for name, v in values["classes"].items()}
    return Found(
        number=values["number"],
        tomogram=values["tomogram"],
        planes=(first, last),
        candidates=make_candidates(found, (first, last)),
    )


def _places(values: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return positions zyx and scores; checked at once, for there may be thousands."""
    try:
        scores = np.asarray(values["scores"], dtype=np.float64).reshape(-1)
        xyz = np.asarray(values["xyz"], dtype=np.float64).reshape(len(scores), 3)
    except (TypeError, ValueError) as error:
        raise JsonFault(f"candidates: no positions and scores: {error}") from error
    return xyz[:, ::-1], scores


def _any(value: Any, _where: str) -> Any:
    return value


NUMBER = {"number": whole(0)}
PLACES = record({"xyz": _any, "scores": _any})
CUT_OFF = record({"cut_off": number(), "least": number(), "most": number()})
HELD_OUT = record({"particles": whole(0), "rejected": whole(0)})
SAID = {
    "ready": record({}, others=True),
    "progress": record(
        {
            **NUMBER,
            "tomogram": text,
            "done": whole(0),
            "total": whole(1),
            "what": one_of("features", "candidates"),
        }
    ),
    "candidates": record(
        {
            **NUMBER,
            "tomogram": text,
            "z": list_of(whole(0), 2),
            "classes": map_of(PLACES),
        },
        {"whole": yes_or_no},
    ),
    "cut_off": record({**NUMBER, "classes": map_of(CUT_OFF)}),
    "solved": record(NUMBER),
    "saved": record({"path": text}),
    "refining": record(
        {
            "what": text,
            "done": whole(0),
            "total": whole(0),
            "left_s": or_none(number(0)),
        }
    ),
    "refined": record(
        {
            "verdict": one_of(BETTER, NOT_BETTER, TOO_FEW),
            "held_out": HELD_OUT,
            "live": HELD_OUT,
            "refined": HELD_OUT,
        }
    ),
    "refused": record({"text": text}, {"number": or_none(whole(0))}),
}
EVENT = record({"event": one_of(*SAID)}, others=True)
