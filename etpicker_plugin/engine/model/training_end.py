"""Why a training ended, and how that is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ASKED, PATIENCE, TIME, STEPS = "asked", "patience", "time", "steps"
SOLVED = "solved"

WORDS = {
    ASKED: "it was asked to finish",
    PATIENCE: "nothing got better for a while (its patience)",
    TIME: "its time limit was reached",
    STEPS: "all its steps were taken",
    SOLVED: "its head was computed from the marks, and nothing else learnt",
}


def why_stopped(*, asked: bool, out_of_patience: bool, out_of_time: bool) -> str:
    """Return the key in ``WORDS`` of what ended a training."""
    if asked:
        return ASKED
    if out_of_patience:
        return PATIENCE
    return TIME if out_of_time else STEPS


def describe_end(course: Mapping[str, Any]) -> str:
    """Return as a sentence how a training ended.

    Parameters
    ----------
    course
        ``steps``, ``best_step``, ``minutes`` and ``stopped_by`` of a model's card, of
        which an older model's may lack some.
    """
    if "steps" not in course:
        return ""
    minutes = f", {course['minutes']:.1f} min" if "minutes" in course else ""
    reason = WORDS.get(course.get("stopped_by", ""))
    said = f"Training ended after {course['steps']} steps{minutes}"
    best = f" The best is step {course['best_step']}." if "best_step" in course else ""
    return f"{said}: {reason}.{best}" if reason else f"{said}.{best}"
