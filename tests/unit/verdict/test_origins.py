"""Which origin is wrong, which is right, and when that is unknown."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from etpicker_plugin.engine.comparison.compare import join_all
from etpicker_plugin.engine.comparison.offsets import Offset
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.relion.poses import rotation_of
from etpicker_plugin.engine.verdict.origins.compose import (
    compose,
    consistent,
    draw_particles,
)
from etpicker_plugin.engine.verdict.origins.measure import measure_origins
from etpicker_plugin.engine.verdict.origins.origins import Origins, summarise
from etpicker_plugin.engine.verdict.places.candidates import gather_candidates
from etpicker_plugin.engine.verdict.places.geometry import choose_geometry
from etpicker_plugin.engine.verdict.reporting.origin_words import (
    origin_alarms,
    origin_sentences,
)
from etpicker_plugin.engine.volumes.tomogram import Tomogram


def at(x, y, z, *, error=0.1, n=48):
    return Offset(
        n=n, mean_xyz=(x, y, z), standard_error_xyz=(error,) * 3, alarm_sigma=4.0
    )


def origins_of(offsets, distances=None):
    return Origins(offsets=offsets, distances=distances or {})


TRIPLE = origins_of(
    {
        "right": at(0.1, -0.2, 0.0),
        "moved": at(0.1, 2.8, 0.0),
        "scattered": at(-1.5, 0.4, 1.1, error=0.9),
    },
    {
        ("right", "moved"): at(0.0, 3.0, 0.0, error=0.0),
        ("right", "scattered"): at(-1.6, 0.6, 1.1, error=0.8, n=38),
        ("moved", "scattered"): at(-1.6, -2.4, 1.1, error=0.8, n=38),
    },
)


def test_the_moved_set_is_named_with_its_distance_from_the_right_one():
    (alarm,) = origin_alarms(TRIPLE)
    assert alarm == (
        "Set moved: its picks lie +2.8 ± 0.1 voxels along y of the particles, by "
        "the centre of their density. So constant an offset is a wrong origin, axis or "
        "binning, not bad picking. right lies there within the error, and moved "
        "(+0.00, +3.00, +0.00) ± (0.00, 0.00, 0.00) voxels along x, y, z from it: "
        "subtract that. Only where all particles lie alike may it be another point of "
        "theirs that the picks mean; then leave it."
    )


def test_distances_and_offsets_are_told_whether_wrong_or_not():
    between, beside = origin_sentences(TRIPLE)
    assert (
        "moved (+0.00, +3.00, +0.00) ± (0.00, 0.00, 0.00) from right (48 particles of "
        "both); scattered (-1.60, +0.60, +1.10) ± (0.80, 0.80, 0.80) from right (38 "
    ) in between
    assert beside.startswith(
        "Voxels along x, y, z from the particles, by the centre of their density: "
        "right (+0.10, -0.20, +0.00) ± (0.10, 0.10, 0.10); moved"
    )
    (alone,) = origin_sentences(origins_of({"a": at(0, 0, 0)}))
    assert alone.endswith(
        "from the particles, by the centre of their density: a (+0.00, +0.00, +0.00) ± "
        "(0.10, 0.10, 0.10)."
    )


def test_one_scattered_set_is_no_witness_and_no_culprit():
    assert TRIPLE.agrees("right")
    assert not TRIPLE.agrees("scattered")
    assert not TRIPLE.agrees("moved")
    assert TRIPLE.witness("moved")[0] == "right"
    assert TRIPLE.witness("right") is None
    assert TRIPLE.alarming_axes("scattered") == ()


def test_the_witness_may_stand_second_in_its_pair():
    turned = origins_of(
        {"moved": at(2.0, 0.0, -3.0), "right": at(0.0, 0.0, 0.0)},
        {("moved", "right"): at(-2.0, 0.0, 3.0, error=0.01)},
    )
    other, distance = turned.witness("moved")
    assert (other, distance.mean_xyz) == ("right", (2.0, 0.0, -3.0))
    assert turned.alarming_axes("moved") == ("x", "z")


def test_few_particles_in_common_are_told_but_prove_nothing():
    few = origins_of(
        {"right": at(0.0, 0.0, 0.0), "moved": at(0.0, 0.0, 2.0)},
        {("right", "moved"): at(5.0, 0.0, 2.0, error=0.0, n=5)},
    )
    assert few.witness("moved") is None
    assert few.alarming_axes("moved") == ("z",)
    assert few.undecided() == []
    assert "(+5.00, +0.00, +2.00)" in origin_sentences(few)[0]


def test_a_distance_from_a_right_set_names_what_the_density_alone_would_not():
    small = origins_of(
        {"right": at(0.0, 0.1, 0.0, error=0.3), "moved": at(0.1, 1.0, 0.0, error=0.3)},
        {("right", "moved"): at(0.1, 0.9, 0.0, error=0.0)},
    )
    assert not small.offsets["moved"].is_alarming
    assert small.alarming_axes("moved") == ("y",)
    assert len(origin_alarms(small)) == 1


def test_which_is_right_may_be_unknown():
    few_misplaced = origins_of(
        {"a": at(0, 0, 0), "b": at(0, 0.1, 0)}, {("a", "b"): at(3.0, 0, 0, error=0.0)}
    )
    assert few_misplaced.undecided() == []
    unknown = origins_of(
        {"a": at(-1.4, 0, 0, error=0.7), "b": at(1.6, 0, 0, error=0.7)},
        {("a", "b"): at(3.0, 0, 0, error=0.0)},
    )
    assert unknown.undecided() == [("a", "b")]
    (alarm,) = origin_alarms(unknown)
    assert alarm.startswith(
        "Sets a and b: b lies +3.0 ± 0.0 voxels along x of a (48 particles of both)."
    )
    assert "Which of them is right is unknown" in alarm
    assert "a (-1.40, +0.00, +0.00) ± (0.70, 0.70, 0.70) and b" in alarm
    assert "subtract" not in alarm


def test_sets_that_are_all_moved_are_all_named_and_without_a_witness():
    alike = origins_of(
        {"a": at(0, 0, 2.0), "b": at(0, 0, 2.1)},
        {("a", "b"): at(0, 0, 0.1)},
    )
    alarms = origin_alarms(alike)
    assert [a[:5] for a in alarms] == ["Set a", "Set b"]
    assert "binning, not bad picking; subtract it. Only where" in alarms[0]
    assert alike.undecided() == []


def test_few_particles_need_more_standard_errors():
    drawn = np.zeros((101, 3))
    drawn[1::2], drawn[2::2] = (0, 0, 0.5), (0, 0, -0.5)
    drawn += (0.1, 0.2, 2.5)
    many = summarise(drawn, n=60, floors_zyx=np.zeros(3))
    few = summarise(drawn, n=8, floors_zyx=np.zeros(3))
    assert many.mean_xyz == pytest.approx((2.5, 0.2, 0.1))
    assert many.standard_error_xyz == pytest.approx((0.5, 0.0, 0.0))
    assert many.alarming_axes == ("x",)
    assert few.alarming_axes == ()
    assert 4.0 < many.alarm_sigma < 4.5 < few.alarm_sigma < 9.0
    floored = summarise(drawn, n=60, floors_zyx=np.array([0.0, 0.2, 1.2]))
    assert floored.standard_error_xyz == pytest.approx((1.3, 0.2, 0.0))


def drawn_of(value, error):
    """Return draws of one value whose spread on each axis is the error."""
    draws = np.full((101, 3), float(value))
    draws[1::2] += error
    draws[2::2] -= error
    return draws


def test_own_offsets_and_distances_together_by_hand():
    own = {"a": drawn_of(0.0, 0.3), "b": drawn_of(4.0, 0.6)}
    exact = {("a", "b"): drawn_of(3.0, 0.0)}
    floors = {"a": 0.0, "b": 0.0}
    found = {n: d[0] for n, (d, _) in compose(own, exact, floors_vox=floors).items()}
    # a says 0 for a; b says 4 - 3 = 1, with a quarter of the weight.
    np.testing.assert_allclose(found["a"], 0.2, atol=1e-3)
    np.testing.assert_allclose(found["b"] - found["a"], 3.0, atol=1e-2)
    apart = compose(own, {}, floors_vox=floors)
    assert (apart["a"][0][0, 0], apart["b"][0][0, 0]) == (0.0, 4.0)


def test_a_density_that_was_not_found_counts_for_nothing():
    own = {"a": drawn_of(0.5, 0.1), "b": drawn_of(-9.0, 0.1)}
    exact = {("a", "b"): drawn_of(1.0, 0.0)}
    found = compose(own, exact, floors_vox={"a": 0.1, "b": 16.0})
    np.testing.assert_allclose(found["a"][0][0], 0.5, atol=0.01)
    np.testing.assert_allclose(found["b"][0][0], 1.5, atol=0.02)
    np.testing.assert_allclose(found["b"][1], 0.1, atol=0.02)
    alone = compose({"b": own["b"]}, {}, floors_vox={"b": 16.0})
    np.testing.assert_allclose(alone["b"][1], 16.0)


def test_draws_count_every_particle_once_and_then_anew():
    draws = draw_particles(5, 30, np.random.default_rng(0))
    assert draws.shape == (31, 5)
    assert draws[0].tolist() == [1.0] * 5
    assert (draws.sum(axis=1) == 5).all()
    assert draws[1:].std() > 0.5


# ----------------------------- planted tomograms --------------------------------
GEOMETRY = choose_geometry(120.0, 10.0, None)
SHAPES = {"A": (34, 150, 190), "B": (36, 170, 160)}


def planted(pickers):
    """Return sets made by functions of the true places of ellipsoids in noise."""
    generator = np.random.default_rng(2)
    z, y, x = np.indices((19,) * 3) - 9
    tomograms, true = {}, {}
    for t, shape in SHAPES.items():
        volume = generator.normal(size=shape)
        places = [
            (shape[0] // 2 + int(generator.integers(-2, 3)), row, column)
            for row in range(18, shape[1] - 18, 26)
            for column in range(18, shape[2] - 18, 26)
        ]
        for place in places:
            turn = rotation_of(generator.uniform((-180, 0, -180), (180, 180, 180)))
            u, v, w = np.tensordot(turn.reshape(3, 3), np.stack([x, y, z]), axes=1)
            body = ((u / 6) ** 2 + (v / 4) ** 2 + (w / 5) ** 2 <= 1).astype(float)
            part = tuple(slice(p - 9, p + 10) for p in place)
            volume[part] -= 2.0 * ndimage.gaussian_filter(body, 1.0)
        tomograms[t] = Tomogram(
            tomogram_id=t, path=Path(f"{t}.mrc"), data=volume, voxel_size=10.0
        )
        true[t] = np.array(places, float)
    sets = PickSets(
        tomograms=tomograms,
        voxel_size=10.0,
        picks={
            name: {t: make_particles(t, pick(true[t])) for t in SHAPES}
            for name, pick in pickers.items()
        },
        left_out=(),
    )
    return sets, join_all(sets, max_distance_ang=60.0)


def measured(pickers):
    sets, members = planted(pickers)
    candidates = gather_candidates(
        sets, members, geometry=GEOMETRY, max_particles=500, seed=1
    )
    return measure_origins(
        sets,
        members,
        candidates,
        geometry=GEOMETRY,
        invert=True,
        max_distance_vox=6.0,
        seed=1,
    )


def scattered(places):
    generator = np.random.default_rng(len(places))
    way = generator.normal(size=places.shape)
    found = places + 3.0 * way / np.linalg.norm(way, axis=1, keepdims=True)
    found[::5] = generator.uniform((6, 6, 6), (28, 140, 150), found[::5].shape)
    return found


def test_planted_sets_are_judged_as_planted():
    shift = np.array([-1.5, 2.0, 0.4])
    origins = measured(
        {
            "scattered": scattered,
            "moved": lambda p: p + shift,
            "right": lambda p: p + np.random.default_rng(1).normal(0, 0.4, p.shape),
        }
    )
    np.testing.assert_allclose(origins.offsets["right"].mean_xyz, 0, atol=0.4)
    np.testing.assert_allclose(origins.offsets["moved"].mean_xyz, shift[::-1], atol=0.4)
    np.testing.assert_allclose(
        origins.distance("right", "moved").mean_xyz, shift[::-1], atol=0.3
    )
    assert origins.alarming_axes("moved") == ("y", "z")
    assert origins.alarming_axes("right") == ()
    assert origins.alarming_axes("scattered") == ()
    assert origins.agrees("right")
    (alarm,) = origin_alarms(origins)
    assert "Set moved" in alarm
    assert "right lies there within the error" in alarm


def test_a_few_misplaced_picks_in_common_are_not_the_distance_of_the_sets():
    def mostly_others(places):
        return np.concatenate([places[1::2], np.add(places[:6:2], (0, 4.0, 0))])

    origins = measured({"first": lambda p: p[::2], "second": mostly_others})
    distance = origins.distance("first", "second")
    assert distance.n == 6
    assert distance.mean_xyz == pytest.approx((0.0, 4.0, 0.0))
    np.testing.assert_allclose(origins.offsets["first"].mean_xyz, 0, atol=0.4)
    assert abs(origins.offsets["second"].mean_xyz[1]) < 1.5
    assert origin_alarms(origins) == []


def test_distances_that_densities_contradict_are_not_used():
    own = {"a": drawn_of(0.0, 0.1), "b": drawn_of(0.2, 0.1)}
    distances = {("a", "b"): drawn_of(3.0, 0.0)}
    floors = {"a": 0.1, "b": 0.1}
    assert consistent(own, distances, floors_vox=floors) == {}
    assert consistent(own, distances, floors_vox={"a": 0.1, "b": 9.0}) == distances


def test_a_set_alone_is_told_by_the_density():
    origins = measured({"only": lambda p: np.add(p, (0, 0, -2.0))})
    assert origins.distances == {}
    assert origins.alarming_axes("only") == ("x",)
    assert origins.offsets["only"].mean_xyz[0] == pytest.approx(-2.0, abs=0.4)
