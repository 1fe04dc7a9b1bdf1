"""What it tells of a pick that its place is flat: learnt from the marks.

In a crowded solution nothing: small particles are dark enough in any place. In a cell,
where whole compartments hold none of a particle, much; but a network that sees images
normalised as a whole does not learn it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from etpicker_plugin.engine.model.inference import for_inference
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.picking.flat_places import how_flat
from etpicker_plugin.engine.training.judge import Judge
from etpicker_plugin.engine.training.patches import UNKNOWN, TrainingVolume
from etpicker_plugin.engine.training.split import Region
from etpicker_plugin.engine.training.threshold import line_misfit, log_odds_of
from etpicker_plugin.engine.training.validation import (
    ValidationPart,
    match_part,
    pick_part,
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

FloatArray = NDArray[np.float64]


def learn_flatness(
    network: Network,
    volumes: Sequence[TrainingVolume],
    judge: Judge,
    *,
    known: Sequence[float],
) -> list[float]:
    """Return what a deviation below the usual contrast costs a pick of each class.

    Parameters
    ----------
    volumes
        Are picked, those with the most marks first, until there is enough to go by.
    known
        Per class, log-odds: what is held to without evidence.
    """
    ready = for_inference(network)
    nothing = (np.zeros(0), np.zeros(0), np.zeros(0, bool))
    evidence = [[nothing] for _ in judge.classes]
    marks = np.zeros(len(judge.classes), int)
    left = MOST_VOXELS
    for volume in sorted(volumes, key=lambda v: -len(v.positions_zyx)):
        wanted = [
            channel
            for channel, kind in enumerate(volume.annotation)
            if kind != UNKNOWN and marks[channel] < ENOUGH
        ]
        if not wanted or left <= 0:
            continue
        left -= volume.image.data.size
        part = _whole(volume)
        peaks = pick_part(
            ready, part, settings=judge.settings, diameters_vox=judge.diameters_vox
        )
        for channel in wanted:
            diameter = judge.diameters_vox[channel]
            own, is_true, n_truth = match_part(
                peaks, part, channel=channel, diameter_vox=diameter
            )
            flatness = how_flat(own, part.image, diameter_vox=diameter)
            evidence[channel].append((own.scores, flatness, is_true))
            marks[channel] += n_truth
    return [
        fit_log_odds(
            *(np.concatenate(column) for column in zip(*found, strict=True)),
            known=before,
        )
        for found, before in zip(evidence, known, strict=True)
    ]


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


def _whole(volume: TrainingVolume) -> ValidationPart:
    """Return all of a tomogram but what is held out or not to be learnt."""
    return ValidationPart(
        tomogram_id=volume.tomogram_id,
        image=volume.image,
        region=Region((0, 0, 0), volume.image.shape_zyx),
        allowed=volume.learnable,
        positions_zyx=volume.positions_zyx,
        channels=volume.channels,
        annotation=volume.annotation,
    )
