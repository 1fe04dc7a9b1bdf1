"""The head that a training begins with: solved from its first patches, not random.

While a random head is learnt its gradients distort the features below it, and what
these told is lost (Kumar et al., ICLR 2022). Patches show what will be learnt: marks
by their labels, turned and mirrored, and nothing that is held out or masked.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from etpicker_plugin.engine.fewshot.head import solve_head, usual_of
from etpicker_plugin.engine.model.fast_network import RARE_LOGIT, FastNetwork
from etpicker_plugin.engine.model.network import LAYOUT
from etpicker_plugin.engine.training.losses import (
    spare_likely_particles,
    supervised_loss,
)
from etpicker_plugin.engine.training.patches import BatchSource

PATCHES, MOST_PATCHES = 32, 128
"""Are looked at; more only while there is a class that none of them shows."""

AT_ONCE = 4

STRIDE = 7
"""Of the voxels without a label each so many-th is looked at: odd, so that they lie
everywhere on the grid of the strided layers."""

FEWEST = 500
"""Voxels without a label, without which nothing tells what is usual."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Voxels of patches: features ``(N, F)``, labels and weights ``(N, C)``.

    One without a label stands for ``STRIDE`` of them, and weighs as much.
    """

    features: Tensor
    target: Tensor
    weight: Tensor


def solve_first_head(
    network: FastNetwork, source: BatchSource, *, first_channel: int = 0
) -> None:
    """Give a network, in place, the head that patches tell; its features stay.

    The weights are Fisher's discriminant, as without training (``fewshot/head.py``);
    gain and offset of each class are those of the least loss. A class of which no
    patch shows a particle answers to nothing yet.

    Parameters
    ----------
    network
        With features that tell something.
    source
        Of the patches that will be learnt from.
    first_channel
        The classes before this one keep their head.
    """
    seen = _look_at(network, source, first_channel=first_channel)
    weight, bias = _fit_to_loss(*_discriminants(seen), seen)
    new, head = slice(first_channel, None), network.head.state_dict()
    head["weight"][new].copy_(weight[new, :, None, None, None])
    head["bias"][new].copy_(bias[new])


def _look_at(network: FastNetwork, source: BatchSource, *, first_channel: int) -> Seen:
    """Return what a network sees in the first patches of a source."""
    was_training, device = network.training, network.head.weight.device
    network.eval()
    found: list[Seen] = []
    missing = np.arange(network.head.out_channels) >= first_channel
    for number in range(MOST_PATCHES // AT_ONCE):
        if number * AT_ONCE >= PATCHES and not missing.any():
            break
        batch = source.batch(number, AT_ONCE)
        image = batch.image.to(device).contiguous(memory_format=LAYOUT)
        with torch.inference_mode():
            features = network.forward_with_features(image)[2]
        seen = _thin_out(_rows(features), _rows(batch.target), _rows(batch.weight))
        missing &= ~(seen.target > 0).any(dim=0).numpy()
        found.append(seen)
    network.train(was_training)
    return Seen(
        features=torch.cat([seen.features for seen in found]),
        target=torch.cat([seen.target for seen in found]),
        weight=torch.cat([seen.weight for seen in found]),
    )


def _rows(values: Tensor) -> Tensor:
    """Return ``(B, C, Z, Y, X)`` as ``(B·Z·Y·X, C)`` on the CPU."""
    return values.float().cpu().movedim(1, -1).flatten(0, -2)


def _thin_out(features: Tensor, target: Tensor, weight: Tensor) -> Seen:
    """Keep the voxels that may be learnt: those with a label, some of the others."""
    labelled = (target > 0).any(dim=1)
    some = torch.arange(len(target)) % STRIDE == 0
    kept = (labelled | some) & (weight > 0).any(dim=1)
    stands_for = torch.where(labelled, 1.0, float(STRIDE))
    return Seen(
        features=features[kept],
        target=target[kept],
        weight=(weight * stands_for[:, None])[kept],
    )


def _discriminants(seen: Seen) -> tuple[Tensor, Tensor]:
    """Return weights ``(C, F)`` and biases ``(C,)`` from the features of the labels."""
    shown = ((seen.target > 0) & (seen.weight > 0)).numpy()
    features = seen.features.double().numpy()
    n_classes = shown.shape[1]
    known = np.flatnonzero(shown.any(axis=0))
    weights = np.zeros((n_classes, features.shape[1]))
    biases = np.full(n_classes, RARE_LOGIT)
    unmarked = features[~shown.any(axis=1)]
    if len(known) and len(unmarked) >= FEWEST:
        usual = usual_of(unmarked)
        means = np.stack([features[shown[:, c]].mean(axis=0) for c in known])
        head = solve_head(usual, means, features[:0])
        weights[known], biases[known] = head.weights, head.biases
    return torch.from_numpy(weights).float(), torch.from_numpy(biases).float()


def _fit_to_loss(weight: Tensor, bias: Tensor, seen: Seen) -> tuple[Tensor, Tensor]:
    """Scale and shift each class's logits to where the loss of training is least."""
    logits = _as_batch(seen.features @ weight.T + bias)
    target, counts = _as_batch(seen.target), _as_batch(seen.weight)
    gain = torch.ones(1, logits.shape[1], 1, 1, 1, requires_grad=True)
    offset = torch.zeros_like(gain, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [gain, offset], max_iter=60, line_search_fn="strong_wolfe"
    )
    counts = spare_likely_particles(logits, target, counts)

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = supervised_loss(gain * logits + offset, target, counts)
        value.backward()
        return value

    optimiser.step(loss)
    # Nothing tells how seldom a class is that no patch shows.
    shown = (target * counts).sum((0, 2, 3, 4)) > 0
    scale = torch.where(shown, gain.detach().flatten(), 1.0)
    shift = torch.where(shown, offset.detach().flatten(), 0.0)
    return weight * scale[:, None], bias * scale + shift


def _as_batch(rows: Tensor) -> Tensor:
    """Return ``(N, C)`` as a batch ``(1, C, N, 1, 1)`` of one row of voxels."""
    return rows.T[None, :, :, None, None].contiguous()
