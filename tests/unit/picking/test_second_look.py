"""What is made of the evidence of maps: margins, scores, and who is left alone."""

import numpy as np
import pytest
from scipy.special import expit, logit

from etpicker_plugin.engine.maps.density import DensityMap
from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.picking.second_look import (
    UNSEEN_SCORE,
    USUAL_EVIDENCE,
    SecondLook,
    margins,
    second_look_of,
    to_keep,
    usual_evidence,
)
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

VOXEL_SIZE = 10.0
VOLUME = ArrayVolume(np.zeros((40, 50, 60), np.float32))
SPECIES = tuple(
    Species(name=name, diameter_ang=160.0, label_diameter_ang=70.0)
    for name in ("a", "unmapped", "b")
)


def a_map(name):
    density = np.zeros((7, 8, 9), np.float32)
    density[2:5, 2:6, 2:7] = 1.0
    return DensityMap(
        name=name,
        density=density,
        voxel_size=VOXEL_SIZE,
        extent_ang=60.0,
        was_dark=False,
    )


class Told(SecondLook):
    """Is told the evidence, and moves every centre by a voxel along x."""

    def _ask_maps(self, places, volume):
        evidence = np.where(places[:, 2:] < 30, [[9.0, 3.0]], [[-4.0, 6.0]])
        moved = places[:, None] + [[[0, 0, 1.0]] * 2]
        return evidence, moved


LOOK = Told(
    maps=(a_map("a"), a_map("b")), voxel_size=VOXEL_SIZE, weights=(0.5, 2.0, -1.0)
)


def peaks_of(*rows):
    places, scores, channels = zip(*rows, strict=True)
    return Peaks(
        positions_zyx=np.array(places, float),
        scores=np.array(scores, float),
        channels=np.array(channels),
    )


PEAKS = peaks_of(
    ((20, 20, 20), 0.6, 2),
    ((20, 21, 20), 0.2, 0),
    ((20, 20, 50), 0.4, 0),
    ((10, 10, 10), 0.3, 1),
)


def test_a_margin_is_over_all_rivals_and_nothing():
    found = margins(np.array([[2.0, 1.0], [-3.0, -1.0]]))
    expected = [
        [2 - np.log(1 + np.e), 1 - np.log(1 + np.e**2)],
        [-3 - np.log(1 + np.exp(-1)), -1 - np.log(1 + np.exp(-3))],
    ]
    np.testing.assert_allclose(found, expected)


def test_evidence_is_scaled_to_what_is_usual():
    evidence = np.array([[12.0, 1.0], [0.0, 6.0]])
    network = np.array([[0.75, 0.1], [0.0, 0.25]])
    assert usual_evidence(evidence, network) == pytest.approx(10.5 / USUAL_EVIDENCE)
    assert usual_evidence(-evidence, network) == pytest.approx(1 / USUAL_EVIDENCE)


def test_scores_say_what_network_and_maps_do():
    found = LOOK.judge(PEAKS, VOLUME, SPECIES)
    assert sorted(found.channels.tolist()) == [0, 0, 1, 2, 2]
    scale = usual_evidence(
        np.array([[9.0, 3.0], [-4.0, 6.0]]), np.array([[0.2, 0.6], [0.4, 0.0]])
    )
    a, b = 9 / scale, 3 / scale
    at = (found.positions_zyx[:, 2] == 21) & (found.channels == 0)
    expected = expit(0.5 * logit(0.2) + 2 * (a - np.log(1 + np.exp(b))) - 1)
    assert found.scores[at] == pytest.approx([expected])
    unseen = (found.positions_zyx[:, 2] == 51) & (found.channels == 2)
    a, b = -4 / scale, 6 / scale
    expected = expit(0.5 * logit(UNSEEN_SCORE) + 2 * (b - np.log(1 + np.exp(a))) - 1)
    assert found.scores[unseen] == pytest.approx([expected])


def test_a_class_without_a_map_is_left_as_it_is():
    found = LOOK.judge(PEAKS, VOLUME, SPECIES)
    alone = found.select(found.channels == 1)
    np.testing.assert_array_equal(alone.positions_zyx, [[10, 10, 10]])
    assert alone.scores.tolist() == [0.3]


def test_what_is_hardly_a_candidate_changes_nothing():
    more = peaks_of(((30, 40, 12), 0.009, 0), ((20, 20, 20), 0.005, 2))
    joined = Peaks(
        positions_zyx=np.concatenate([PEAKS.positions_zyx, more.positions_zyx]),
        scores=np.concatenate([PEAKS.scores, more.scores]),
        channels=np.concatenate([PEAKS.channels, more.channels]),
    )
    found, again = (LOOK.judge(p, VOLUME, SPECIES) for p in (PEAKS, joined))
    np.testing.assert_array_equal(found.scores, again.scores)


def test_a_network_that_is_quite_sure_can_be_contradicted():
    # Rounding makes of some scores 1, or more.
    sure = peaks_of(((20, 20, 20), 1.0, 0), ((20, 20, 50), np.nextafter(1, 2), 2))
    found = LOOK.judge(sure, VOLUME, SPECIES)
    assert np.all((found.scores > 0) & (found.scores < 1))
    without = LOOK.with_weights((0.0, 1.0, 0.0)).judge(sure, VOLUME, SPECIES)
    assert np.isfinite(without.scores).all()


def test_a_listener_hears_how_many_places_were_compared():
    heard = []
    noise = np.random.default_rng(0).normal(size=(40, 50, 60)).astype(np.float32)
    look = SecondLook(maps=(a_map("a"),), voxel_size=VOXEL_SIZE)
    told = look.reporting_to(lambda *counts: heard.append(counts))
    rows = [((20, 20, x), 0.5, 0) for x in (10, 30, 50)]
    told.judge(peaks_of(*rows), ArrayVolume(noise), SPECIES)
    assert heard[-1] == (3, 3)
    assert told.turned is look.turned


def test_a_centre_stays_in_the_volume():
    at_the_face = peaks_of(((39, 49, 59), 0.5, 0))
    found = LOOK.judge(at_the_face, VOLUME, SPECIES)
    assert found.positions_zyx.tolist() == [[39, 49, 59]] * 2


def test_without_candidates_nothing_is_found():
    nothing = PEAKS.select(np.zeros(len(PEAKS), bool))
    look = SecondLook(maps=LOOK.maps, voxel_size=VOXEL_SIZE)
    assert len(look.judge(nothing, VOLUME, SPECIES)) == 0


def test_a_model_keeps_what_looks_again():
    back = second_look_of(to_keep(LOOK), VOXEL_SIZE)
    assert back.weights == LOOK.weights
    assert [one.name for one in back.maps] == ["a", "b"]
    assert second_look_of(None, VOXEL_SIZE) is None
    assert to_keep(None) is None
