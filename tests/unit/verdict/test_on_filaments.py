"""Filaments as they are judged: boxes, control and halves; what is wrong, named."""

import re

import numpy as np
import pytest
from scipy.spatial import cKDTree

from etpicker_plugin.engine.comparison.compare import join_all
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.halves import part_things
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.verdict.curved.found import find_curved
from etpicker_plugin.engine.verdict.places.geometry import choose_thing_geometry
from etpicker_plugin.engine.verdict.places.on_things import gather_on_things
from etpicker_plugin.engine.verdict.places.things import (
    named_kinds,
    points_on_things,
)
from etpicker_plugin.engine.verdict.reporting.curve_words import (
    curve_alarms,
    curve_sentences,
)
from etpicker_plugin.engine.volumes.tomogram import Tomogram
from etpicker_plugin.tests.support.helices import (
    PITCH_VOX,
    SHAPES,
    STEP,
    VOXEL_SIZE,
    WIDTH,
    picked_helices,
    scene,
)

GEOMETRY = choose_thing_geometry("filament", WIDTH, VOXEL_SIZE, None)


@pytest.fixture(scope="module")
def tomograms():
    return {
        t: Tomogram(
            tomogram_id=t,
            path=f"{t}.mrc",
            data=scene(t),
            voxel_size=VOXEL_SIZE,
        )
        for t in SHAPES
    }


def sets_of(tomograms, **asked):
    return PickSets(
        tomograms=tomograms,
        voxel_size=VOXEL_SIZE,
        picks={
            n: {t: picked_helices(t, **how) for t in tomograms}
            for n, how in asked.items()
        },
        left_out=(),
    )


def judged(tomograms, **asked):
    """Return the sets as they are judged, and their boxes."""
    written = sets_of(tomograms, **asked)
    sets = points_on_things(written, "filament", diameter_ang=WIDTH)
    members = join_all(sets, max_distance_ang=WIDTH / 2)
    candidates = gather_on_things(
        sets, members, kind="filament", geometry=GEOMETRY, max_particles=200, seed=0
    )
    return written, sets, candidates


def found_in(tomograms, **asked):
    written, sets, candidates = judged(tomograms, **asked)
    return find_curved(
        written,
        sets,
        candidates,
        kind="filament",
        geometry=GEOMETRY,
        invert=True,
        seed=0,
    )


def test_halves_are_even_and_part_no_thing():
    half = part_things([[5, 0], [4, 4], [3, 4], [6, 6], [0, 3]])
    assert sorted(set(half)) == [1, 2]
    sizes = np.array([[5, 0], [4, 4], [3, 4], [6, 6], [0, 3]])
    assert np.abs((sizes * np.where(half == 1, 1, -1)[:, None]).sum(axis=0)).max() <= 4


def test_boxes_of_one_filament_are_in_one_half_whoever_picked_it(tomograms):
    _, _, found = judged(tomograms, ours={}, other={"moved": (0, 2, 1), "step": 7.0})
    assert len(np.unique(found.things[found.rows["ours"]])) == 6
    for name in ("ours", "other"):
        rows = found.rows[name]
        assert set(found.half[rows]) == {1, 2}
        first = np.bincount(found.half[rows])[1]
        assert 0.3 < first / len(rows) < 0.7
    # The sets picked the same ones.
    assert set(found.things[found.rows["ours"]]) == set(
        found.things[found.rows["other"]]
    )
    for thing in np.unique(found.things):
        assert len(set(found.half[found.things == thing])) == 1


def test_the_control_runs_beside_in_the_same_directions(tomograms):
    _, sets, found = judged(tomograms, ours={})
    control, own = found.rows["control"], found.rows["ours"]
    assert 0.6 * len(own) < len(control) <= len(own)
    for t, shape in SHAPES.items():
        here = control[found.tomogram_ids[control] == t]
        places = found.positions_zyx[here]
        tree = cKDTree(sets.picks["ours"][t].positions_zyx)
        assert tree.query(places)[0].min() >= GEOMETRY.clearance_ang / VOXEL_SIZE > 8
        assert (places >= GEOMETRY.border_vox).all()
        assert (places <= np.array(shape) - 1 - GEOMETRY.border_vox).all()
    axes = found.matrices[own][:, :, 2]
    alike = (found.matrices[control][:, :, 2] @ axes.T).max(axis=1)
    assert alike.min() > 1 - 1e-9


def test_a_filament_alone_or_without_names_is_refused(tomograms):
    one = {"a": tomograms["a"]}
    with pytest.raises(InputDataError, match="on one filament, and each half set"):
        judged(one, ours={"only": 1})
    bare = sets_of(one, ours={})
    points = bare.picks["ours"]["a"]
    bare.picks["ours"]["a"] = make_particles("a", points.positions_zyx)
    with pytest.raises(InputDataError, match="name no filament"):
        points_on_things(bare, "filament", diameter_ang=WIDTH)
    assert named_kinds(bare) == []
    assert named_kinds(sets_of(one, ours={})) == ["filament"]


def test_points_are_thinned_to_half_a_width_and_none_stands_twice(tomograms):
    dense = sets_of(tomograms, ours={"step": 1.0})
    points = dense.picks["ours"]["a"]
    twice = np.sort(np.concatenate([np.arange(len(points)), [0, 7, 7, 50]]))
    dense.picks["ours"]["a"] = points.select(twice)
    thinned = points_on_things(dense, "filament", diameter_ang=WIDTH).picks["ours"]["a"]
    first = thinned.positions_zyx[thinned.optional["filament"] == "mt_0"]
    steps = np.linalg.norm(np.diff(first, axis=0), axis=1)
    np.testing.assert_allclose(steps, 4.0, atol=0.01)


def test_shifts_are_named_in_the_frame_in_which_they_are_constant(tomograms):
    found = found_in(
        tomograms, good={}, moved={"moved": (0, 3, 0)}, beside={"beside": 3.0}
    )
    moved, beside = curve_alarms(found)
    assert moved.startswith("Set moved: its points lie +")
    assert "voxels along y of the axes of their filaments, in the tomogram" in moved
    np.testing.assert_allclose(
        found.off_axis["moved"].in_tomogram.mean_xyz[1], 3, atol=0.5
    )
    assert beside.startswith("Set beside: its points lie +")
    assert "Å along x of the average" in beside
    np.testing.assert_allclose(found.off_axis["beside"].mean_ang, [30, 0], atol=5)
    np.testing.assert_allclose(found.off_axis["good"].mean_ang, [0, 0], atol=5)


def test_a_step_that_just_misses_a_repeat_is_named(tomograms):
    found = found_in(tomograms, right={}, wrong={"step": 8.4}, other={"step": 6.0})
    right, wrong, other = (found.steps[n] for n in ("right", "wrong", "other"))
    assert right.repeat.period_ang == pytest.approx(45.0, abs=0.7)
    assert right.repeats == pytest.approx(2.0, abs=0.03)
    assert not right.is_wrong
    assert wrong.step_ang == pytest.approx(84.0, abs=0.1)
    (alarm,) = curve_alarms(found)
    assert "Set wrong: its step of 84.0 Å is 1.8" in alarm
    assert re.search(r"meant to be 2, .* pick with a step of (89|90)\.\d Å", alarm)
    # Far from any whole number of repeats: nobody meant one, but it is told.
    assert not other.is_wrong
    assert "60.0 Å is 1.3" in " ".join(curve_sentences(found))


def test_where_nothing_repeats_no_step_is_judged():
    smooth = {
        t: Tomogram(
            tomogram_id=t,
            path=f"{t}.mrc",
            data=scene(t, period=1e9, pitch=1e9),
            voxel_size=VOXEL_SIZE,
        )
        for t in SHAPES
    }
    assert found_in(smooth, ours={}).steps == {}


def test_a_twist_of_the_wrong_sign_is_named(tomograms):
    turn = 360.0 / PITCH_VOX  # right-handed, as they were made
    found = found_in(tomograms, right={"turn": turn}, wrong={"turn": -turn}, none={})
    assert set(found.twists) == {"right", "wrong"}
    assert found.twists["right"].is_right
    assert found.twists["wrong"].is_wrong
    assert found.twists["right"].turn_deg == pytest.approx(turn * STEP, abs=1)
    (alarm,) = curve_alarms(found)
    assert "Set wrong: its orientations turn the wrong way" in alarm
    assert "give the twist with the other sign" in alarm
    assert any("agree better so" in s for s in curve_sentences(found))
