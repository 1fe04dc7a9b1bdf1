"""Distillation: how far a model has moved from what the old one says.

EPicker (Zhang et al. 2022) compares features only, on exemplars only. Here outputs
are compared too, and on the new data as well, where the old model knows the old
species that nobody marked.
"""

import torch
from torch import Tensor, nn


def output_distillation(student: Tensor, teacher: Tensor, weight: Tensor) -> Tensor:
    """Return the divergence of the student's probabilities from the teacher's.

    ``Σ w KL(p || q) / (Σ w p + 100)`` per class, averaged, with p the teacher's and q
    the student's probability of a voxel (Hinton et al. 2015, for independent
    classes; the temperature is 1, as voxels are soft targets already). As in the
    cross-entropy of labels the sum is divided by the mass of particles, not by the
    number of voxels.

    Parameters
    ----------
    student, teacher
        ``(B, C, Z, Y, X)`` logits.
    weight
        ``(B, C, Z, Y, X)``.
    """
    axes = (0, 2, 3, 4)
    probability = torch.sigmoid(teacher)
    entropy = nn.functional.binary_cross_entropy_with_logits
    divergence = entropy(student, probability, reduction="none") - entropy(
        teacher, probability, reduction="none"
    )
    mass = (weight * probability).sum(axes)
    return ((weight * divergence).sum(axes) / (mass + 100.0)).mean()


def feature_distillation(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the squared distance of features over the teacher's squared length.

    Parameters
    ----------
    student, teacher
        ``(B, D, Z, Y, X)``.
    """
    return ((student - teacher) ** 2).sum() / (teacher**2).sum().clamp(min=1e-6)
