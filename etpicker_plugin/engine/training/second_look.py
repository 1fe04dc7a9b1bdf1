"""What a second look counts for, beside the network: learnt from what is held out."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial import cKDTree

from etpicker_plugin.engine.annotation import UNKNOWN
from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.maps.density import DensityMap
from etpicker_plugin.engine.model.inference import for_inference
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.picking.flat_places import doubt_flat_places
from etpicker_plugin.engine.picking.second_look import (
    FIRST_WEIGHTS,
    Compared,
    SecondLook,
)
from etpicker_plugin.engine.training.judge import LOWER_DOSES, Judge
from etpicker_plugin.engine.training.validation import (
    MATCH_SHARE,
    ValidationPart,
    find_candidates,
    with_noise,
)

logger = logging.getLogger(__name__)

PRIOR = 0.5
"""Strength with which weights are drawn to the first ones: marks may be few."""

LOOK_S, VOXELS_PER_SECOND = 4.0, 5e5
"""Of a part on two cores: what a look takes at the least, and how fast it goes on."""

LARGEST_WEIGHT = 5.0
"""And none counts against what it speaks for."""


def learn_second_look(
    network: Network,
    parts: Sequence[ValidationPart],
    judge: Judge,
    maps: Sequence[DensityMap],
    defocus_um: float | None,
) -> Judge:
    """Return a judge that looks twice, with weights fitted to held-out marks.

    To parts as they are and at a lower dose, as other tomograms may be. The weights are
    all classes' together: there are too few marks for more. Where nobody marked
    anything the log-odds of network and maps are added up. Without maps it is the same
    judge.

    Parameters
    ----------
    parts
        Of tomograms that were given: scenes made of the maps teach that maps tell
        little, which held in no tomogram that it was tried on.
    """
    if not maps:
        return judge
    look = SecondLook(
        maps=tuple(maps), voxel_size=judge.voxel_size, defocus_um=defocus_um
    )
    if not parts:
        return replace(judge, second_look=look)
    ready = for_inference(network)
    features, is_true = [np.zeros((0, 2))], [np.zeros(0, dtype=bool)]
    for part in _at_two_doses(list(parts)):
        candidates = find_candidates(
            ready, part, judge.species, voxel_size=judge.voxel_size
        )
        peaks = doubt_flat_places(
            candidates, part.image, judge.species, voxel_size=judge.voxel_size
        )
        compared = look.compare(peaks, part.image, judge.species)
        counted, true = _told(compared, part, judge)
        features.append(compared.features[counted])
        is_true.append(true[counted])
    weights = fit_weights(np.concatenate(features), np.concatenate(is_true))
    logger.info(
        "Candidates are compared with the maps: the network's log-odds count %.2f, "
        "the maps' %.2f",
        *weights[:2],
    )
    return replace(judge, second_look=look.with_weights(weights))


def seconds_to_compare(parts: Sequence[ValidationPart]) -> float:
    """Return how long all comparisons of the end take on two cores."""
    sizes = [np.prod(np.subtract(p.region.stop, p.region.start)) for p in parts]
    looks = 2 + 1 + len(LOWER_DOSES)  # to learn from, and to choose thresholds by
    return looks * (LOOK_S * len(parts) + float(sum(sizes)) / VOXELS_PER_SECOND)


def _at_two_doses(parts: list[ValidationPart]) -> Iterator[ValidationPart]:
    yield from parts
    yield from with_noise(parts, LOWER_DOSES[0])


def _told(
    compared: Compared, part: ValidationPart, judge: Judge
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which candidates count, and which lie on a particle of their class."""
    peaks = compared.peaks
    counted = part.region.contains(peaks.positions_zyx)
    is_true = np.zeros(len(peaks), dtype=bool)
    for channel, one in enumerate(judge.species):
        own = peaks.channels == channel
        if part.annotation[channel] == UNKNOWN:
            counted &= ~own
            continue
        truth = part.positions_zyx[part.channels == channel]
        if len(truth) and own.any():
            away, _ = cKDTree(truth).query(peaks.positions_zyx[own])
            reach = MATCH_SHARE * one.size_vox(judge.voxel_size).diameter
            is_true[own] = away <= reach
    return counted, is_true


def fit_weights(
    features: FloatArray, is_true: NDArray[np.bool_]
) -> tuple[float, float, float]:
    """Return the weights of features ``(N, 2)`` and an offset that tell best the true.

    By maximum likelihood, with a weak prior; the first ones where nothing is true.
    """
    if not is_true.any():
        return FIRST_WEIGHTS
    columns = np.column_stack([features, np.ones(len(features))])
    first = np.array(FIRST_WEIGHTS)

    def loss(weights: FloatArray) -> float:
        z = columns @ weights
        misfit = np.sum(np.logaddexp(0.0, z) - is_true * z)
        return float(misfit + PRIOR * np.sum((weights - first)[:2] ** 2))

    bounds = [(0.0, LARGEST_WEIGHT)] * 2 + [(None, None)]
    found = minimize(loss, first, method="L-BFGS-B", bounds=bounds).x
    network, maps, offset = (round(float(w), 4) for w in found)
    return network, maps, offset
