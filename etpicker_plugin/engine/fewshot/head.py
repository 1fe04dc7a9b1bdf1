"""The head that follows from clicks, without training: a whitened mean.

Fisher's linear discriminant: along ``w = S⁻¹ (m - m0)`` the mean m of the clicked
places is farthest from the mean m0 of all places, in units of how much S varies.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.fewshot.push_away import push_away
from etpicker_plugin.engine.model.fast_network import FastNetwork

SHRINKAGE = 0.1
"""Of the mean variance, added to each feature's own: a few clicks do not deserve
directions in which the volume hardly varies (Ledoit & Wolf 2004 shrink likewise)."""

FEWEST = 500
"""Voxels, of the network's output, that tell what is usual: many times the features."""

GAIN = 8.0
"""Logits between a usual place and a clicked one: from -4 to 4, so that a usual place
scores 0.02 and a clicked one 0.98."""


@dataclass(frozen=True)
class Usual:
    """Mean ``(F,)`` and covariance ``(F, F)`` of the features of all places."""

    mean: FloatArray
    covariance: FloatArray


class Head(NamedTuple):
    """Weights ``(C, F)`` and biases ``(C,)`` of the classes' logits."""

    weights: FloatArray
    biases: FloatArray


def usual_of(features: FloatArray) -> Usual:
    """Return mean and covariance of ``(N, F)``, the latter shrunk."""
    covariance = np.cov(features, rowvar=False)
    ridge = SHRINKAGE * np.trace(covariance) / len(covariance)
    return Usual(features.mean(axis=0), covariance + ridge * np.eye(len(covariance)))


def require_enough(features: FloatArray) -> None:
    """Refuse usual places, ``(N, F)``, that are too few for a covariance.

    Raises
    ------
    InputDataError
        Saying how many there are.
    """
    if len(features) < FEWEST:
        raise InputDataError(
            f"{len(features)} places of the tomograms may be looked at, expected "
            f"{FEWEST} or more: from them follows what is usual there. Give masks that "
            "leave more, or none, and look whether the tomograms are large enough."
        )


def solve_head(usual: Usual, means: FloatArray, negatives: FloatArray) -> Head:
    """Return the head of the classes' logits.

    The other classes, which a class must not answer to, are added to what varies: of
    those directions it then takes nothing. What was said to be none of them is like
    them, and the head is only moved away from it (see ``push_away``).

    Parameters
    ----------
    means
        ``(C, F)``, mean features of each class's clicks.
    negatives
        ``(N, F)``, features of places that hold none of the classes.
    """
    away = means - usual.mean
    weights, biases = [], []
    for number, own in enumerate(away):
        others = np.delete(away, number, axis=0)
        direction = np.linalg.solve(usual.covariance + others.T @ others, own)
        weight = GAIN * direction / (direction @ own)
        bias = float(-weight @ usual.mean - GAIN / 2)
        if len(negatives):
            weight, bias = push_away(
                weight,
                bias,
                click=means[number],
                negatives=negatives,
                mean=usual.mean,
                covariance=usual.covariance,
            )
        weights.append(weight)
        biases.append(bias)
    return Head(np.array(weights), np.array(biases))


def give_head(network: FastNetwork, head: Head) -> None:
    """Put a head into a network of as many classes, in place."""
    network.head.load_state_dict(
        {
            "weight": torch.from_numpy(head.weights)[..., None, None, None],
            "bias": torch.from_numpy(head.biases),
        }
    )
