"""Whether scores can be read as probabilities: of picks scored 0.8, are 80 % true?"""

from dataclasses import dataclass

import numpy as np

from etpicker_plugin.engine.evaluation.scoring import Comparison

BINS = 10

HOW_TO_READ = (
    "Picks are sorted into ten ranges of the score; of each, the share that is true "
    "stands over the mean score, a dot as large as there are picks. On the diagonal a "
    "score is the probability that a pick is true; above it, picks are better than "
    "their scores say. ECE, the expected calibration error, is the mean distance from "
    "the diagonal, each pick counted once. It says nothing of how well true and false "
    "picks are told apart, and a threshold may be right where it is far from 0."
)


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Picks whose scores lie in one range.

    Attributes
    ----------
    mean_score
        Of the picks.
    share_true
        Of the picks, that found a particle when taken in order of score.
    """

    n_picks: int
    mean_score: float
    share_true: float


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """Ranges that hold picks, from low scores to high, and the error over all."""

    expected_calibration_error: float
    bins: tuple[Bin, ...]


def measure_reliability(comparison: Comparison) -> Reliability | None:
    """Compare scores with shares of true picks, in ten ranges from 0 to 1.

    Returns
    -------
    Reliability or None
        None where the scores cannot be probabilities: without picks, where a score is
        unknown, or lies outside 0 to 1.
    """
    scores = comparison.scores
    # NaN fails the comparison too.
    if not len(scores) or not ((scores >= 0) & (scores <= 1)).all():
        return None
    ranges = np.minimum((scores * BINS).astype(int), BINS - 1)
    bins = []
    for number in np.unique(ranges):
        within = ranges == number
        bins.append(
            Bin(
                n_picks=int(within.sum()),
                mean_score=float(scores[within].mean()),
                share_true=float(comparison.is_hit[within].mean()),
            )
        )
    error = sum(b.n_picks * abs(b.share_true - b.mean_score) for b in bins)
    return Reliability(expected_calibration_error=error / len(scores), bins=tuple(bins))
