"""Clicks where nothing stands out are told from those on something."""

import numpy as np

from etpicker_plugin.engine.fewshot.head import usual_of
from etpicker_plugin.engine.fewshot.plain import are_plain, doubt_plain
from etpicker_plugin.engine.fewshot.store import rows_at, store_in_memory

SHAPE, STRIDE, N_FEATURES = (9, 14, 23), 2, 5


def planted():
    """Return a store of noise with something at output voxel (4, 6, 11)."""
    store = store_in_memory(SHAPE, N_FEATURES, [], stride=STRIDE)
    noise = np.random.default_rng(4).normal(3.0, 1.0, (*SHAPE, N_FEATURES))
    noise[3:6, 5:8, 10:13] += [0.0, 4.0, 0.0, -4.0, 0.0]
    store.features[:] = noise
    return store


def test_a_click_on_nothing_is_told():
    store = planted()
    everywhere = np.argwhere(np.ones(SHAPE, bool))
    usual = usual_of(rows_at(store, everywhere))
    # Output voxel j lies at voxel 2 j + 0.5.
    something, others = np.array([[8.5, 12.5, 22.5]]), everywhere * 2 + 0.5

    assert are_plain(store, something, everywhere, usual).tolist() == [False]
    told = are_plain(store, others, everywhere, usual).mean()
    np.testing.assert_allclose(told, 0.7, atol=0.05)


def test_the_words_name_the_first_place_in_xyz():
    places = np.array([[1.0, 2.0, 3.0], [10.0, 20.4, 30.0], [7.0, 8.0, 9.0]])
    words = doubt_plain("ribosome", "TS_01", places, np.array([False, True, True]))

    assert words.startswith("ribosome: in TS_01 2 of 3 click(s) lie where nothing")
    assert "x, y, z = 30, 20, 10." in words
