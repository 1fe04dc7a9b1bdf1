"""What it tells of a pick that its place is flat: learnt from the marks.

In a crowded solution nothing: small particles are dark enough in any place. In a cell,
where whole compartments hold none of a particle, much; but a network that sees images
normalised as a whole does not learn it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.model.inference import for_inference
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.picking.flat_places import (
    USUAL_SCORE,
    box_edge,
    contrast_around,
    how_flat,
    usual_contrast,
)
from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.judge import Judge
from etpicker_plugin.engine.training.patches import UNKNOWN, TrainingVolume
from etpicker_plugin.engine.training.threshold import line_misfit, log_odds_of
from etpicker_plugin.engine.training.validation import (
    ValidationPart,
    all_of,
    choose_all,
    find_candidates,
    match_part,
)

ENOUGH = 300
"""Marks of a class, after which no further tomogram is picked for it."""

MOST_VOXELS = 400_000_000
"""Are picked for all classes together."""

VOXELS_PER_SECOND = 5e6
"""Picked on two cores."""

PRIOR_DEVIATION = 0.5
"""Of the cost around what was known before: a handful of marks tells little."""

MOST_LOG_ODDS = 1.0
SLOPES = (0.1, 10.0)

Evidence = tuple[FloatArray, FloatArray, NDArray[np.bool_]]


def learn_flatness(
    network: Network, volumes: Sequence[TrainingVolume], judge: Judge
) -> tuple[Species, ...]:
    """Return the judge's species with what flatness costs a pick of each.

    What they come with is held to without evidence. The costs are fitted to picks
    that are chosen as they will be, from scores that nothing has been taken from.

    Parameters
    ----------
    volumes
        Are picked, those with the most marks first, until there is enough to go by.
    """
    ready = for_inference(network)
    nothing = (np.zeros(0), np.zeros(0), np.zeros(0, bool))
    evidence = [[nothing] for _ in judge.species]
    marks = np.zeros(len(judge.species), int)
    left = MOST_VOXELS
    for volume in sorted(volumes, key=lambda v: -len(v.positions_zyx)):
        wanted = [
            channel
            for channel, kind in enumerate(volume.annotation)
            if kind != UNKNOWN
            and marks[channel] < ENOUGH
            and judge.species[channel].kind == PARTICLE
        ]
        if not wanted or left <= 0:
            continue
        left -= volume.image.data.size
        part = all_of(volume)
        candidates = find_candidates(
            ready, part, judge.species, voxel_size=judge.voxel_size
        )
        for channel in wanted:
            picks, n_truth = _judged_picks(candidates, part, judge, channel)
            evidence[channel].append(picks)
            marks[channel] += n_truth
    return tuple(
        replace(
            one,
            flat_log_odds=fit_log_odds(
                *(np.concatenate(column) for column in zip(*found, strict=True)),
                known=one.flat_log_odds,
            ),
        )
        for one, found in zip(judge.species, evidence, strict=True)
    )


def _judged_picks(
    candidates: Peaks, part: ValidationPart, judge: Judge, channel: int
) -> tuple[Evidence, int]:
    """Return scores, flatness and truth of one class's picks, and its marks."""
    diameter = judge.species[channel].size_vox(judge.voxel_size).diameter
    edge = box_edge(diameter)
    own = candidates.select(candidates.channels == channel)
    costless = [replace(s, flat_log_odds=0.0) for s in judge.species]
    picks, is_true, n_truth = match_part(
        choose_all(own, part, costless, voxel_size=judge.voxel_size),
        part,
        channel=channel,
        diameter_vox=diameter,
    )
    telling = own.select(own.scores >= USUAL_SCORE)
    usual = usual_contrast(
        contrast_around(telling.positions_zyx, part.image, edge=edge), telling.scores
    )
    contrast = contrast_around(picks.positions_zyx, part.image, edge=edge)
    return (picks.scores, how_flat(contrast, usual), is_true), n_truth


def seconds_to_learn(volumes: Sequence[TrainingVolume]) -> float:
    """Return how long ``learn_flatness`` may take on two cores."""
    return min(sum(v.image.data.size for v in volumes), MOST_VOXELS) / VOXELS_PER_SECOND


def fit_log_odds(
    scores: FloatArray,
    flatness: FloatArray,
    is_true: NDArray[np.bool_],
    *,
    known: float,
) -> float:
    """Fit what flatness costs a score, for it to tell best which picks are true.

    The probability that a pick is true is a logistic function of its score's log-odds
    less ``cost · flatness``: by maximum likelihood, with weak priors on slope and cost.
    """
    if not is_true.any() or not flatness.any():
        return known
    log_odds = log_odds_of(scores)

    def loss(line: FloatArray) -> float:
        slope, offset, cost = line
        lowered = log_odds - cost * flatness
        misfit = line_misfit(lowered, is_true, slope=slope, offset=offset)
        return float(misfit + ((cost - known) / PRIOR_DEVIATION) ** 2 / 2)

    found = minimize(
        loss,
        np.array([1.0, 0.0, known]),
        method="L-BFGS-B",
        bounds=[SLOPES, (None, None), (0.0, MOST_LOG_ODDS)],
    )
    return round(float(found.x[2]), 4)
