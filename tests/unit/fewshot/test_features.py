"""Stored features are those of the network, and a click's are those around it."""

import numpy as np
import pytest
import torch

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.fewshot.features import (
    ball_around,
    draw_usual,
    features_at,
)
from etpicker_plugin.engine.fewshot.fill import PIECE_PLANES, fill, in_order, open_store
from etpicker_plugin.engine.fewshot.head import FEWEST, require_enough
from etpicker_plugin.engine.fewshot.store import rows_at
from etpicker_plugin.engine.model.inference import for_inference
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.model.pretrained import begin_from_pretrained
from etpicker_plugin.engine.picking import plan
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SHAPE_ZYX = (43, 61, 78)
PADDED = (48, 64, 80)


@pytest.fixture(scope="module")
def network():
    made = make_network("fast", 2)
    begin_from_pretrained(made)
    return for_inference(made.eval(), "float32")


@pytest.fixture(scope="module")
def volume():
    values = np.random.default_rng(6).normal(size=SHAPE_ZYX)
    return ArrayVolume(values.astype(np.float16))


@pytest.fixture(scope="module")
def whole(network, volume):
    """Features ``(z, y, x, F)`` of the volume and the zeros up to the grid."""
    image = torch.from_numpy(volume.read((0, 0, 0), PADDED))
    with torch.inference_mode():
        found = network.forward_with_features(image[None, None])[2][0]
    return found.permute(1, 2, 3, 0).numpy()


@pytest.fixture(scope="module")
def store(network, volume):
    made = open_store(network, SHAPE_ZYX)
    for _ in fill(made, network, volume):
        pass
    return made


def test_all_of_a_volume_is_stored_in_half_precision(store, whole):
    assert store.shape_zyx == tuple(n // 2 for n in PADDED)
    assert store.missing() == []
    np.testing.assert_allclose(store.features, whole, rtol=1e-3, atol=2e-3)


def test_large_planes_are_stored_in_columns(network, volume, whole, monkeypatch):
    monkeypatch.setitem(plan.MOST_AREA, "cpu", 1)
    made = open_store(network, SHAPE_ZYX)
    assert len({piece.keep_start[1:] for piece in made.pieces}) == 8 * 10
    wanted = [p for p in made.pieces if p.keep_start[1:] in ((0, 0), (56, 72))]
    for piece in [p for p in made.pieces if p not in wanted]:
        made.write(piece, np.zeros(made.features[made._box(piece)].shape, np.float16))
    for _ in fill(made, network, volume):
        pass
    for y, x in (slice(0, 4), slice(0, 4)), (slice(28, 32), slice(36, 40)):
        np.testing.assert_allclose(
            made.features[:, y, x], whole[:, y, x], rtol=1e-3, atol=2e-3
        )


def test_a_click_is_the_mean_of_its_neighbours(store, whole):
    """Output voxel j lies at voxel 2 j + 0.5; it and its six neighbours count."""
    places = np.array([[20.5, 30.5, 40.5], [20.1, 31.2, 40.9], [0.0, 54.9, 77.2]])
    found = features_at(store, places)
    steps = np.vstack(
        [np.zeros((1, 3), int), np.eye(3, dtype=int), -np.eye(3, dtype=int)]
    )
    # At (0, 54.9, 77.2) lies output voxel (0, 27, 38): nothing counts below the face.
    centres = np.array([[10, 15, 20], [10, 15, 20], [0, 27, 38]])
    for got, centre in zip(found, centres, strict=True):
        near = [whole[z, y, x] for z, y, x in centre + steps if z >= 0]
        np.testing.assert_allclose(got, np.mean(near, axis=0), atol=2e-3)
    assert len(ball_around(store, places[2])) == 6


def test_usual_places_are_drawn_where_they_may_be():
    allowed = np.zeros((5, 7, 9), bool)
    allowed[2, 3:, 4] = allowed[4, 0, 0] = True
    drawn = draw_usual(allowed, np.random.default_rng(2))
    assert sorted(map(tuple, drawn.tolist())) == [
        (2, 3, 4),
        (2, 4, 4),
        (2, 5, 4),
        (2, 6, 4),
        (4, 0, 0),
    ]


def test_too_few_usual_places_are_refused(store):
    index = draw_usual(np.ones((3, 9, 18), bool), np.random.default_rng(2))
    rows = rows_at(store, index)
    assert len(rows) == 486 < FEWEST
    with pytest.raises(InputDataError, match=r"486 places .* expected 500 or more"):
        require_enough(rows)


def test_what_is_seen_is_computed_first(network):
    pieces = open_store(network, (600, 24, 40)).pieces
    early = in_order(pieces, (90, 120), halo=network.halo)
    assert early == pieces  # To begin twice would take longer.
    late = in_order(pieces, (400, 420), halo=network.halo)
    assert late[0].keep_start[0] == 400
    assert late[-1].keep_stop[0] == 400
    assert sorted(late, key=pieces.index) == pieces
    assert PIECE_PLANES == 16
