"""From which score on picks are kept, where nothing was held out to tell it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray

SHARE_OF_CLICKS = 0.42
"""The cut-off, over the median score at the clicks, which the head was made from and
which score more than others do."""

LEAST_SHARE, MOST_SHARE = 0.25, 0.6
"""Between these shares lies what is best for most tomograms and species."""


@dataclass(frozen=True)
class CutOff:
    """A score, and between which scores the best one is likely to lie."""

    value: float
    least: float
    most: float


def choose_cut_off(scores: FloatArray, at_click: NDArray[np.bool_]) -> CutOff | None:
    """Return the cut-off of a class; none if no candidate lies at a click.

    Parameters
    ----------
    scores
        ``(N,)``, of all candidates of the class, 0 to 1.
    at_click
        ``(N,)``: which of them lie at a click.
    """
    if not at_click.any():
        return None
    usual = float(np.median(scores[at_click]))
    value, least, most = (
        round(share * usual, 6) for share in (SHARE_OF_CLICKS, LEAST_SHARE, MOST_SHARE)
    )
    return CutOff(value, least=least, most=most)
