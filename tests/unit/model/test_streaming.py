"""Plane by plane the network gives what it gives at once."""

import pytest
import torch

from etpicker_plugin.engine.model.inference import for_inference, predict_logits
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.model.streaming import Planes, stream_logits


@pytest.fixture(scope="module")
def network():
    """A default network whose normalisations are not trivial."""
    torch.manual_seed(3)
    network = make_network("fast", 2)
    network.train()
    for _ in range(3):
        network(torch.randn(2, 1, 16, 24, 32) * 2 + 1)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
    return network.eval().requires_grad_(False)


def image_planes(volume, step):
    return Planes(lambda a, b: volume[None, None, a:b], length=len(volume), step=step)


@pytest.mark.parametrize("step", [8, 16, 24, 64])
@pytest.mark.parametrize("window", [(12, 4), (28, 0), (7, 3)])
def test_planes_equal_the_whole(network, step, window):
    volume = torch.randn(56, 40, 24)
    whole = predict_logits(network, volume)
    size, overlap = window

    with torch.inference_mode():
        read = stream_logits(network, image_planes(volume, step)).reader(
            overlap=overlap
        )
        for start in range(0, 28 - overlap, size - overlap):
            stop = min(start + size, 28)
            planes = read(start, stop)[0]
            assert torch.allclose(planes, whole[:, start:stop], atol=1e-4)


def test_planes_outside_are_zero_and_passed_planes_are_dropped():
    asked = []

    def compute(start, stop):
        asked.append((start, stop))
        return torch.arange(start, stop).float().view(1, 1, -1, 1, 1) + 1

    planes = Planes(compute, length=7, step=3)
    ahead, behind = planes.reader(overlap=2), planes.reader()

    first = ahead(-1, 4).ravel().tolist()
    late = behind(0, 2).ravel().tolist()
    last = ahead(2, 9).ravel().tolist()

    assert first == [0, 1, 2, 3, 4]
    assert late == [1, 2]
    assert last == [3, 4, 5, 6, 7, 0, 0]
    assert behind(2, 7).ravel().tolist() == [3, 4, 5, 6, 7]
    assert asked == [(0, 3), (3, 4), (4, 7)]


def test_folding_the_normalisation_changes_nothing(network):
    volume = torch.randn(16, 24, 40)

    folded = for_inference(network, "float32")

    assert not any(
        isinstance(module, torch.nn.BatchNorm3d) for module in folded.modules()
    )
    assert torch.allclose(
        predict_logits(folded, volume), predict_logits(network, volume), atol=1e-4
    )
    assert isinstance(network.encode0.norm1, torch.nn.BatchNorm3d)


def test_folding_the_reference_changes_nothing():
    torch.manual_seed(4)
    network = make_network("deepetpicker", 2)
    network(torch.randn(2, 1, 16, 16, 24))
    network.eval()
    volume = torch.randn(16, 24, 40)

    folded = for_inference(network, "float32")

    assert torch.allclose(
        predict_logits(folded, volume), predict_logits(network, volume), atol=1e-4
    )
    assert not any(
        isinstance(module, torch.nn.BatchNorm3d) for module in folded.modules()
    )
