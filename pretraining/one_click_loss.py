"""How well the head that follows from one click finds the others of its species.

It is the head of ``engine/fewshot/head.py``, but for torch, which differentiates it:
the features learn to be what such a head can use.
"""

import torch
from scene_store import PATCH, STRIDE, Patches
from torch import Tensor, nn

from etpicker_plugin.engine.fewshot.head import GAIN, SHRINKAGE
from etpicker_plugin.engine.training.losses import supervised_loss

SCATTER_VOX = 0.7
EVERY = 5
"""Voxel, for mean and covariance of the features; odd, so that all columns count."""
LEAST_DISTANCE = 1.0
"""Added to the squared distance between a click and the usual: a click on nothing
would have no direction."""
EDGE_VOX = 4.0
BALL = ((0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))


class OneClickLoss(nn.Module):
    """Each class's head from one click in the patches, judged on all of them.

    Sharpness and level of the logits are learnt: the order of places matters.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_sharpness = nn.Parameter(torch.zeros(()))
        self.level = nn.Parameter(torch.tensor(-2.0))

    def forward(self, features: Tensor, patches: Patches) -> Tensor:
        """Return the loss of features ``(B, F, V)``."""
        clicked, patch, shown = draw_clicks(features, patches)
        usual = usual_of_patches(features, patches.weight)
        weights, biases = solve_heads(clicked, patch, usual)
        logits = weights @ features + biases[:, None]
        logits = self.log_sharpness.exp() * logits + self.level
        counts = patches.weight * shown[:, None]
        return supervised_loss(*map(_as_volumes, (logits, patches.target, counts)))


def draw_clicks(features: Tensor, patches: Patches) -> tuple[Tensor, Tensor, Tensor]:
    """Draw a click for each class: features ``(C, F)``, patch, and whether it counts.

    It does where the patches show another particle of that class.
    """
    n = PATCH // STRIDE
    inside = (patches.places - PATCH / 2).abs().amax(2) < PATCH / 2 - EDGE_VOX
    clicks = patches.places + SCATTER_VOX * torch.randn_like(patches.places)
    middle = ((clicks - (STRIDE - 1) / 2) / STRIDE).round().long().clamp(1, n - 2)
    ball = torch.tensor(BALL, device=middle.device)
    z, y, x = (middle[:, :, None] + ball).unbind(-1)  # (B, N, 7)
    index = (z * n + y) * n + x
    batch = torch.arange(len(index), device=index.device)[:, None, None]
    seen = features.transpose(1, 2)[batch, index].mean(2)  # (B, N, F)
    own = (patches.member & inside[:, None]).transpose(0, 1).flatten(1)  # (C, B N)
    drawn = (torch.rand(own.shape[1], device=own.device) + own).argmax(1)
    return seen.flatten(0, 1)[drawn], drawn // seen.shape[1], own.sum(1) > 1


def usual_of_patches(features: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean ``(B, F)`` and shrunk covariance ``(B, F, F)`` of each patch."""
    values, counts = (v[:, :, ::EVERY].double() for v in (features, weight))
    total = counts.sum(2).clamp(min=1)
    mean = (counts * values).sum(2) / total
    away = (values - mean[:, :, None]) * counts
    covariance = away @ away.transpose(1, 2) / total[:, :, None]
    variance = covariance.diagonal(dim1=1, dim2=2).mean(1)
    unit = torch.eye(mean.shape[1], device=mean.device)
    return mean, covariance + (SHRINKAGE * variance + 1e-6)[:, None, None] * unit


def solve_heads(
    clicked: Tensor, patch: Tensor, usual: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Return weights ``(C, F)`` and biases ``(C,)``: a click against its patch."""
    mean, inverse = usual[0][patch], torch.linalg.inv_ex(usual[1])[0][patch]
    away = clicked.double() - mean
    direction = torch.einsum("cij,cj->ci", inverse, away)
    distance2 = (direction * away).sum(1, keepdim=True) + LEAST_DISTANCE
    weights = GAIN * direction / distance2
    biases = -(weights * mean).sum(1) - GAIN / 2
    return weights.float(), biases.float()


def _as_volumes(values: Tensor) -> Tensor:
    """Turn ``(B, C, V)`` into ``(B, C, V, 1, 1)``, as the losses want."""
    return values[..., None, None]
