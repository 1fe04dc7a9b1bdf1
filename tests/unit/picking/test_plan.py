"""The tiles of a network: within memory, columns for one that streams."""

import pytest
import torch

from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.model.inference import for_inference
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.picking import plan
from etpicker_plugin.engine.picking.plan import (
    choose_edge,
    memory_need,
    plan_for,
    planes_at_once,
    smaller_edge,
)

SHAPE = (64, 300, 410)


@pytest.fixture(params=["fast", "deepetpicker"])
def network(request):
    return for_inference(make_network(request.param, 1), "float32")


@pytest.mark.parametrize("megabytes", [32, 256, 2048])
def test_the_edge_fits_the_memory(network, megabytes, monkeypatch):
    monkeypatch.setattr(plan, "free_memory", lambda device: megabytes << 20)

    edge = choose_edge(SHAPE, network, reach=4)

    tiles = plan_for(network, SHAPE, edge=edge, reach=4)
    need = max(memory_need(network, tile) for tile in tiles)
    assert need <= megabytes << 19 or edge == 8
    larger = plan_for(network, SHAPE, edge=edge * 2, reach=4)
    assert (
        max(memory_need(network, tile) for tile in larger) > megabytes << 19
        or edge >= 410
    )


def test_a_stream_computes_fewer_planes_at_once_when_they_are_large():
    network = for_inference(make_network("fast", 1), "float32")
    shapes = [(64, 100, 100), (64, 500, 500), (64, 1000, 1000)]
    tiles = [plan_for(network, shape, edge=1000, reach=4)[0] for shape in shapes]

    assert [planes_at_once(network, tile) for tile in tiles] == [32, 32, 8]


def test_a_stream_has_a_halo_along_z_for_the_maxima_alone():
    network = make_network("fast", 1)

    tiles = plan_for(network, (200, 300, 90), edge=160, reach=4)

    assert [tile.keep_start for tile in tiles[:4]] == [
        (0, 0, 0),
        (56, 0, 0),
        (112, 0, 0),
        (168, 0, 0),
    ]
    assert tiles[1].read_start == (48, 0, 0)
    assert tiles[1].read_stop == (120, 208, 96)


def test_half_the_edge_until_it_cannot_be_halved():
    network = make_network("fast", 1)

    assert smaller_edge(96, network) == 48
    with pytest.raises(ResourceError, match="tiles of 8 voxels"):
        smaller_edge(8, network)
    assert network.head.weight.dtype == torch.float32
