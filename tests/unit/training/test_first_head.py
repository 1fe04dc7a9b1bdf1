"""The head a training begins with, from patches with planted features."""

import numpy as np
import pytest
import torch
from torch import nn

from etpicker_plugin.engine.model.fast_network import RARE_LOGIT
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.model.pretrained import begin_from_pretrained
from etpicker_plugin.engine.training.first_head import (
    AT_ONCE,
    MOST_PATCHES,
    PATCHES,
    solve_first_head,
)
from etpicker_plugin.engine.training.losses import supervised_loss
from etpicker_plugin.engine.training.patches import Batch

SHAPE_ZYX = (9, 11, 13)
BRIGHT, DIM, RUBBISH = 5.0, -4.0, 300.0


class Planted(nn.Module):
    """Sees a voxel's value, its square, and their sum: no more than that."""

    def __init__(self, n_classes):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.head = nn.Conv3d(3, n_classes, 1)

    def forward_with_features(self, x):
        features = torch.cat([x, x**2, x + x**2], dim=1) * self.scale
        return self.head(features), x, features


class Scenes:
    """Noise; bright voxels are of class 0, dim ones of class 1, a corner is masked."""

    def __init__(self, n_classes, *, rubbish=0.0, first_shown=0):
        self.n_classes, self.rubbish, self.first_shown = n_classes, rubbish, first_shown
        self.asked = []

    def batch(self, step, size):
        self.asked.append(step)
        generator = np.random.default_rng(step)
        image = generator.normal(size=(size, 1, *SHAPE_ZYX))
        target = np.zeros((size, self.n_classes, *SHAPE_ZYX))
        weight = np.ones_like(target)
        if step >= self.first_shown:
            for channel, value in enumerate((BRIGHT, DIM)):
                image[:, 0, 4, 3 + channel, 5:10] += value
                target[:, channel, 4, 3 + channel, 5:10] = 1
        image[:, 0, 0, 8:] = self.rubbish
        weight[:, :, 0, 8:] = 0
        tensors = (torch.from_numpy(v).float() for v in (image, target, weight))
        return Batch(*tensors, torch.zeros(size, dtype=torch.bool))


def loss_of(network, source, step=1000):
    batch = source.batch(step, AT_ONCE)
    with torch.no_grad():
        logits = network.forward_with_features(batch.image)[0]
        return float(supervised_loss(logits, batch.target, batch.weight))


def logits_of(network, value):
    with torch.no_grad():
        image = torch.full((1, 1, 1, 1, 1), value)
        return network.forward_with_features(image)[0].flatten().tolist()


def test_it_answers_to_what_is_marked_and_begins_at_a_low_loss():
    network, source = Planted(2), Scenes(2)
    before = loss_of(network, source)
    solve_first_head(network, source)
    bright, dim, usual = (logits_of(network, v) for v in (BRIGHT, DIM, 0.0))
    assert bright[0] > 1 > -3 > max(bright[1], usual[0])
    assert dim[1] > 1 > -3 > max(dim[0], usual[1])
    assert loss_of(network, source) < 0.5 < 2 < before
    assert network.scale == 1
    assert len(source.asked) - 2 == PATCHES // AT_ONCE


def test_gain_and_offset_are_those_of_the_least_loss():
    network, source = Planted(2), Scenes(2)
    solve_first_head(network, source)
    least = loss_of(network, source, step=0)
    for change in (0.7, 1.5):
        other = Planted(2)
        other.load_state_dict(network.state_dict())
        other.head.weight.data *= change
        assert loss_of(other, source, step=0) > least
        other.load_state_dict(network.state_dict())
        other.head.bias.data += 3 * (change - 1)
        assert loss_of(other, source, step=0) > least


def test_what_is_masked_does_not_count():
    heads = []
    for rubbish in (0.0, RUBBISH):
        network = Planted(2)
        solve_first_head(network, Scenes(2, rubbish=rubbish))
        heads.append(network.head.weight.detach().flatten().tolist())
    assert heads[0] == pytest.approx(heads[1], rel=1e-6)


def test_the_same_patches_give_the_same_head():
    first, second = Planted(2), Planted(2)
    for network in (first, second):
        solve_first_head(network, Scenes(2))
    assert torch.equal(first.head.weight, second.head.weight)
    assert torch.equal(first.head.bias, second.head.bias)


def test_a_class_that_is_seen_late_is_waited_for():
    network, source = Planted(2), Scenes(2, first_shown=PATCHES // AT_ONCE + 3)
    solve_first_head(network, source)
    assert len(source.asked) == PATCHES // AT_ONCE + 4
    assert logits_of(network, BRIGHT)[0] > 0


def test_a_class_that_no_patch_shows_answers_to_nothing():
    network, source = Planted(3), Scenes(3)
    solve_first_head(network, source)
    assert len(source.asked) == MOST_PATCHES // AT_ONCE
    for value in (BRIGHT, DIM, 0.0):
        assert logits_of(network, value)[2] == RARE_LOGIT
    assert logits_of(network, BRIGHT)[0] > 0


def test_only_new_classes_get_a_head():
    network = Planted(2)
    kept = [p.detach()[0].clone() for p in network.head.parameters()]
    solve_first_head(network, Scenes(2), first_channel=1)
    for parameter, old in zip(network.head.parameters(), kept, strict=True):
        assert torch.equal(parameter[0], old)
    assert logits_of(network, DIM)[1] > 1


def test_where_nearly_all_is_masked_training_begins_all_the_same():
    class Masked(Scenes):
        def batch(self, step, size):
            batch = super().batch(step, size)
            batch.weight[:] = 0
            return batch

    network = Planted(2)
    solve_first_head(network, Masked(2))
    assert logits_of(network, BRIGHT) == [RARE_LOGIT, RARE_LOGIT]


def test_statistics_of_the_shipped_features_stay_as_they_are():
    network = make_network("fast", 1)
    begin_from_pretrained(network)
    network.train()
    before = {k: v.clone() for k, v in network.state_dict().items()}

    class Patches(Scenes):
        def batch(self, step, size):
            image = torch.randn(
                size, 1, 16, 24, 32, generator=torch.Generator().manual_seed(step)
            )
            target = torch.zeros(size, 1, 8, 12, 16)
            target[:, :, 3:5, 4:6, 7:9] = 1
            weight = torch.full_like(target, 0.5)
            return Batch(image, target, weight, torch.zeros(size, dtype=torch.bool))

    solve_first_head(network, Patches(1))
    assert network.training
    changed = {
        name
        for name, value in network.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed == {"head.weight", "head.bias"}
