"""How sure the scores against a truth are: the tomograms resampled (bootstrap).

Particles of one tomogram share its noise, defocus and crowding, so the tomogram is
what is drawn anew, not the particle.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from etpicker_plugin.engine.evaluation.scoring import (
    ClassScores,
    Comparison,
    pool,
    score,
)

MEASURES = ("precision", "recall", "f1", "f_beta", "average_precision")
LEAST_TOMOGRAMS = 3
LEVEL = 0.95

Interval = tuple[float, float]


def score_intervals(
    comparisons: Sequence[Comparison],
    *,
    voxel_size: float,
    beta: float,
    resamples: int,
    generator: np.random.Generator,
) -> dict[str, Interval | None]:
    """Return the 95 % bootstrap interval of each of ``MEASURES`` over tomograms.

    ``None`` where it means nothing: of fewer than three tomograms, or where the
    measure is not defined. The interval is that of percentiles (Efron 1979), which is
    too narrow for a handful of tomograms.
    """
    if len(comparisons) < LEAST_TOMOGRAMS:
        return dict.fromkeys(MEASURES)
    drawn: dict[str, list[float]] = {name: [] for name in MEASURES}
    for _ in range(resamples):
        chosen = generator.integers(len(comparisons), size=len(comparisons))
        scores = score(
            pool([comparisons[i] for i in chosen]), voxel_size=voxel_size, beta=beta
        )
        for name in MEASURES:
            value = getattr(scores, name)
            if value is not None:
                drawn[name].append(value)
    return {name: _interval(values) for name, values in drawn.items()}


def _interval(values: Sequence[float]) -> Interval | None:
    if not values:
        return None
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def describe_scores(
    scores: ClassScores, intervals: Mapping[str, Interval | None]
) -> dict[str, str]:
    """Return each measure as ``0.91 (0.85 to 0.95)``; a dash where undefined."""
    texts = {}
    for name in MEASURES:
        value, interval = getattr(scores, name), intervals[name]
        text = "-" if value is None else f"{value:.3f}"
        if value is not None and interval is not None:
            text += f" ({interval[0]:.3f} to {interval[1]:.3f})"
        texts[name] = text
    return texts
