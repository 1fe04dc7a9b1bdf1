"""Losses between logits and weak labels, with a weight for every voxel."""

import torch
from torch import Tensor, nn

SMOOTH = 1.0


def soft_dice_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return one minus the soft Dice coefficient, averaged over classes.

    ``1 - (2 Σ w p t + s) / (Σ w p + Σ w t + s)`` per class over the whole batch, with
    s = 1 (Milletari et al. 2016; DeepETPicker sums over the batch likewise). A class
    of which the batch shows no particle has no coefficient and is left out: it would
    push down whatever is not marked, with all its force however little that weighs.

    Parameters
    ----------
    logits, target, weight
        ``(B, C, Z, Y, X)``; target 0 to 1.
    """
    axes = (0, 2, 3, 4)
    probability = torch.sigmoid(logits)
    overlap = (weight * probability * target).sum(axes)
    marked = (weight * target).sum(axes)
    total = (weight * probability).sum(axes) + marked
    shown = (marked > 0).float()
    loss = shown * (1.0 - (2.0 * overlap + SMOOTH) / (total + SMOOTH))
    return loss.sum() / shown.sum().clamp(min=1.0)


def cross_entropy_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return the binary cross-entropy per marked voxel, averaged over classes.

    The sum over voxels is divided by the weight of the marked ones, not by the
    number of voxels: particles are a thousandth of a tomogram, and a mean over all
    voxels would hardly see them.

    Parameters
    ----------
    logits, target, weight
        ``(B, C, Z, Y, X)``.
    """
    axes = (0, 2, 3, 4)
    entropy = nn.functional.binary_cross_entropy_with_logits(
        logits, target, reduction="none"
    )
    marked = (weight * target).sum(axes)
    return ((weight * entropy).sum(axes) / (marked + 100.0)).mean()


def supervised_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return Dice plus cross-entropy.

    Dice finds rare particles early; cross-entropy keeps the probabilities from
    saturating, so that scores rank.
    """
    logits = logits.float()
    return soft_dice_loss(logits, target, weight) + cross_entropy_loss(
        logits, target, weight
    )


def spare_likely_particles(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Ignore unmarked voxels that look as much like a particle as the marked ones.

    With sparse annotation unmarked voxels weigh less than 1, and many are of particles
    too. Those whose probability exceeds the mean of the marked voxels of their class in
    the batch are not pushed down (EPicker's sparse loss, Zhang et al. 2022, spares
    those above a fixed probability, which a network that has seen few clicks never
    reaches). Where the annotation is complete every weight is 0 or 1 and nothing
    changes, nor for a class of which the batch shows no particle.

    Parameters
    ----------
    logits, target, weight
        ``(B, C, Z, Y, X)``.

    Returns
    -------
    Tensor
        ``(B, C, Z, Y, X)`` weight.
    """
    axes = (0, 2, 3, 4)
    probability = torch.sigmoid(logits.detach())
    marked = (weight * target).sum(axes, keepdim=True)
    of_marked = (weight * target * probability).sum(axes, keepdim=True)
    usual = of_marked / marked.clamp(min=1e-6)
    unsure = (weight > 0) & (weight < 1) & (target == 0) & (marked > 0)
    return torch.where(unsure & (probability > usual), 0.0, weight)
