"""How the CZII challenge counts, in CZII's data and in any copick project.

Written anew after the metric that its organisers published with the challenge ("CryoET
object identification", Kaggle 2024-25), oddities included:

* A particle is found if any pick of its class lies within a share (half) of the class's
  radius. Found particles, *not picks*, are the true positives: further picks on one of
  them are false, and one pick in reach of two particles finds both.
* What is neither is false: picks less found particles, which may be less than none.
* Particles are counted over all tomograms before precision and recall are made. The
  total is a weighted mean of the classes' F-beta; a class without particles in the
  truth adds nothing to it, but its weight stays in the divisor.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Points = Mapping[str, Mapping[str, NDArray[np.float64]]]
"""Tomogram to class to ``(N, 3)`` positions in Å."""

NONE = np.zeros((0, 3))


@dataclass(frozen=True)
class Counts:
    """Of one class over all tomograms; see above for what is false."""

    found: int
    false: int
    missed: int

    @property
    def precision(self) -> float:
        """Share of picks that are true."""
        total = self.found + self.false
        return self.found / total if total > 0 else 0.0

    @property
    def recall(self) -> float:
        """Share of particles that are found."""
        total = self.found + self.missed
        return self.found / total if total else 0.0

    def f(self, beta: float) -> float:
        """Return F-beta."""
        p, r = self.precision, self.recall
        return (1 + beta**2) * p * r / (beta**2 * p + r) if p + r else 0.0


def count(
    picks: NDArray[np.float64], truth: NDArray[np.float64], reach: float
) -> Counts:
    """Count one class in one tomogram, all in one unit."""
    if not len(picks) or not len(truth):
        return Counts(0, len(picks), len(truth))
    near = cKDTree(picks).query_ball_tree(cKDTree(truth), reach)
    found = len({particle for of_pick in near for particle in of_pick})
    return Counts(found, len(picks) - found, len(truth) - found)


def count_all(
    picks: Points, truth: Points, radii: Mapping[str, float], *, share: float
) -> dict[str, Counts]:
    """Count each class of ``radii`` (Å) over the tomograms of the truth."""
    counted = {}
    for name, radius in radii.items():
        each = [
            count(
                picks.get(run, {}).get(name, NONE), of.get(name, NONE), share * radius
            )
            for run, of in truth.items()
        ]
        counted[name] = Counts(
            sum(c.found for c in each),
            sum(c.false for c in each),
            sum(c.missed for c in each),
        )
    return counted


def weighted_mean(
    counted: Mapping[str, Counts], weights: Mapping[str, float], *, beta: float
) -> float:
    """Return the total: classes without particles count 0."""
    total = sum(
        weights[name] * counts.f(beta)
        for name, counts in counted.items()
        if counts.found + counts.missed
    )
    return total / sum(weights.values())
