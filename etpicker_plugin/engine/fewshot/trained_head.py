"""The head of a trained model, moved by what it gets wrong, and by nothing else.

A training has seen more than the clicks alone tell, so its head is not solved anew, and
its thresholds hold. An answer that is right moves nothing.
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

CENTRE_SHARE = 0.28
"""A pick's score is a mean around its centre: this share of the score at the centre."""

HOLD_DIRECTION, HOLD_OFFSET = 100.0, 10.0
"""What it costs to change the whole of a direction, and to shift all logits by 1, in
units of an answer that is wrong by 1. Held much faster than a head of clicks alone
(``push_away``), as a training knows more: of rubisco, taught again by 65 clicks and 20
rejected places that it was trained on, F1 stays at 0.53; held a hundred times less it
falls to 0.47."""


class TrainedHead(NamedTuple):
    """Weights ``(F,)`` and bias of a class, and the threshold of its picks."""

    weight: FloatArray
    bias: float
    threshold: float


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
        one.name: TrainedHead(weight, float(bias), one.threshold)
        for one, weight, bias in zip(species, weights, biases, strict=False)
        if one.kind == PARTICLE and np.isfinite(one.threshold)
    }


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
    border = border_of(head.threshold)

    def cost(moved: FloatArray) -> tuple[float, FloatArray]:
        change = moved - start
        beyond = signs * (places @ moved[:-1] + moved[-1] - border)
        short = np.maximum(-beyond, 0)
        held = HOLD_DIRECTION * (change[:-1] @ change[:-1]) / length
        slope = -2.0 * np.append((signs * short) @ places, signs @ short)
        slope[:-1] += 2 * HOLD_DIRECTION * change[:-1] / length
        slope[-1] += 2 * HOLD_OFFSET * change[-1]
        return float(short @ short + held + HOLD_OFFSET * change[-1] ** 2), slope

    found = minimize(cost, start, jac=True, method="L-BFGS-B").x
    weight = np.linalg.solve(root.T, found[:-1])
    return head._replace(weight=weight, bias=float(found[-1] - weight @ usual.mean))


def border_of(threshold: float) -> float:
    """Return the logit at the centre of a pick whose score is the threshold."""
    score = float(np.clip(threshold / CENTRE_SHARE, 1e-6, 0.5))
    return float(np.log(score / (1 - score)))
