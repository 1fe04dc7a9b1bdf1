"""Exemplars as what is learnt from and what measures; batches that mix old and new."""

import numpy as np
import torch

from etpicker_plugin.engine.model.exemplars import Exemplar
from etpicker_plugin.engine.species import SizeVox
from etpicker_plugin.engine.training.patches import PatchSampler, TrainingVolume
from etpicker_plugin.engine.training.weak_labels import LabelSettings
from etpicker_plugin.engine.update.replay import (
    MixedBatches,
    held_out_parts,
    learnt_volumes,
)
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

CLASSES = ("old", "other", "new")
LABELS = LabelSettings(
    shape="ball", sizes=(SizeVox(diameter=8.0, label_diameter=5.0),) * 3, stride=2
)


def exemplar(*, held_out):
    image = np.full((16, 24, 32), -7.0, np.float16)
    image[:, :, :3] = np.nan
    return Exemplar(
        image=image,
        positions_zyx=np.array([[8, 12, 16], [4, 30, 9]], np.float32),
        class_names=("other", "old"),
        annotation={"old": "complete", "other": "sparse"},
        tomogram_id="TS_1",
        origin_zyx=(0, 0, 8),
        round=0,
        owner="",
        licence="",
        held_out=held_out,
        counted_start=(0, 8, 0),
        counted_stop=(16, 24, 32),
        negatives_zyx=((9.5, 2, 30), (1, 2, 3)),
    )


def test_each_exemplar_has_one_use():
    kept = [exemplar(held_out=False), exemplar(held_out=True)]

    (volume,) = learnt_volumes(kept, CLASSES)
    (part,) = held_out_parts(kept, CLASSES)

    for source in (volume, part):
        assert source.channels.tolist() == [1, 0]
        assert source.annotation == ("complete", "sparse", "unknown")
        assert np.isfinite(source.image.data).all()
    assert not volume.learnable.data[:, :, :3].any()
    assert volume.learnable.data[:, :, 3:].all()
    np.testing.assert_array_equal(volume.negatives_zyx, [(9.5, 2, 30), (1, 2, 3)])
    assert part.region.start == (0, 8, 0)
    assert part.region.stop == (16, 24, 32)


def sampler(volume):
    return PatchSampler([volume], patch_size=16, labels=LABELS, seed=0)


def test_the_last_quarter_of_a_batch_is_replayed():
    new = TrainingVolume(
        tomogram_id="TS_2",
        image=ArrayVolume(np.full((20, 20, 20), 7.0, np.float16)),
        learnable=ArrayVolume(np.ones((20, 20, 20), bool)),
        positions_zyx=np.array([[10.0, 10.0, 10.0]]),
        channels=np.array([2]),
        annotation=("unknown", "unknown", "complete"),
    )
    (old,) = learnt_volumes([exemplar(held_out=False)], CLASSES)

    mixed = MixedBatches(new=sampler(new), memory=sampler(old)).batch(3, 4)
    alone = MixedBatches(new=sampler(new), memory=None).batch(3, 4)

    assert mixed.replayed.tolist() == [False, False, False, True]
    medians = mixed.image.flatten(1).median(dim=1).values
    assert (medians[:3] > 1).all()
    assert medians[3] < -1
    assert torch.equal(mixed.image[:3], alone.image[:3])
    assert not alone.replayed.any()
