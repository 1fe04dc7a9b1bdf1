"""The loss of an update: learn the new, replay the old, and stay near the old model."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.training.losses import (
    spare_likely_particles,
    supervised_loss,
)
from etpicker_plugin.engine.training.patches import Batch
from etpicker_plugin.engine.update.distillation import (
    feature_distillation,
    output_distillation,
)
from etpicker_plugin.engine.update.importance import importance_penalty


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Weights of the terms beside the supervised loss on new data, which has 1."""

    replay: float
    distillation: float
    feature: float
    importance: float


def dual_path(teacher: Network) -> Callable[[Network, Tensor], tuple[Tensor, ...]]:
    """Return what runs student and frozen teacher on the same images.

    The outputs are logits, deepest and last features of the student, then those of
    the teacher.
    """

    def run(student: Network, image: Tensor) -> tuple[Tensor, ...]:
        with torch.no_grad():
            old = teacher.forward_with_features(image)
        return (*student.forward_with_features(image), *old)

    return run


@dataclass(frozen=True, kw_only=True)
class UpdateLoss:
    """Supervised + replay + distillation + importance, over a mixed batch.

    Attributes
    ----------
    anchors, importance
        The old weights, and how much each matters.
    confident
        ``(C_old,)`` probability from which the old model is sure of a particle.
    """

    terms: Terms
    anchors: list[Tensor]
    importance: list[Tensor]
    confident: Tensor

    def __call__(
        self, outputs: tuple[Tensor, ...], batch: Batch, network: Network
    ) -> Tensor:
        """Return the loss of the outputs of ``dual_path``."""
        logits, deep, last, *of_teacher = outputs
        taught, old_deep, old_last = (o.detach() for o in of_teacher)
        target = batch.target.to(logits.device)
        weight = spare_old_particles(
            batch.weight.to(logits.device), taught, self.confident
        )
        weight = spare_likely_particles(logits, target, weight)
        replayed = batch.replayed.to(logits.device)
        share = torch.where(replayed, self.terms.replay, 1.0)
        loss = supervised_loss(logits, target, weight * _per_patch(share))
        if self.terms.distillation:
            known = taught.shape[1]
            trusted = where_teacher_counts(
                batch.weight.to(logits.device)[:, :known], replayed
            )
            loss = loss + self.terms.distillation * output_distillation(
                logits[:, :known], taught, trusted
            )
        if self.terms.feature:
            loss = loss + self.terms.feature * (
                feature_distillation(deep, old_deep)
                + feature_distillation(last, old_last)
            )
        if self.terms.importance:
            loss = loss + self.terms.importance * importance_penalty(
                network, self.anchors, self.importance
            )
        return loss


def spare_old_particles(weight: Tensor, taught: Tensor, confident: Tensor) -> Tensor:
    """Do not teach as background what the old model surely takes for a particle.

    New tomograms hold old species that nobody marked. Where every particle of a class
    is marked (weight 1) the marks are right, and nothing is spared.

    Parameters
    ----------
    weight
        ``(B, C, Z, Y, X)``; C may be larger than the old model's number of classes.
    taught
        ``(B, C_old, Z, Y, X)`` logits of the old model.
    confident
        ``(C_old,)``.
    """
    known = taught.shape[1]
    sure = (
        torch.sigmoid(taught) > confident.to(taught.device)[None, :, None, None, None]
    )
    spared = torch.where(sure & (weight[:, :known] < 1), 0.0, weight[:, :known])
    return torch.cat([spared, weight[:, known:]], dim=1)


def where_teacher_counts(weight: Tensor, replayed: Tensor) -> Tensor:
    """Return where the old model's outputs are held: 1 or 0.

    On exemplars everywhere. On new data only where nobody has said what is there: a
    marked particle of a new species may look like an old one to the old model.

    Parameters
    ----------
    weight
        ``(B, C_old, Z, Y, X)`` of the labels.
    replayed
        ``(B,)`` bool.
    """
    open_question = (weight > 0) & (weight < 1)
    return (open_question | _per_patch(replayed)).float()


def _per_patch(values: Tensor) -> Tensor:
    """Spread ``(B,)`` over ``(B, C, Z, Y, X)``."""
    return values[:, None, None, None, None]
