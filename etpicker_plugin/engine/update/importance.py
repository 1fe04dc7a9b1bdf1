"""How much each weight matters to what a model says, and the price of moving it."""

from collections.abc import Iterable

import torch
from torch import Tensor

from etpicker_plugin.engine.model.network import LAYOUT, Network


def weight_importance(network: Network, images: Iterable[Tensor]) -> list[Tensor]:
    """Return each weight's importance: how much the outputs change when it moves.

    The mean absolute gradient of the squared length of the outputs (Memory Aware
    Synapses: Aljundi et al., ECCV 2018), which needs no labels, so that it can be
    measured on new data too. EPicker holds all weights equally. The outputs are
    probabilities, so that the background, whose logits are far below zero, does not
    count. Scaled to a mean of 1 over all weights.

    Parameters
    ----------
    images
        Batches ``(B, 1, P, P, P)``.

    Returns
    -------
    list of Tensor
        One for each of the network's parameters, in their order.
    """
    parameters = list(network.parameters())
    device = parameters[0].device
    totals = [torch.zeros_like(p) for p in parameters]
    network.eval()
    for parameter in parameters:
        parameter.requires_grad_(True)
    for image in images:
        placed = image.to(device).contiguous(memory_format=LAYOUT)
        length = (torch.sigmoid(network(placed).float()) ** 2).sum()
        for total, g in zip(
            totals, torch.autograd.grad(length, parameters), strict=True
        ):
            total += g.abs()
    mean = sum(t.sum() for t in totals) / sum(t.numel() for t in totals)
    return [t / torch.clamp(torch.as_tensor(mean), min=1e-12) for t in totals]


def importance_penalty(
    network: Network, anchors: list[Tensor], importance: list[Tensor]
) -> Tensor:
    """Return ``Σ Ω (θ - θ_old)² / 2`` (Kirkpatrick et al. 2017, eq. 3).

    Parameters
    ----------
    anchors, importance
        Old weights and their importance, in the order of the parameters. The head may
        have grown: only its old channels are held.
    """
    total = torch.zeros((), device=anchors[0].device)
    for parameter, old, weight in zip(
        network.parameters(), anchors, importance, strict=True
    ):
        moved = parameter[: len(old)] - old
        total = total + (weight * moved**2).sum()
    return total / 2
