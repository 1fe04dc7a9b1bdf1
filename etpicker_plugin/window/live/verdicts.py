"""What a training beside the live picker came to, in words."""

from etpicker_plugin.engine.progress import describe_duration
from etpicker_plugin.window.live.events import (
    BETTER,
    TOO_FEW,
    HeldOut,
    Refined,
    Refining,
)

LEARNING = ("training", "validation")


def describe_progress(event: Refining) -> str:
    """Return how far it is, and how long it takes yet where that is known."""
    if event.what not in LEARNING:
        return "Refine looks at the tomograms …"
    left = "" if event.left_s is None else f", {describe_duration(event.left_s)} left"
    return f"Refine learns{left} …"


def describe_verdict(event: Refined) -> str:
    """Return what was measured, and what follows from it."""
    of, refined, live = event.held_out, event.refined, event.live
    measured = (
        "Of answers that neither had seen, the refined model found "
        f"{refined.particles} of {of.particles} particles and {refined.rejected} of "
        f"{of.rejected} rejected places; the live model {_both(live)}."
    )
    if event.verdict == BETTER:
        return f"{measured} It is better: candidates come from it now."
    if event.verdict == TOO_FEW:
        return f"{measured} These are too few to tell which is better: you decide."
    return f"{measured} It is not clearly better, and candidates stay as they are."


def _both(count: HeldOut) -> str:
    return f"{count.particles} and {count.rejected}"
