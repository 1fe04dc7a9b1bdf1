"""Every set scored against one truth, with intervals over the tomograms."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from etpicker_plugin.engine.comparison.intervals import Interval, score_intervals
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.evaluation.scoring import ClassScores, compare, pool, score
from etpicker_plugin.engine.particles import Particles


@dataclass(frozen=True, kw_only=True)
class SetScores:
    """A set's numbers and their intervals (see ``score_intervals``)."""

    scores: ClassScores
    intervals: dict[str, Interval | None]


def score_sets(
    sets: PickSets,
    truth: Mapping[str, Particles],
    *,
    max_distance_ang: float,
    beta: float,
    resamples: int,
    seed: int,
) -> dict[str, SetScores]:
    """Score every set in the tomograms that have a truth.

    All sets are judged on the same bootstrap samples of the tomograms, so that their
    intervals compare.
    """
    scored = {}
    for name in sets.names:
        comparisons = [
            compare(
                sets.picks[name][t].positions_zyx * sets.voxel_size,
                truth[t].positions_zyx * sets.voxel_size,
                scores=sets.picks[name][t].scores,
                max_distance=max_distance_ang,
            )
            for t in sets.tomograms
            if t in truth
        ]
        scored[name] = SetScores(
            scores=score(pool(comparisons), voxel_size=sets.voxel_size, beta=beta),
            intervals=score_intervals(
                comparisons,
                voxel_size=sets.voxel_size,
                beta=beta,
                resamples=resamples,
                generator=np.random.default_rng(seed),
            ),
        )
    return scored
