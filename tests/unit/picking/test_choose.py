"""From candidates to picks: what is asked for decides which, not what they score."""

from dataclasses import replace

import numpy as np
import pytest

from etpicker_plugin.engine.picking.choose import choose
from etpicker_plugin.engine.picking.flat_places import USUAL_SCORE
from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SHAPE_ZYX = (30, 50, 90)
VOXEL_SIZE = 10.0
LARGE = Species(
    name="large", diameter_ang=90.0, label_diameter_ang=40.0, flat_log_odds=0.8
)
SMALL = Species(
    name="small", diameter_ang=60.0, label_diameter_ang=30.0, flat_log_odds=0.4
)


@pytest.fixture(scope="module")
def volume():
    """Noise whose deviation falls from 1 to a fifth with x."""
    image = np.random.default_rng(4).normal(0, 1, SHAPE_ZYX)
    image *= np.linspace(1, 0.2, SHAPE_ZYX[2])
    return ArrayVolume(image.astype(np.float16))


@pytest.fixture(scope="module", params=[1, 2])
def candidates(request):
    """Places and scores by chance, many of them low, down to a thousandth."""
    generator = np.random.default_rng(request.param)
    count = 700
    return Peaks(
        positions_zyx=generator.uniform(0, np.array(SHAPE_ZYX) - 1, (count, 3)),
        scores=np.exp(generator.uniform(np.log(0.001), np.log(0.95), count)),
        channels=generator.integers(0, 2, count),
    )


def picks(candidates, volume, *thresholds, allowed=None, **asked):
    species = [
        replace(s, threshold=t) for s, t in zip((LARGE, SMALL), thresholds, strict=True)
    ]
    everywhere = np.ones(len(candidates), bool)
    return choose(
        candidates,
        volume,
        species,
        allowed=everywhere if allowed is None else allowed,
        voxel_size=VOXEL_SIZE,
        **asked,
    )


def rows(peaks, channel=None):
    """Return place and score of each pick, of one class or of all."""
    table = np.column_stack([peaks.channels, peaks.positions_zyx, peaks.scores])
    return table if channel is None else table[peaks.channels == channel]


def test_the_picks_at_a_threshold_are_the_first_of_those_at_a_lower_one(
    candidates, volume
):
    lowest = picks(candidates, volume, 0.0, 0.0)
    assert len(lowest) > 150
    for threshold in (0.002, 0.02, 0.3, 0.6):
        higher = picks(candidates, volume, threshold, threshold)
        for channel in (0, 1):
            found, below = rows(higher, channel), rows(lowest, channel)
            assert 0 < len(found) < len(below)
            np.testing.assert_array_equal(found, below[: len(found)])
            assert below[len(found), -1] < threshold


def test_candidates_that_are_not_looked_for_change_nothing(candidates, volume):
    """A search stops at the lowest score wanted, or at what tells what is usual."""
    wanted = picks(candidates, volume, 0.3, 0.3)
    looked_for = candidates.select(candidates.scores >= USUAL_SCORE)
    assert len(looked_for) < len(candidates)

    fewer = picks(looked_for, volume, 0.3, 0.3)

    np.testing.assert_array_equal(rows(fewer), rows(wanted))


def test_one_class_of_two_is_picked_as_both_are(candidates, volume):
    both = picks(candidates, volume, 0.1, 0.1)
    for channel, thresholds in ((0, (0.1, np.inf)), (1, (np.inf, 0.1))):
        alone = picks(candidates, volume, *thresholds)
        np.testing.assert_array_equal(rows(alone), rows(both, channel))


def test_the_most_are_the_first(candidates, volume):
    all_of_them = picks(candidates, volume, 0.0, 0.0)
    some = picks(candidates, volume, 0.0, 0.0, most=7)
    for channel in (0, 1):
        np.testing.assert_array_equal(
            rows(some, channel), rows(all_of_them, channel)[:7]
        )


def test_what_is_not_allowed_neither_suppresses_nor_tells_what_is_usual(
    candidates, volume
):
    allowed = candidates.positions_zyx[:, 2] < 40

    found = picks(candidates, volume, 0.01, 0.01, allowed=allowed)

    only = picks(candidates.select(allowed), volume, 0.01, 0.01)
    np.testing.assert_array_equal(rows(found), rows(only))
    everywhere = picks(candidates, volume, 0.01, 0.01)
    assert not np.isin(found.scores, everywhere.scores).all()


def test_flatness_decides_between_neighbours():
    """The higher of two neighbours lies in a flat place, and loses by that."""
    image = np.random.default_rng(0).normal(0, 1, SHAPE_ZYX)
    image[:, 25:, :] = 0
    spread = [(15.0, 12.0, x) for x in np.linspace(4, 85, 40)]
    pair = [(15.0, 22.0, 45.0), (15.0, 30.0, 45.0)]
    candidates = Peaks(
        positions_zyx=np.array([*spread, *pair]),
        scores=np.array([0.7] * 40 + [0.60, 0.62]),
        channels=np.zeros(42, np.intp),
    )

    found = choose(
        candidates,
        ArrayVolume(image.astype(np.float16)),
        [replace(LARGE, diameter_ang=60.0)],
        allowed=np.ones(42, bool),
        voxel_size=VOXEL_SIZE,
        min_distance_ang=90.0,
    )

    kept = [tuple(p) for p in found.positions_zyx if p[2] == 45.0 and p[1] > 20]
    assert kept == [pair[0]]


def test_least_distance_by_hand(volume):
    candidates = Peaks(
        positions_zyx=np.array([(9.0, 9, 9), (9, 9, 13.4), (9, 9, 18), (9, 9, 13.4)]),
        scores=np.array([0.5, 0.9, 0.4, 0.3]),
        channels=np.array([0, 0, 0, 1]),
    )

    # Half of 9 voxels: the first is too near to the second, the third is not.
    found = picks(candidates, volume, 0.0, 0.0)
    assert found.positions_zyx[:, 2].tolist() == [13.4, 18, 13.4]
    far = picks(candidates, volume, 0.0, 0.0, min_distance_ang=50.0)
    assert far.positions_zyx[:, 2].tolist() == [13.4, 13.4]
