"""Weights that the outputs depend on are important; moving them costs in proportion."""

import pytest
import torch

from etpicker_plugin.engine.model.network import grow_network, make_network
from etpicker_plugin.engine.update.importance import (
    importance_penalty,
    weight_importance,
)


@pytest.fixture
def network():
    return make_network("fast", 2, seed=0).eval()


def test_dead_weights_do_not_matter(network):
    with torch.no_grad():
        network.head.weight[1] = 0.0
        network.head.bias[1] = -60.0  # the second class is never there
    names = [name for name, _ in network.named_parameters()]

    found = weight_importance(network, [torch.randn(1, 1, 16, 24, 32)])
    head = found[names.index("head.weight")]

    assert head[0].mean() > 100 * head[1].mean()
    total = sum(float(f.sum()) for f in found) / sum(f.numel() for f in found)
    assert total == pytest.approx(1.0, rel=1e-3)
    assert [f.shape for f in found] == [p.shape for p in network.parameters()]


def test_penalty_by_hand(network):
    anchors = [p.detach().clone() for p in network.parameters()]
    importance = [torch.zeros_like(a) for a in anchors]
    importance[0][3, 0, 1, 2, 3] = 4.0
    importance[0][3, 0, 0, 0, 0] = 100.0
    with torch.no_grad():
        next(network.parameters())[3, 0, 1, 2, 3] += 0.5

    penalty = importance_penalty(network, anchors, importance)

    assert penalty.item() == pytest.approx(4.0 * 0.25 / 2, rel=1e-5)


def test_new_channels_are_free(network):
    anchors = [p.detach().clone() for p in network.parameters()]
    importance = [torch.ones_like(a) for a in anchors]
    grown = grow_network(network, 3).requires_grad_(False)

    assert importance_penalty(grown, anchors, importance) == 0
    with torch.no_grad():
        grown.head.weight[2] += 1
    assert importance_penalty(grown, anchors, importance) == 0
    with torch.no_grad():
        grown.head.weight[1] += 1
    assert importance_penalty(grown, anchors, importance) == pytest.approx(32 / 2)
