"""Parameters of ``etpicker refine``, which the window starts."""

from dataclasses import dataclass
from typing import Optional

from etpicker_plugin.engine.config.checks import require_positive
from etpicker_plugin.engine.config.live import LiveConfig
from etpicker_plugin.engine.config.options import REQUIRED, option

FEWEST_PARTICLES = 10
"""Marked or accepted; of fewer a training learns nothing that the clicks do not tell
(docs/benchmarks.md)."""


@dataclass(frozen=True)
class RefineConfig(LiveConfig):
    """A training beside a live picker, compared with it on answers held out."""

    out: str = option(
        REQUIRED,
        "Folder for the model, and for what it sees in the tomograms.",
        label="Output folder",
        counts="no",
    )
    marks: str = option(
        REQUIRED,
        "File with the question that the live picker was asked last: a line of JSON.",
        label="Marks",
        counts="content",
        file=True,
    )
    features: str = option(
        REQUIRED,
        "Folder where the live picker keeps what --model sees in the tomograms.",
        label="Folder for features",
        counts="no",
    )
    max_minutes: Optional[float] = option(
        10.0,
        "How long it may learn.",
        label="Time limit",
        unit="min",
    )
    steps: int = option(4000, "Optimiser steps at most.", label="Training steps")

    def __post_init__(self) -> None:
        """Refuse contradictions before any file is opened."""
        super().__post_init__()
        require_positive(self, "max_minutes", "steps")
