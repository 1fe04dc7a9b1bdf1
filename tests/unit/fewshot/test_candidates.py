"""Candidates from stored features are those that picking with the same head finds."""

import numpy as np
import pytest

from etpicker_plugin.engine.fewshot import candidates
from etpicker_plugin.engine.fewshot.candidates import (
    all_peaks,
    logits_of,
    peaks_between,
    planes_needed,
)
from etpicker_plugin.engine.fewshot.fill import fill, open_store
from etpicker_plugin.engine.fewshot.head import give_head, solve_head, usual_of
from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.model.inference import for_inference
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.model.pretrained import begin_from_pretrained
from etpicker_plugin.engine.picking.find import Search, pick_tiles
from etpicker_plugin.engine.picking.nms import PeakSettings, join_peaks
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SHAPE_ZYX = (53, 61, 78)
SETTINGS = PeakSettings(kernels=[3, 5], kinds=[PARTICLE] * 2, min_score=0.01)


@pytest.fixture(scope="module")
def network():
    made = make_network("fast", 2)
    begin_from_pretrained(made)
    return for_inference(made.eval(), "float32")


@pytest.fixture(scope="module")
def volume():
    """Dark balls of two sizes in noise; some are cut by a face."""
    generator = np.random.default_rng(6)
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPE_ZYX), indexing="ij"), axis=-1)
    values = generator.normal(size=SHAPE_ZYX)
    for number in range(24):
        centre, radius = generator.uniform(0, SHAPE_ZYX), 8 if number % 2 else 5
        values -= 2.0 * (np.linalg.norm(grid - centre, axis=-1) < radius)
    return ArrayVolume(values.astype(np.float16))


@pytest.fixture(scope="module")
def store(network, volume):
    made = open_store(network, SHAPE_ZYX)
    for _ in fill(made, network, volume):
        pass
    return made


@pytest.fixture(scope="module")
def head(store):
    """Of two places of strong features."""
    rows = store.features.reshape(-1, store.features.shape[-1]).astype(float)
    usual = usual_of(rows)
    far = rows[np.argsort(-((rows - usual.mean) ** 2).sum(axis=1))[[0, 500]]]
    return solve_head(usual, far, np.zeros((0, rows.shape[1])))


def in_rows(peaks):
    order = np.lexsort((*peaks.positions_zyx.T, peaks.channels))
    return peaks.select(order)


def assert_equal(found, wanted):
    found, wanted = in_rows(found), in_rows(wanted)
    assert found.channels.tolist() == wanted.channels.tolist()
    np.testing.assert_allclose(found.positions_zyx, wanted.positions_zyx, atol=0.05)
    np.testing.assert_allclose(found.scores, wanted.scores, atol=2e-3)


def test_candidates_are_those_of_picking(network, volume, store, head, monkeypatch):
    """In slabs that are no multiples of picking's own, up to the uneven faces."""
    give_head(network, head)
    search = Search(network=network, volume=volume, settings=SETTINGS)
    picked = join_peaks([p for _, _, p, _ in pick_tiles(search, search.tiles(64))])
    assert min(np.bincount(picked.channels)) > 10
    monkeypatch.setattr(candidates, "SLAB_PLANES", 7)
    found = all_peaks(store, head, SETTINGS, shape=SHAPE_ZYX)
    assert_equal(found, picked)


def test_a_slab_looks_at_no_more_planes_than_it_says(store, head):
    whole = all_peaks(store, head, SETTINGS, shape=SHAPE_ZYX)
    first, last = planes_needed(store, SETTINGS, 9, 14)
    kept = store.features[first:last].copy()
    other = open_like(store)
    other.features[...] = 7.0
    other.features[first:last] = kept
    found = peaks_between(other, head, SETTINGS, first=9, last=14, shape=SHAPE_ZYX)
    planes = np.round((whole.positions_zyx[:, 0] - 0.5) / 2)
    assert 2 < len(found) < len(whole)
    assert set(found.scores) <= set(whole.scores)
    surely = whole.select((planes >= 10) & (planes < 13))
    assert set(surely.scores) <= set(found.scores)


def open_like(store):
    made = candidates.FeatureStore(
        np.empty_like(store.features),
        np.ones(len(store.pieces), np.uint64),
        store.pieces,
        stride=store.stride,
    )
    return made


def test_logits_by_hand(store, head):
    logits = logits_of(store, head, 4, 6)
    assert logits.shape == (2, 2, 32, 40)
    by_hand = store.features[5, 8, 33].astype(float) @ head.weights[1] + head.biases[1]
    assert logits[1, 1, 8, 33] == pytest.approx(by_hand, abs=1e-2)
