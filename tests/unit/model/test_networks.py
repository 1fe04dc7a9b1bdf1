"""The networks: shapes, and the published size of the reference."""

import pytest
import torch

from etpicker_plugin.engine.model.deepetpicker_network import (
    halve,
    log_odds,
    with_coordinates,
)
from etpicker_plugin.engine.model.network import make_network, place_network


def test_the_reference_has_the_published_number_of_parameters():
    network = make_network("deepetpicker", 1)

    assert sum(p.numel() for p in network.parameters()) == 2_429_845


@pytest.mark.parametrize(("name", "stride"), [("fast", 2), ("deepetpicker", 1)])
@pytest.mark.parametrize("classes", [1, 3])
def test_output_shape(name, stride, classes):
    network = make_network(name, classes).eval()

    logits = network(torch.randn(2, 1, 16, 24, 40))

    assert logits.shape == (2, classes, 16 // stride, 24 // stride, 40 // stride)
    assert network.output_stride == stride


def test_coordinates_run_from_minus_one_to_one_along_their_axes():
    result = with_coordinates(torch.zeros(2, 4, 3, 5, 9))

    assert result.shape == (2, 7, 3, 5, 9)
    assert result[1, 4, :, 2, 2].tolist() == [-1, 0, 1]
    assert result[1, 5, 1, :, 2].tolist() == [-1, -0.5, 0, 0.5, 1]
    assert result[0, 6, 0, 0, 8] == 1


def test_halving_is_average_pooling():
    x = torch.randn(2, 3, 4, 6, 10)

    assert torch.allclose(halve(x), torch.nn.functional.avg_pool3d(x, 2), atol=1e-6)


def test_both_networks_compute_in_bfloat16():
    volume = torch.randn(1, 1, 16, 24, 40)
    for name in ("fast", "deepetpicker"):
        network = make_network(name, 2).eval()
        exact = network(volume)
        rounded = network.bfloat16()(volume.bfloat16())
        assert (rounded - exact).abs().max() < 0.1


def test_log_odds_give_the_softmax_back():
    logits = torch.randn(2, 4, 3, 4, 5) * 3

    probability = torch.sigmoid(log_odds(logits, 3))

    assert torch.allclose(probability, torch.softmax(logits, 1)[:, 1:], atol=1e-5)


def test_placing_keeps_the_weights():
    network = make_network("fast", 2)
    before = {name: value.clone() for name, value in network.state_dict().items()}

    placed = place_network(network, torch.device("cpu"))

    after = placed.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert placed.encode0.conv1.weight.is_contiguous(
        memory_format=torch.channels_last_3d
    )
