"""From a probability to a filament's picks."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from etpicker_plugin.engine.filaments.settings import trace_settings
from etpicker_plugin.engine.orientation import to_relion_angles
from etpicker_plugin.engine.picking.filament_picks import (
    assemble_filaments,
    without_walls,
)
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks
from etpicker_plugin.engine.picking.ridges import find_lines
from etpicker_plugin.engine.species import Species
from etpicker_plugin.tests.support.tubes import painted_tubes

SHAPE = (34, 47, 61)
ACTIN = Species("actin", 60.0, 60.0, threshold=0.2, kind="filament")
SETTINGS = trace_settings(60.0, 10.0)
FIRST, LAST = np.array([5.0, 6, 8]), np.array([28.0, 40, 52])


def points():
    """Return the ridge points of two tubes in noise, of channel 1."""
    along = np.linspace(0, 1, 400)[:, None]
    curves = [FIRST + (LAST - FIRST) * along, [4.0, 40, 5] + [0.0, 0, 50] * along]
    noise = np.random.default_rng(4).normal(0, 0.05, SHAPE)
    probability = np.clip(painted_tubes(SHAPE, curves, radius=1.5) + noise, 0, 1)
    found = find_lines(torch.from_numpy(probability).float(), 3, min_score=0.05)
    return replace(found, channels=np.ones(len(found), np.intp))


def test_a_probability_becomes_points_a_step_apart():
    picks = assemble_filaments(points(), ACTIN, settings=SETTINGS)

    names = picks.optional["filament"]
    assert sorted(set(names)) == ["actin_1", "actin_2"]
    assert set(picks.channels) == {1}
    for name, direction in (
        ("actin_1", LAST - FIRST),
        ("actin_2", np.array([0.0, 0, 50])),
    ):
        own = picks.select(names == name)
        steps = np.linalg.norm(np.diff(own.positions_zyx, axis=0), axis=1)
        np.testing.assert_allclose(steps, 2.0, atol=0.01)
        unit = direction / np.linalg.norm(direction)
        z_axis = own.optional["rotation"][:, ::-1, 2]
        assert np.degrees(np.arccos((z_axis @ unit).min())) < 5
        assert own.scores.mean() == pytest.approx(0.42, abs=0.06)
        assert len(own) * 2.0 == pytest.approx(np.linalg.norm(direction), abs=5)
    first = picks.select(names == "actin_1").positions_zyx
    off = np.cross(first - FIRST, LAST - FIRST) / np.linalg.norm(LAST - FIRST)
    assert np.linalg.norm(off, axis=1).mean() < 0.3
    rot = to_relion_angles(picks.optional["rotation"])[:, 0]
    assert (
        np.abs(rot[names == "actin_1"]).max() < 10
    )  # it hardly bends: next to no turn


def test_tiles_and_the_order_of_points_do_not_count():
    found = points()
    order = np.random.default_rng(1).permutation(len(found))
    halves = [found.select(order[::2]), found.select(order[1::2])]
    first = assemble_filaments(found, ACTIN, settings=SETTINGS)
    second = assemble_filaments(join_peaks(halves), ACTIN, settings=SETTINGS)
    np.testing.assert_array_equal(first.positions_zyx, second.positions_zyx)
    np.testing.assert_array_equal(
        first.optional["filament"], second.optional["filament"]
    )


def test_without_points_there_are_no_picks():
    found = points()
    none = found.select(np.zeros(len(found), bool))
    assert len(assemble_filaments(none, ACTIN, settings=SETTINGS)) == 0
    assert len(assemble_filaments(join_peaks([]), ACTIN, settings=SETTINGS)) == 0


def along(z, y, *, channel, name, count=20):
    """Return points of a filament along x, two voxels apart."""
    x = 10 + 2.0 * np.arange(count)
    return Peaks(
        positions_zyx=np.stack([0 * x + z, 0 * x + y, x], 1),
        scores=np.full(count, 0.5),
        channels=np.full(count, channel, np.intp),
        optional={"filament": np.full(count, name)},
    )


def test_the_wall_of_a_wider_filament_is_no_filament():
    """A microtubule reaches 12.5 voxels: 10 lie in its wall, 14 beside it."""
    tube = Species("mt", 250.0, 250.0, kind="filament")
    ribosome = Species("ribosome", 300.0, 300.0)
    walls = along(20, 40, channel=0, name="actin_1")
    beside = along(20, 64, channel=0, name="actin_2")
    ends_inside = along(26, 50, channel=0, name="actin_3", count=60)
    thin = join_peaks([walls, beside, ends_inside])
    wide = along(20, 50, channel=1, name="mt_1")
    ball = along(20, 41, channel=2, name="")

    kept = without_walls([thin, wide, ball], [ACTIN, tube, ribosome], voxel_size=10.0)

    assert set(kept[0].optional["filament"]) == {"actin_2", "actin_3"}
    assert len(kept[0]) == 80
    assert [len(part) for part in kept[1:]] == [20, 20]


def test_orientations_turn_by_the_twist_for_each_rise():
    """-165° for each 27.5 Å: of points 20 Å apart, each is turned by -120°."""
    untwisted = assemble_filaments(points(), ACTIN, settings=SETTINGS)
    settings = trace_settings(60.0, 10.0, twist_per_ang=-165 / 27.5)
    picks = assemble_filaments(points(), ACTIN, settings=settings)

    turned = (
        np.swapaxes(untwisted.optional["rotation"], 1, 2) @ (picks.optional["rotation"])
    )
    angles = np.degrees(np.arctan2(turned[:, 1, 0], turned[:, 0, 0]))
    np.testing.assert_allclose(turned[:, 2, 2], 1)
    own = angles[picks.optional["filament"] == "actin_1"]
    apart = (np.diff(own) + 360) % 360
    np.testing.assert_allclose(apart, 240, atol=0.5)


def test_curvature_is_per_angstrom():
    """A quarter of a circle of 30 voxels, 300 Å, and a straight one."""
    turn = np.linspace(0, np.pi / 2, 300)
    circle = np.stack([0 * turn + 9, 5 + 30 * np.sin(turn), 45 - 30 * np.cos(turn)], 1)
    straight = [24.0, 40, 5] + np.linspace(0, 1, 300)[:, None] * [0.0, 0, 50]
    probability = painted_tubes(SHAPE, [circle, straight], radius=1.5)
    found = find_lines(torch.from_numpy(probability).float(), 3, min_score=0.05)
    settings = trace_settings(60.0, 10.0, min_radius_ang=200.0)
    picks = assemble_filaments(
        replace(found, channels=np.ones(len(found), np.intp)), ACTIN, settings=settings
    )

    bent = picks.positions_zyx[:, 0] < 16
    curvature = picks.optional["curvature"]
    assert np.median(curvature[bent]) == pytest.approx(1 / 300, rel=0.1)
    assert np.median(curvature[~bent]) < 1 / 3000
