"""Vesicles as they are judged: points on their membranes, and radii that are wrong."""

from dataclasses import replace

import numpy as np
import pytest

from etpicker_plugin.engine.comparison.compare import join_all
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.verdict.curved.found import find_curved
from etpicker_plugin.engine.verdict.places.geometry import choose_thing_geometry
from etpicker_plugin.engine.verdict.places.on_things import gather_on_things
from etpicker_plugin.engine.verdict.places.things import points_on_things
from etpicker_plugin.engine.verdict.reporting.curve_words import (
    curve_alarms,
    curve_sentences,
)
from etpicker_plugin.engine.volumes.tomogram import Tomogram

SHAPE, VOXEL_SIZE = (58, 110, 126), 12.0
CENTRES = [(27, 22, 20), (30, 84, 26), (29, 28, 100), (28, 82, 98), (27, 55, 62)]
RADII = [13.0, 15.0, 14.0, 16.0, 12.5]
GEOMETRY = choose_thing_geometry("vesicle", 340.0, VOXEL_SIZE, None)


@pytest.fixture(scope="module")
def tomogram():
    grid = np.moveaxis(np.indices(SHAPE), 0, -1).astype(float)
    volume = np.random.default_rng(0).normal(0, 0.5, SHAPE)
    for centre, radius in zip(CENTRES, RADII, strict=True):
        off = np.linalg.norm(grid - centre, axis=-1) - radius
        volume -= np.exp(-0.5 * (off / 1.5) ** 2)
    return Tomogram(
        tomogram_id="TS",
        path="TS.mrc",
        data=volume.astype(np.float32),
        voxel_size=VOXEL_SIZE,
    )


def vesicles(*, moved=(0, 0, 0), larger_ang=0.0):
    return make_particles(
        "TS",
        np.array(CENTRES) + moved,
        class_names="ves",
        optional={"radius": np.array(RADII) * VOXEL_SIZE + larger_ang},
    )


def sets_of(tomogram, **picks):
    return PickSets(
        tomograms={"TS": tomogram},
        voxel_size=VOXEL_SIZE,
        picks={name: {"TS": particles} for name, particles in picks.items()},
        left_out=(),
    )


def gathered(sets):
    return gather_on_things(
        sets,
        join_all(sets, max_distance_ang=70.0),
        kind="vesicle",
        geometry=GEOMETRY,
        max_particles=200,
        seed=0,
    )


def test_points_with_normals_are_spread_over_membranes_and_keep_their_vesicle(tomogram):
    written = sets_of(tomogram, ours=vesicles())
    sets = points_on_things(written, "vesicle", diameter_ang=340.0)
    points = sets.picks["ours"]["TS"]
    assert set(points.optional["vesicle"]) == {f"ves_{n}" for n in range(1, 6)}
    own = points.optional["vesicle"] == "ves_4"
    off = (points.positions_zyx[own] - CENTRES[3]) / RADII[3]
    np.testing.assert_allclose(np.linalg.norm(off, axis=1), 1.0, atol=1e-6)
    normals = points.optional["rotation"][own][:, ::-1, 2]
    np.testing.assert_allclose(normals, off, atol=1e-6)
    # Points on membranes, as 'pick' writes them, are taken as they are.
    again = points_on_things(
        replace(written, picks={"ours": {"TS": points}}),
        "vesicle",
        diameter_ang=340.0,
    ).picks["ours"]["TS"]
    np.testing.assert_allclose(again.positions_zyx, points.positions_zyx)

    found = gathered(sets)
    assert len(np.unique(found.things[found.rows["ours"]])) == 5
    for thing in np.unique(found.things):
        assert len(set(found.half[found.things == thing])) == 1
    assert set(found.half[found.rows["ours"]]) == {1, 2}
    control = found.positions_zyx[found.rows["control"]]
    assert len(control) >= 40
    for centre, radius in zip(CENTRES, RADII, strict=True):
        off = np.abs(np.linalg.norm(control - centre, axis=1) - radius)
        # Half of a membrane, half of what a box shows, and the points' own spacing.
        assert off.min() > 6


def test_wrong_radii_and_a_wrong_origin_are_told_apart(tomogram):
    written = sets_of(
        tomogram,
        good=vesicles(),
        large=vesicles(larger_ang=36.0),
        moved=vesicles(moved=(0, 3, 0)),
    )
    sets = points_on_things(written, "vesicle", diameter_ang=340.0)
    found = find_curved(
        written,
        sets,
        gathered(sets),
        kind="vesicle",
        geometry=GEOMETRY,
        invert=True,
        seed=0,
    )
    large, moved = curve_alarms(found)
    assert large.startswith("Set large: its points lie +")
    assert "Å along z, the normal" in large
    assert "the radii are too large by that" in large
    assert "voxels along y of their membranes, in the tomogram" in moved
    assert found.off_axis["large"].mean_ang[0] == pytest.approx(36, abs=6)
    assert found.off_axis["moved"].in_tomogram.mean_xyz[1] == pytest.approx(3, abs=0.5)
    assert abs(found.off_axis["good"].mean_ang[0]) < 6
    assert "vesicles: 5 of good, 5 of large" in " ".join(curve_sentences(found))


def test_points_that_name_no_vesicle_have_a_radius_or_the_usual_one(tomogram, caplog):
    bare = make_particles("TS", CENTRES, class_names="ves")
    sets = points_on_things(sets_of(tomogram, a=bare), "vesicle", diameter_ang=340.0)
    points = sets.picks["a"]["TS"]
    own = points.optional["vesicle"] == "ves_2"
    off = np.linalg.norm(points.positions_zyx[own] - CENTRES[1], axis=1)
    np.testing.assert_allclose(off * VOXEL_SIZE, 170.0, atol=1e-3)
    assert "5 of 5 vesicles have no radius" in caplog.text
    one = sets_of(tomogram, a=bare.select(np.array([4])))
    points = points_on_things(one, "vesicle", diameter_ang=340.0)
    with pytest.raises(InputDataError, match="on one vesicle, and each half"):
        gathered(points)
