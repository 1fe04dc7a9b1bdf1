"""Which classes look like particles: picks fall into them, random places do not.

Nobody looks at the classes here. What is known of each is how many picks and how many
random coordinates RELION put into it. A place without a particle falls into a class
whether it was picked or drawn; so of the N picks as many as N m / M are expected in a
class by chance, where m of the M random coordinates are. What is beyond that came with
the picking. Its share of the class,

    beyond = 1 - (m / M) / (n / N),        n picks in the class,

is epidemiology's attributable fraction among the exposed. It is no less than it seems:
it takes all picks for false ones that are not shown to be right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from etpicker_plugin.engine.comparison.joining import IndexArray

LEAST_BEYOND = 0.5
"""A class is of particles if more than this share of its picks is no chance."""
CHANCE, COARSE, BLURRED = "chance", "coarse", "blurred"
"""Why a class does not look like a particle (see ``judge_classes``)."""
ERROR = 0.05
"""Of taking a class for one that has more picks than chance, in any of them."""


@dataclass(frozen=True, kw_only=True)
class ModelClass:
    """A class as RELION's ``model.star`` has it; ``None`` where it has no number.

    Attributes
    ----------
    share
        ``rlnClassDistribution``.
    resolution_ang
        ``rlnEstimatedResolution``: from the average's own signal-to-noise ratio.
    accuracy_deg, accuracy_ang
        How well a box is turned and moved onto it: ``rlnAccuracyRotations``,
        ``rlnAccuracyTranslationsAngst``.
    """

    share: float
    resolution_ang: float | None
    accuracy_deg: float | None
    accuracy_ang: float | None


@dataclass(frozen=True, kw_only=True)
class JudgedClass:
    """A class, who fell into it, and whether it looks like a particle.

    Attributes
    ----------
    n_picks, n_control
        Particles that any set picked, each counted once, and random coordinates.
    beyond, beyond_least
        The share of its picks that is no chance, and its lower limit.
    reasons
        Why it does not look like a particle; empty if it does.
    """

    model: ModelClass
    n_picks: int
    n_control: int
    beyond: float
    beyond_least: float
    reasons: tuple[str, ...]

    @property
    def is_of_particles(self) -> bool:
        """Whether it looks like a particle."""
        return not self.reasons


def judge_classes(
    models: Sequence[ModelClass],
    classes: IndexArray,
    *,
    picks: IndexArray,
    control: IndexArray,
    search_ang: float,
) -> list[JudgedClass]:
    """Judge every class.

    A class looks like a particle if

    1. more than half of its picks are beyond chance, and some surely are: the lower
       limit is above 0, with an error of 5 % for all classes together;
    2. RELION resolves it no more coarsely than the class of the median random
       coordinate;
    3. it is sharp enough to place a box on it more closely than the search is wide.

    The rotation's accuracy does not count: a round particle has none.

    Parameters
    ----------
    classes
        ``(N,)`` the class of every box, from 0.
    picks, control
        Rows of the picked particles, one of each, and of the random coordinates.
    search_ang
        How far a box was moved at most, Å.
    """
    yardstick = _median_resolution(models, classes[control])
    judged = []
    for number, model in enumerate(models):
        n = int(np.sum(classes[picks] == number))
        m = int(np.sum(classes[control] == number))
        counts = n, m, len(picks), len(control)
        share = beyond(*counts)
        least = least_beyond(*counts, error=ERROR / len(models))
        judged.append(
            JudgedClass(
                model=model,
                n_picks=n,
                n_control=m,
                beyond=share,
                beyond_least=least,
                reasons=_reasons(model, share, least, yardstick, search_ang),
            )
        )
    return judged


def beyond(n: int, m: int, n_all: int, m_all: int) -> float:
    """Return the share of a class's ``n`` of ``n_all`` picks that is no chance, 0 to 1.

    ``m`` of ``m_all`` random coordinates are in it.
    """
    if not n or not m_all:
        return 0.0
    return max(0.0, 1 - (m / m_all) / (n / n_all))


def least_beyond(n: int, m: int, n_all: int, m_all: int, *, error: float) -> float:
    """Return the lower limit of ``beyond``, one-sided, wrong with so much probability.

    Given how many boxes a class has, its picks are binomial; the limit is that of
    Clopper and Pearson (1934), which holds for few boxes too.
    """
    if not n or not m_all:
        return 0.0
    picked = float(stats.beta.ppf(error, n, m + 1))
    chance = (1 - picked) / picked * n_all / m_all
    return max(0.0, 1 - chance)


def share_interval(count: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927); 0 to 1 of nothing."""
    if not total:
        return 0.0, 1.0
    found = stats.binomtest(count, total).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def _median_resolution(models: Sequence[ModelClass], of_boxes: IndexArray) -> float:
    """Return what half the boxes' classes are not resolved finer than, Å."""
    known = np.array([m.resolution_ang or np.inf for m in models])
    return float(np.median(known[of_boxes])) if len(of_boxes) else np.inf


def _reasons(
    model: ModelClass, share: float, least: float, yardstick: float, search_ang: float
) -> tuple[str, ...]:
    reasons = []
    if share <= LEAST_BEYOND or least <= 0:
        reasons.append(CHANCE)
    if model.resolution_ang is None or model.resolution_ang > yardstick:
        reasons.append(COARSE)
    if model.accuracy_ang is None or model.accuracy_ang >= search_ang:
        reasons.append(BLURRED)
    return tuple(reasons)
