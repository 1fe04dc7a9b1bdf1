"""Which share of a set is in classes that look like particles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.verdict.flat.classes import JudgedClass, share_interval
from etpicker_plugin.engine.verdict.flat.joint import Classification


@dataclass(frozen=True, kw_only=True)
class ClassVerdict:
    """The joint classification and what it says.

    Attributes
    ----------
    judged
        Every class, in RELION's order.
    version, commands
        What ran.
    """

    classification: Classification
    judged: list[JudgedClass]
    version: str
    commands: tuple[str, ...]

    @property
    def in_particles(self) -> NDArray[np.bool_]:
        """Return ``(N,)``: which boxes fell into a class that looks like a particle."""
        good = np.array([one.is_of_particles for one in self.judged])
        return np.asarray(good[self.classification.classes])

    @property
    def order(self) -> list[int]:
        """Return the classes, those that look like particles first, from 0."""
        return sorted(
            range(len(self.judged)),
            key=lambda n: (
                not self.judged[n].is_of_particles,
                -self.judged[n].beyond_least,
                -self.judged[n].n_picks,
            ),
        )

    def count(self, number: int, rows: IndexArray) -> int:
        """Return how many of some boxes are in a class."""
        return int(np.sum(self.classification.classes[rows] == number))


@dataclass(frozen=True, kw_only=True)
class GroupShare:
    """How much of a group is in classes that look like particles.

    Attributes
    ----------
    count, total
        Boxes in such classes, and all.
    interval
        95 %, of ``share``.
    beyond_chance
        The share less what the control's says is chance: (s - s₀) / (1 - s₀).
    resolution_ang
        The median box in such classes has a class of this resolution.
    """

    count: int
    total: int
    interval: tuple[float, float]
    beyond_chance: float
    resolution_ang: float | None

    @property
    def share(self) -> float:
        """Return the share."""
        return self.count / self.total if self.total else 0.0


def share_of(
    found: ClassVerdict, rows: IndexArray, *, control: IndexArray
) -> GroupShare:
    """Return the share of some boxes in classes that look like particles."""
    inside = found.in_particles
    count, total = int(inside[rows].sum()), len(rows)
    chance = float(np.mean(inside[control]))
    share = count / total if total else 0.0
    own = found.classification.classes[rows[inside[rows]]]
    resolutions = [found.judged[c].model.resolution_ang or np.inf for c in own]
    return GroupShare(
        count=count,
        total=total,
        interval=share_interval(count, total),
        beyond_chance=max(0.0, (share - chance) / (1 - chance)) if chance < 1 else 0.0,
        resolution_ang=float(np.median(resolutions)) if resolutions else None,
    )
