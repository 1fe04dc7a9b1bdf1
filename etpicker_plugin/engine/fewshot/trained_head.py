"""The head of a trained model, moved by what it gets wrong, and by nothing else.

A training has seen more than the clicks alone tell, so its head is not solved anew: of
proteasomes and rubisco its own finds more. Logits are taken from each class's threshold
on, so that 0 is where a pick begins to count. An answer that is right moves nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
from scipy.optimize import minimize
from torch import Tensor

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.fewshot.head import Usual
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.species import Species

MARGIN = 0.5
"""Logits that an answer is to lie beyond the threshold."""

HOLD_DIRECTION, HOLD_OFFSET = 1.0, 0.1
"""What it costs to change the whole of a direction, and to shift all logits by 1, in
units of an answer that is wrong by 1 (see ``push_away``)."""

CUT_OFF = 0.5
"""The score at which the logit is 0."""


class TrainedHead(NamedTuple):
    """Weights ``(F,)`` and bias of a class, which answers 0 at its threshold."""

    weight: FloatArray
    bias: float


def trained_heads(
    network: FastNetwork, species: Sequence[Species]
) -> dict[str, TrainedHead]:
    """Return the heads of a trained network's particles, by class.

    Parameters
    ----------
    species
        In the order of the channels; where a network has more, those have no name.
    """
    head = network.head
    weights = head.weight.detach().double().cpu().numpy()[:, :, 0, 0, 0]
    biases = cast(Tensor, head.bias).detach().double().cpu().numpy()
    return {
        one.name: at_threshold(weight, float(bias), one.threshold)
        for one, weight, bias in zip(species, weights, biases, strict=False)
        if one.kind == PARTICLE and np.isfinite(one.threshold)
    }


def at_threshold(weight: FloatArray, bias: float, threshold: float) -> TrainedHead:
    """Return a class's head, shifted so that its threshold, 0 to 1, is at 0."""
    sure = float(np.clip(threshold, 1e-6, 1 - 1e-6))
    return TrainedHead(weight, bias - float(np.log(sure / (1 - sure))))


def teach(
    head: TrainedHead, clicks: FloatArray, negatives: FloatArray, usual: Usual
) -> TrainedHead:
    """Return a head moved by the answers that it gets wrong.

    Parameters
    ----------
    clicks, negatives
        ``(N, F)``, features of places that hold the class, and of those that hold none.
    usual
        In units of how much usual places vary, changes are counted.
    """
    root = np.linalg.cholesky(usual.covariance)
    places = np.concatenate([clicks, negatives]) - usual.mean
    places = np.linalg.solve(root, places.T).T
    signs = np.repeat([1.0, -1.0], [len(clicks), len(negatives)])
    start = np.append(root.T @ head.weight, head.bias + head.weight @ usual.mean)
    length = start[:-1] @ start[:-1]

    def cost(moved: FloatArray) -> tuple[float, FloatArray]:
        change = moved - start
        short = np.maximum(MARGIN - signs * (places @ moved[:-1] + moved[-1]), 0)
        held = HOLD_DIRECTION * (change[:-1] @ change[:-1]) / length
        slope = -2.0 * np.append((signs * short) @ places, signs @ short)
        slope[:-1] += 2 * HOLD_DIRECTION * change[:-1] / length
        slope[-1] += 2 * HOLD_OFFSET * change[-1]
        return float(short @ short + held + HOLD_OFFSET * change[-1] ** 2), slope

    found = minimize(cost, start, jac=True, method="L-BFGS-B").x
    weight = np.linalg.solve(root.T, found[:-1])
    return TrainedHead(weight, float(found[-1] - weight @ usual.mean))
