"""The score from which picks are kept, chosen on held-out particles.

Held-out particles are few, so the best step of their F1 staircase is chance. Instead
the probability that a pick is true is fitted as a smooth function of its score, and
the threshold is the one that maximises the expected F1 under it.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.training.validation import JudgedPicks

DEFAULT_THRESHOLD = 0.05
"""Most of those that are chosen on data lie between 0.02 and 0.2."""

SPARSE_BETA, SPARSE_BETA_FEW = 1.4, 2.0
FEW_HELD_OUT = 15
"""Where the annotation is sparse recall weighs more: by this much squared, and by more
with fewer held-out particles, counted once for each dose that is looked at."""

SLOPE_PRIOR = 0.25
"""Strength with which the slope is drawn to 1, that of a calibrated score."""


def choose_threshold(judged: JudgedPicks, *, sparse: bool = False) -> float:
    """Choose the score whose picks have the best expected F1.

    With p the fitted probability of each pick, F-beta is expected to be
    ``(1 + β²) Σ p / (k + β² n)`` for the best k picks and n particles (Lipton et al.
    2014, for β = 1).

    Where the annotation is sparse, unmarked particles count as false, and F1 would
    keep too few picks: recall weighs more there. Of few held-out particles a network
    that has seen few scores new ones too low, and it weighs double.

    Without any hit the threshold is a default.
    """
    if judged.n_truth == 0 or not judged.is_true.any():
        return DEFAULT_THRESHOLD
    probability = true_probability(judged)
    order = np.argsort(-judged.scores, kind="stable")
    expected_hits = np.cumsum(probability[order])
    kept = np.arange(1, len(order) + 1)
    missed = max(judged.n_truth - int(judged.is_true.sum()), 0)
    n_particles = expected_hits[-1] + missed
    beta2 = _sparse_beta(judged.n_truth) ** 2 if sparse else 1.0
    best = int(np.argmax(expected_hits / (kept + beta2 * n_particles)))
    # Cutting between the last pick kept and the next one keeps the same picks.
    scores = judged.scores[order]
    following = scores[best + 1] if best + 1 < len(scores) else 0.0
    return float((scores[best] + following) / 2)


def _sparse_beta(n_held_out: int) -> float:
    return SPARSE_BETA_FEW if n_held_out < FEW_HELD_OUT else SPARSE_BETA


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
