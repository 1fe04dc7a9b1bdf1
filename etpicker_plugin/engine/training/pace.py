"""How fast and how long to learn: from few marks, near the weights it begins with.

A few particles are soon learnt by heart, and what the shipped weights know of all
others is lost with it. So weights move the less, the fewer are marked: by the rate,
and by the number of steps.
"""

from __future__ import annotations

from dataclasses import dataclass

MANY = 150
"""Marks from which on all is learnt as asked for."""

POWER = 2 / 3
"""Of the marks: five are learnt at a tenth of that rate, twenty at a quarter."""

ENOUGH_FOR_STATISTICS = 50
"""Marks; fewer do not tell better than many scenes have told how features vary."""

STEPS_PER_MARK = 15


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How a training goes.

    Attributes
    ----------
    learning_rate
        Peak.
    steps
        At the most.
    learn_statistics
        Off where batch normalisation keeps the statistics the network came with.
    """

    learning_rate: float
    steps: int
    learn_statistics: bool = True


def slow_down(pace: Pace, marks: int) -> Pace:
    """Return the pace at which shipped weights learn from so many marks.

    Parameters
    ----------
    marks
        Of all classes together: they share what is learnt of features.
    """
    if marks >= MANY:
        return pace
    marks = max(marks, 1)
    return Pace(
        learning_rate=pace.learning_rate * (marks / MANY) ** POWER,
        steps=min(pace.steps, STEPS_PER_MARK * marks),
        learn_statistics=pace.learn_statistics and marks >= ENOUGH_FOR_STATISTICS,
    )
