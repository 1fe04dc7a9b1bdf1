"""The network of micrographs: the blocks of the other one, in a plane."""

import torch

from etpicker_plugin.engine.model.network import (
    embed,
    grow_network,
    make_network,
    name_of,
)
from etpicker_plugin.engine.model.pretrained import FLAT_WEIGHTS
from etpicker_plugin.engine.network_names import FLAT


def test_only_the_plane_is_halved():
    logits, deepest, features = make_network(FLAT, 3).forward_with_features(
        torch.randn(2, 1, 1, 24, 40)
    )

    assert logits.shape == (2, 3, 1, 12, 20)
    assert deepest.shape == (2, 128, 1, 3, 5)
    assert features.shape == (2, 32, 1, 12, 20)


def test_what_is_beyond_the_halo_changes_nothing():
    network = make_network(FLAT, 1).double().eval()
    image = torch.randn(1, 1, 1, 160, 240, dtype=torch.double)
    changed = image.clone()
    changed[..., 80, 120] += 5

    with torch.inference_mode():
        moved = (network(changed) - network(image)).abs()[0, 0, 0] > 1e-9

    rows, columns = torch.nonzero(moved, as_tuple=True)
    for index, place in ((rows, 80), (columns, 120)):
        assert place - 2 * int(index.min()) <= network.halo
        assert 2 * int(index.max()) + 1 - place <= network.halo


def test_it_grows_and_keeps_its_name_and_answers():
    network = make_network(FLAT, 1, seed=3).eval()
    grown = grow_network(network, 2).eval()
    image = torch.randn(1, 1, 1, 32, 48)

    assert name_of(grown) == FLAT
    with torch.inference_mode():
        assert torch.equal(grown(image)[:, :1], network(image))


def test_a_piece_of_any_size_is_one_vector():
    vector = embed(make_network(FLAT, 1).eval(), torch.randn(1, 29, 43))

    assert vector.shape == (256,)
    assert torch.isfinite(vector).all()


def test_its_weights_are_shipped_small():
    assert FLAT_WEIGHTS.stat().st_size < 3_000_000
