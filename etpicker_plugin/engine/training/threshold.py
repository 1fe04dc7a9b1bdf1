"""The score from which picks are kept, chosen on held-out particles.

Held-out particles are few, so the best step of their F1 staircase is chance. Instead
the probability that a pick is true is fitted as a smooth function of its score, and
thresholds are chosen by the F1 that is to be expected under it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.training.validation import JudgedPicks

DEFAULT_THRESHOLD = 0.05
"""Most of those that are chosen on data lie between 0.02 and 0.2."""

USUAL_THRESHOLD = 0.08
"""Does well on other tomograms for classes that stand out, of whatever size."""

STANDS_OUT = 0.5
"""A class does whose expected F1 is above this."""

NO_DIFFERENCE = 0.02
"""Share of an expected F1 by which another is no worse."""

THRESHOLDS = 1 / (1 + np.exp(-np.linspace(-6.9, 3.0, 400)))
"""Scores to choose from, 0.001 to 0.95, evenly in log-odds."""

SPARSE_BETA, SPARSE_BETA_FEW = 1.4, 2.0
FEW_HELD_OUT = 15
"""Where the annotation is sparse recall weighs more: by this much squared, and by more
with fewer held-out particles, counted once for each dose that is looked at."""

SLOPE_PRIOR = 0.25
"""Strength with which the slope is drawn to 1, that of a calibrated score."""


def choose_threshold(judged: JudgedPicks, *, sparse: bool = False) -> float:
    """Choose the score whose picks have the best expected F1.

    Where the annotation is sparse, unmarked particles count as false, and F1 would
    keep too few picks: recall weighs more there. Of few held-out particles a network
    that has seen few scores new ones too low, and it weighs double.

    Without any hit the threshold is a default.
    """
    if judged.n_truth == 0 or not judged.is_true.any():
        return DEFAULT_THRESHOLD
    scores = -np.sort(-judged.scores)
    expected = expected_f(judged, scores, beta=_beta([judged], sparse=sparse))
    best = int(np.argmax(expected))
    # Cutting between the last pick kept and the next one keeps the same picks.
    following = scores[best + 1] if best + 1 < len(scores) else 0.0
    return float((scores[best] + following) / 2)


def choose_for_other_tomograms(
    doses: Sequence[JudgedPicks], *, sparse: bool = False
) -> float:
    """Choose the score to keep picks from in tomograms of this and lower qualities.

    It is one of those with the best mean of the F1s (see ``choose_threshold``) that are
    expected at each dose. Several do equally well, as far as a few particles can tell,
    and which of them is best is luck: the middle one is taken. Where a class stands
    out, it is any between its particles and what is none, and other tomograms are
    noisier or cleaner: there it is the one nearest to what is usual.

    Parameters
    ----------
    doses
        Picks of the same held-out parts, as they are and at lower doses.
    """
    usable = [judged for judged in doses if judged.is_true.any()]
    if not usable:
        return DEFAULT_THRESHOLD
    equal, best = _equally_good(usable, beta=_beta(doses, sparse=sparse))
    if best > STANDS_OUT:
        chosen = equal[
            np.argmin(np.abs(equal - log_odds_of(np.array(USUAL_THRESHOLD))))
        ]
    else:
        chosen = (equal[0] + equal[-1]) / 2
    return float(1 / (1 + np.exp(-chosen)))


def choose_for_micrographs(judged: JudgedPicks, *, sparse: bool = False) -> float:
    """Choose the score to keep picks from in micrographs like those held out.

    One session takes them all, with one dose: the middle of those that do equally
    well. What is usual in tomograms would let in other species.
    """
    if not judged.is_true.any():
        return DEFAULT_THRESHOLD
    equal, _ = _equally_good([judged], beta=_beta([judged], sparse=sparse))
    return float(1 / (1 + np.exp(-(equal[0] + equal[-1]) / 2)))


def _equally_good(
    doses: Sequence[JudgedPicks], *, beta: float
) -> tuple[FloatArray, float]:
    """Return the log-odds that do about as well as the best, ascending, and its F."""
    expected = np.mean([expected_f(j, THRESHOLDS, beta=beta) for j in doses], axis=0)
    best = float(expected.max())
    return log_odds_of(THRESHOLDS[expected >= (1 - NO_DIFFERENCE) * best]), best


def expected_f(
    judged: JudgedPicks, thresholds: FloatArray, *, beta: float
) -> FloatArray:
    """Return the F-beta to expect of the picks of at least each score.

    With p the fitted probability of each pick, it is ``(1 + β²) Σ p / (k + β² n)`` for
    the best k picks and n particles (Lipton et al. 2014, for β = 1).

    Parameters
    ----------
    judged
        With a hit at least.
    thresholds
        ``(T,)``.
    """
    order = np.argsort(-judged.scores, kind="stable")
    hits = np.append(0.0, np.cumsum(true_probability(judged)[order]))
    kept = np.searchsorted(-judged.scores[order], -thresholds, side="right")
    missed = max(judged.n_truth - int(judged.is_true.sum()), 0)
    n_particles = hits[-1] + missed
    return np.asarray((1 + beta**2) * hits[kept] / (kept + beta**2 * n_particles))


def _beta(doses: Sequence[JudgedPicks], *, sparse: bool) -> float:
    if not sparse:
        return 1.0
    return SPARSE_BETA_FEW if are_few(doses) else SPARSE_BETA


def are_few(doses: Sequence[JudgedPicks]) -> bool:
    """Tell whether little is held out, counted once for each dose."""
    return sum(judged.n_truth for judged in doses) < FEW_HELD_OUT


def true_probability(judged: JudgedPicks) -> FloatArray:
    """Fit how probable it is that a pick is true, from its score (Platt 1999).

    A logistic function of the score's log-odds, by maximum likelihood with a weak
    prior on the slope.

    Returns
    -------
    ndarray
        ``(N,)``, for each of the picks judged.
    """
    log_odds = log_odds_of(judged.scores)

    def loss(line: FloatArray) -> float:
        return line_misfit(log_odds, judged.is_true, slope=line[0], offset=line[1])

    slope, offset = minimize(loss, np.array([1.0, 0.0])).x
    return np.asarray(1.0 / (1.0 + np.exp(-(slope * log_odds + offset))))


def log_odds_of(scores: FloatArray) -> FloatArray:
    """Return the log-odds of scores, of 0 and 1 too."""
    score = np.clip(scores, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(score / (1 - score)))


def line_misfit(
    log_odds: FloatArray, is_true: NDArray[np.bool_], *, slope: float, offset: float
) -> float:
    """Return how badly a line through log-odds tells which picks are true.

    Minus the log-likelihood and that of the prior on the slope.
    """
    z = slope * log_odds + offset
    misfit = np.sum(np.logaddexp(0.0, z) - is_true * z)
    return float(misfit + SLOPE_PRIOR * (slope - 1.0) ** 2)
