"""From which score on picks are kept, where nothing was held out to tell it.

Two things bound it. The head is made from the clicks, so other particles score less
than they do, the less the fewer there were. And most candidates of a tomogram are
background: how their scores thin out tells how many false ones a cut-off lets in.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray

FALSE_SHARE = 0.2
"""Of the picks kept, so many may be background by its own tail."""

LOWEST, HIGHEST = 0.25, 0.7
"""The cut-off over what particles are expected to score: whatever the background."""

LEAST, MOST = 0.2, 1.0
"""The same for where the best cut-off is likely to lie."""

MIDDLE, UPPER = 0.5, 0.75
"""Quantiles of the candidates between which the background's tail is measured: below
them scores are lost beside better ones, and above them lie particles."""


@dataclass(frozen=True)
class CutOff:
    """A score, and between which scores the best one is likely to lie."""

    value: float
    least: float
    most: float

    def moved_to(self, value: float) -> "CutOff":
        """Return it with another score, and a band that holds that."""
        return CutOff(value, min(self.least, value), max(self.most, value))


def choose_cut_off(
    scores: FloatArray, at_click: NDArray[np.bool_], *, is_pure: bool
) -> CutOff | None:
    """Return the cut-off of a class; none if no candidate lies at a click.

    It is where the background is expected to make up a fifth of what is kept, held
    between shares of what a particle is expected to score: the median at the clicks
    times k / (k + 1), for k of them.

    Parameters
    ----------
    scores
        ``(N,)``, of all candidates of the class, 0 to 1.
    at_click
        ``(N,)``: which of them lie at a click.
    is_pure
        Whether the sample is, as in micrographs (see ``above_background``).
    """
    clicks = int(at_click.sum())
    if not clicks:
        return None
    expected = float(np.median(scores[at_click])) * clicks / (clicks + 1)
    lowest, highest = LOWEST * expected, HIGHEST * expected
    value = float(np.clip(above_background(scores, is_pure=is_pure), lowest, highest))
    return CutOff(
        round(value, 6), least=round(LEAST * expected, 6), most=round(expected, 6)
    )


def above_background(scores: FloatArray, *, is_pure: bool) -> float:
    """Return the lowest score of which no more are false than ``FALSE_SHARE``.

    The log-odds of background maxima are taken to thin out exponentially, as maxima of
    noise do; what is there beyond the tail is particles. 1 where nothing is.

    Of a pure sample nearly all that stands out is particles, which stretch the tail:
    what is found of them is left out, and the tail measured again. In a tomogram
    something else stands out as well, and its share in the tail is right.

    Parameters
    ----------
    scores
        ``(N,)``, 0 to 1, at least one.
    is_pure
        Whether nothing but the particles is to be expected in ice.
    """
    sure = np.clip(np.sort(scores)[::-1], 1e-6, 1 - 1e-6)
    log_odds = np.log(sure / (1 - sure))
    lowest = _lowest_above_tail(log_odds, particles=0)
    if is_pure:
        found = round((1 - FALSE_SHARE) * np.count_nonzero(log_odds >= lowest))
        lowest = _lowest_above_tail(log_odds, particles=found)
    return float(1 / (1 + np.exp(-lowest)))


def _lowest_above_tail(log_odds: FloatArray, *, particles: int) -> float:
    """Return the cut above the tail of what is left without the best; infinite if none.

    Parameters
    ----------
    log_odds
        ``(N,)``, descending.
    """
    background = log_odds[particles:]
    middle, upper = np.quantile(background, (MIDDLE, UPPER))
    decay = (upper - middle) / np.log((1 - MIDDLE) / (1 - UPPER))
    beyond, kept = len(background) * (1 - UPPER), np.arange(1, len(log_odds) + 1)
    # With the best k kept, the tail holds few enough false ones from here on.
    enough = upper + decay * np.log(beyond / (FALSE_SHARE * kept))
    cut = np.maximum(enough, np.append(log_odds[1:], -np.inf))
    possible = (cut <= log_odds) & (log_odds > upper)
    return float(cut[possible].min(initial=np.inf))
