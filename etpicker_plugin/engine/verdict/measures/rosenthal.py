"""Rosenthal-Henderson plot: how resolution grows with the number of particles.

Rosenthal & Henderson (2003): the number of particles N that reaches resolution d
follows ln N = B / (2 d²) + constant. The line's slope gives B; a picker whose false
or misplaced picks do not add signal needs more particles for the same resolution, so
its points lie lower at equal N.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray

LEAST_SIZES = 3
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class BFactorFit:
    """A line through 1/d² over ln N.

    Attributes
    ----------
    slope, intercept
        1/d² = slope · ln N + intercept, in 1/Å².
    b_factor
        2 / slope, Å²; ``None`` where the slope is not positive.
    interval
        95 % interval of B; ``None`` where the slope's reaches 0, that is, where the
        data do not bound B.
    """

    slope: float
    intercept: float
    b_factor: float | None
    interval: tuple[float, float] | None
    n_points: int

    def resolution_of(self, n_particles: float) -> float | None:
        """Return the line's resolution at a number of particles, Å."""
        value = self.slope * np.log(n_particles) + self.intercept
        return float(value**-0.5) if value > 0 else None


def fit_b_factor(
    n_particles: Sequence[float],
    resolutions_ang: Sequence[float | None],
    seeds: Sequence[int],
    *,
    resamples: int,
    generator: np.random.Generator,
) -> BFactorFit | None:
    """Fit the line; ``None`` with fewer than three sizes that have a resolution.

    1/d² is regressed on ln N, which is known exactly, so the slope is not diluted by
    the error of d. The interval is a bootstrap over whole seeds: the nested subsets of
    one seed share particles and are not independent.
    """
    known = [i for i, d in enumerate(resolutions_ang) if d is not None]
    log_n = np.log([n_particles[i] for i in known])
    inverse = np.array([1 / (resolutions_ang[i] or 1.0) ** 2 for i in known])
    group = np.array([seeds[i] for i in known])
    if len(set(log_n.round(9))) < LEAST_SIZES:
        return None
    slope, intercept = _line(log_n, inverse)
    drawn = _resampled_slopes(log_n, inverse, group, resamples, generator)
    low, high = _bounds(drawn)
    return BFactorFit(
        slope=slope,
        intercept=intercept,
        b_factor=2 / slope if slope > 0 else None,
        interval=(2 / high, 2 / low) if low > 0 else None,
        n_points=len(known),
    )


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    centred = x - x.mean()
    slope = float((centred * y).sum() / (centred**2).sum())
    return slope, float(y.mean() - slope * x.mean())


def _resampled_slopes(
    x: FloatArray,
    y: FloatArray,
    group: NDArray[np.intp],
    resamples: int,
    generator: np.random.Generator,
) -> list[float]:
    """Return the slopes of resamples of the seeds that still have two sizes."""
    names = np.unique(group)
    slopes = []
    for _ in range(resamples):
        chosen = generator.choice(names, size=len(names))
        rows = np.concatenate([np.flatnonzero(group == name) for name in chosen])
        if len(np.unique(x[rows])) > 1:
            slopes.append(_line(x[rows], y[rows])[0])
    return slopes


def _bounds(slopes: list[float]) -> tuple[float, float]:
    if not slopes:
        return -np.inf, np.inf
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(slopes, [tail, 100 - tail])
    return float(low), float(high)
