"""Replay: exemplars as volumes to learn from, mixed into the batches of new data."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from etpicker_plugin.engine.model.exemplars import Exemplar
from etpicker_plugin.engine.training.patches import (
    UNKNOWN,
    Batch,
    PatchSampler,
    TrainingVolume,
)
from etpicker_plugin.engine.training.split import Region
from etpicker_plugin.engine.training.validation import ValidationPart
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

REPLAY_SEED = 1_000_003
REPLAY_SHARE = 0.25


def learnt_volumes(
    exemplars: list[Exemplar], classes: tuple[str, ...]
) -> list[TrainingVolume]:
    """Return the exemplars that may be learnt from, as volumes of these classes."""
    return [
        TrainingVolume(
            tomogram_id=e.tomogram_id,
            image=ArrayVolume(np.nan_to_num(e.image)),
            learnable=ArrayVolume(~np.isnan(e.image)),
            positions_zyx=e.positions_zyx.astype(np.float64),
            channels=_channels(e, classes),
            annotation=_annotation(e, classes),
            negatives_zyx=np.array(e.negatives_zyx, dtype=np.float64).reshape(-1, 3),
        )
        for e in exemplars
        if not e.held_out
    ]


def held_out_parts(
    exemplars: list[Exemplar], classes: tuple[str, ...]
) -> list[ValidationPart]:
    """Return the exemplars that only measure, as validation parts."""
    return [
        ValidationPart(
            tomogram_id=e.tomogram_id,
            image=ArrayVolume(np.nan_to_num(e.image)),
            region=Region(e.counted_start, e.counted_stop),
            allowed=ArrayVolume(~np.isnan(e.image)),
            positions_zyx=e.positions_zyx.astype(np.float64),
            channels=_channels(e, classes),
            annotation=_annotation(e, classes),
        )
        for e in exemplars
        if e.held_out
    ]


def _channels(exemplar: Exemplar, classes: tuple[str, ...]) -> NDArray[np.intp]:
    return np.array([classes.index(n) for n in exemplar.class_names], dtype=np.intp)


def _annotation(exemplar: Exemplar, classes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(exemplar.annotation.get(name, UNKNOWN) for name in classes)


@dataclass(frozen=True)
class MixedBatches:
    """Batches of which the first patches are new and the last quarter is replayed.

    One in four suffices, because the old model's outputs are held on the new patches
    too, and the new species has to be learnt in little time. Without a memory all of a
    batch is new.
    """

    new: PatchSampler
    memory: PatchSampler | None

    def batch(self, step: int, size: int) -> Batch:
        """Return the batch of one step."""
        if self.memory is None:
            return self.new.batch(step, size)
        n_new = size - max(round(size * REPLAY_SHARE), 1)
        new = self.new.batch(step, n_new)
        old = self.memory.batch(step, size - n_new)
        return Batch(
            torch.cat([new.image, old.image]),
            torch.cat([new.target, old.target]),
            torch.cat([new.weight, old.weight]),
            torch.cat([new.replayed, ~old.replayed]),
        )
