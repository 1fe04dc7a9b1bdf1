"""Features of a micrograph: kept in its plane, and picked as without a store."""

import numpy as np
import pytest

from etpicker_plugin.engine.fewshot.candidates import all_peaks
from etpicker_plugin.engine.fewshot.features import features_at
from etpicker_plugin.engine.fewshot.fill import fill, open_store
from etpicker_plugin.engine.fewshot.head import give_head, solve_head, usual_of
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.model.inference import for_inference
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.model.pretrained import begin_from_pretrained
from etpicker_plugin.engine.network_names import FLAT
from etpicker_plugin.engine.picking.find import Search, pick_tiles
from etpicker_plugin.engine.picking.nms import PeakSettings, join_peaks
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SHAPE_ZYX = (1, 131, 173)
CENTRES_YX = np.array([[31.5, 40.5], [80.5, 120.5], [100.5, 30.5]])
SETTINGS = PeakSettings(kernels=[5], kinds=[PARTICLE], min_score=0.01)


@pytest.fixture(scope="module")
def network():
    made = make_network(FLAT, 1)
    begin_from_pretrained(made)
    return for_inference(made.eval(), "float32")


@pytest.fixture(scope="module")
def volume():
    """Dark discs in noise."""
    values = np.random.default_rng(6).normal(size=SHAPE_ZYX)
    grid = np.stack(np.indices(SHAPE_ZYX[1:]), axis=-1)
    for centre in CENTRES_YX:
        values[0] -= 3.0 * (np.linalg.norm(grid - centre, axis=-1) < 9)
    return ArrayVolume(values.astype(np.float16))


@pytest.fixture(scope="module")
def store(network, volume):
    made = open_store(network, SHAPE_ZYX)
    for _ in fill(made, network, volume):
        pass
    return made


def test_only_the_plane_is_halved(store):
    assert store.shape_zyx == (1, 68, 88)
    assert store.strides == (1, 2, 2)
    assert not store.missing()


def test_one_click_finds_the_others_as_picking_does(network, volume, store):
    rows = store.features.reshape(-1, store.features.shape[-1]).astype(float)
    click = features_at(store, np.array([[0.0, *CENTRES_YX[0]]]))
    head = solve_head(usual_of(rows), click, np.zeros((0, rows.shape[1])))

    found = all_peaks(store, head, SETTINGS, shape=SHAPE_ZYX)

    give_head(network, head)
    search = Search(network=network, volume=volume, settings=SETTINGS)
    tiles = search.tiles(64)
    assert len(tiles) > 3
    picked = join_peaks([peaks for _, _, peaks, _ in pick_tiles(search, tiles)])
    best, also = (
        peaks.positions_zyx[np.argsort(-peaks.scores)[:3]] for peaks in (found, picked)
    )
    np.testing.assert_allclose(best, also, atol=0.1)
    assert (best[:, 0] == 0).all()
    away = np.linalg.norm(best[:, None, 1:] - CENTRES_YX, axis=2)
    assert away.min(axis=0).max() < 2
    # A blob is averaged over its plane, not over the emptiness beside it.
    assert np.sort(found.scores)[-3] > 0.3
