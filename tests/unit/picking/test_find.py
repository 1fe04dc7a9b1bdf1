"""Tiles through a network: no seam, and memory that runs out."""

import numpy as np
import pytest
import torch

from etpicker_plugin.engine.device import is_out_of_memory
from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.model.inference import for_inference
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.picking.find import Search, pick_tiles
from etpicker_plugin.engine.picking.nms import (
    PeakSettings,
    join_peaks,
    remove_duplicates,
)
from etpicker_plugin.engine.picking.plan import smaller_edge
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SETTINGS = PeakSettings(kernels=[3, 3], kinds=[PARTICLE] * 2, min_score=0.0)


class BlobNetwork(torch.nn.Module):
    """Averages 2³ voxels: bright blobs become probable, at half resolution."""

    output_stride = 2
    alignment = 8
    halo = 8

    def __init__(self):
        super().__init__()
        self.head = torch.nn.Conv3d(1, 1, 1)
        torch.nn.init.constant_(self.head.weight, 8.0)
        torch.nn.init.constant_(self.head.bias, -4.0)

    def forward(self, x):
        return self.head(torch.nn.functional.avg_pool3d(x, 2))


def find_all(network, volume, edge, settings):
    search = Search(network=network, volume=volume, settings=settings)
    tiles = search.tiles(edge)
    found = pick_tiles(search, tiles)
    return len(tiles), join_peaks([peaks for _, _, peaks, _ in found])


def test_a_blob_on_every_seam_is_found_once():
    shape = (21, 70, 83)
    seams = [3, 15.5, 31.5, 47.5, 64]
    depths = [3, 15.5, 10, 16, 18] * 5
    centres = list(zip(depths, np.repeat(seams, 5), seams * 5, strict=True))
    offsets = np.indices(shape).astype(float)
    data = np.zeros(shape, np.float32)
    for c in centres:
        distance = sum((o - p) ** 2 for o, p in zip(offsets, c, strict=True))
        data = np.maximum(data, np.exp(-distance / (2 * 3.0**2)))
    volume = ArrayVolume(data.astype(np.float16))
    settings = PeakSettings(kernels=[3], kinds=[PARTICLE], min_score=0.15)

    n_tiles, peaks = find_all(BlobNetwork(), volume, 16, settings)
    kept = remove_duplicates(peaks, [4.0])

    assert n_tiles == 2 * 5 * 6
    gaps = np.linalg.norm(
        kept.positions_zyx[:, None] - np.array(centres)[None], axis=-1
    )
    assert len(kept) == len(centres)
    assert (gaps.min(axis=0) < 1.0).all()


@pytest.fixture(scope="module")
def random_network():
    """A default network with random weights whose outputs spread over 0 to 1."""
    torch.manual_seed(5)
    network = make_network("fast", 2, seed=5).eval()
    volume = torch.randn(1, 1, 32, 48, 64)
    with torch.no_grad():
        network.train()
        for _ in range(20):
            network(volume)
        network.eval()
        logits = network(volume)
        network.head.weight /= logits.std()
        network.head.bias -= network(volume).mean()
    return network


def test_the_default_networks_peaks_do_not_depend_on_tiles(random_network):
    network = for_inference(random_network, "float32")
    generator = np.random.default_rng(2)
    volume = ArrayVolume(generator.normal(size=(37, 150, 131)).astype(np.float16))
    results = [find_all(network, volume, edge, SETTINGS) for edge in (160, 72, 40)]

    assert [n for n, _ in results] == [1, 6, 16]
    reference = results[0][1]
    order = np.lexsort(reference.positions_zyx.round(1).T)
    assert len(reference) > 700
    for _, peaks in results[1:]:
        own = np.lexsort(peaks.positions_zyx.round(1).T)
        assert len(peaks) == len(reference)
        gaps = peaks.positions_zyx[own] - reference.positions_zyx[order]
        assert np.abs(gaps).max() < 0.01
        scores = peaks.scores[own] - reference.scores[order]
        assert np.abs(scores).max() < 1e-4


@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_a_stream_that_begins_at_a_later_slab_finds_the_same(random_network, precision):
    network = for_inference(random_network, precision)
    generator = np.random.default_rng(4)
    volume = ArrayVolume(generator.normal(size=(203, 40, 51)).astype(np.float16))
    search = Search(network=network, volume=volume, settings=SETTINGS)
    tiles = search.tiles(64)

    def find(done):
        found = pick_tiles(search, tiles, done=done)
        return {number: peaks for number, _, peaks, _ in found}

    whole, rest = find(set()), find({0, 1})

    assert sorted(whole) == [0, 1, 2, 3]
    assert sorted(rest) == [2, 3]
    for number, peaks in rest.items():
        assert len(peaks) > 50
        # In float32 the sums of a convolution may be rounded in another order.
        scores = peaks.scores - whole[number].scores
        assert np.abs(scores).max() < 1e-6
        gaps = peaks.positions_zyx - whole[number].positions_zyx
        assert np.abs(gaps).max() < 1e-3


def test_the_halo_covers_the_receptive_field():
    network = make_network("fast", 1).double().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv3d):
            torch.nn.init.uniform_(module.weight, 0.01, 0.1)  # no ReLU ever closes
    image = torch.rand(1, 1, 8, 16, 256, dtype=torch.double, requires_grad=True)
    for index in range(64, 68):
        (gradient,) = torch.autograd.grad(network(image)[0, 0, 2, 4, index], image)
        reached = torch.nonzero(gradient.abs().sum((0, 1, 2, 3))).ravel()
        assert 2 * index - int(reached.min()) <= network.halo
        assert int(reached.max()) - (2 * index + 1) <= network.halo


def test_memory_errors_are_known_and_halve_the_tile():
    network = make_network("fast", 1)

    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))
    assert smaller_edge(96, network) == 48
    with pytest.raises(ResourceError, match="tiles of 8 voxels"):
        smaller_edge(8, network)
