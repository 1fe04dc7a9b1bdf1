"""How far sets lie apart on the particles that both have: planted, by hand."""

from pathlib import Path

import numpy as np

from etpicker_plugin.engine.comparison.compare import join_all
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.verdict.origins.compose import pair_distances
from etpicker_plugin.engine.verdict.origins.distances import (
    Pairs,
    pair_up,
    without_strays,
)
from etpicker_plugin.engine.volumes.tomogram import Tomogram

SHAPES = {"A": (40, 200, 260), "B": (44, 210, 240)}
STEP = 40.0
REACH = 12.0


def lattice(shape):
    """Return places 40 voxels apart in y and x, at z 20."""
    return np.array(
        [
            (20.0, y, x)
            for y in np.arange(30, shape[1] - 20, STEP)
            for x in np.arange(30, shape[2] - 20, STEP)
        ]
    )


def make_sets(pickers):
    """Return sets by name from functions of ``(N, 3)`` true places, and members."""
    sets = PickSets(
        tomograms={
            t: Tomogram(
                tomogram_id=t, path=Path(f"{t}.mrc"), data=np.zeros(s), voxel_size=10.0
            )
            for t, s in SHAPES.items()
        },
        voxel_size=10.0,
        picks={
            name: {t: make_particles(t, pick(lattice(s))) for t, s in SHAPES.items()}
            for name, pick in pickers.items()
        },
        left_out=(),
    )
    return sets, join_all(sets, max_distance_ang=10 * REACH)


def pairs_of(pickers):
    sets, members = make_sets(pickers)
    first, second = sets.names
    return pair_up(sets, members, first, second, max_distance_vox=REACH), members


def test_a_copy_moved_along_each_axis_lies_exactly_there():
    shift = np.array([-1.0, 3.0, 0.5])
    pairs, members = pairs_of({"a": lambda p: p, "b": lambda p: p + shift})
    count = sum(len(lattice(s)) for s in SHAPES.values())
    assert len(pairs) == count
    np.testing.assert_allclose(pairs.displacements_zyx, np.tile(shift, (count, 1)))
    assert sorted(pairs.particles) == list(range(sum(map(len, members.values()))))


def test_a_particle_has_its_number_over_all_tomograms():
    pairs, members = pairs_of({"a": lambda p: p[2:], "b": lambda p: p[::-1]})
    first = len(lattice(SHAPES["A"])) - 2
    # In each tomogram those of the first set come first, then what is left of b.
    here, there = len(members["A"]), len(lattice(SHAPES["B"])) - 2
    assert here == first + 2
    expected = [*range(first), *(here + n for n in range(there))]
    assert sorted(pairs.particles) == expected


def test_the_largest_distance_does_not_cut_one_side_off():
    def scattered(places):
        way = np.random.default_rng(len(places)).normal(size=places.shape)
        return places + 8.0 * way / np.linalg.norm(way, axis=1, keepdims=True)

    still, _ = pairs_of({"a": lambda p: p, "b": scattered})
    moved, _ = pairs_of(
        {"a": lambda p: p, "b": lambda p: np.add(scattered(p), (0, 0, 7.0))}
    )
    assert len(still) == len(moved) == sum(len(lattice(s)) for s in SHAPES.values())
    np.testing.assert_allclose(
        moved.displacements_zyx.mean(axis=0) - still.displacements_zyx.mean(axis=0),
        (0, 0, 7.0),
        atol=1e-6,
    )


def test_picks_that_met_another_particle_are_left_out():
    def partly_false(places):
        found = np.add(places, (0, 2.0, 0))
        found[:3] = np.add(places[:3], (0, -9.0, 5.0))
        return found

    pairs, _ = pairs_of({"a": lambda p: p, "b": partly_false})
    assert len(pairs) == sum(len(lattice(s)) - 3 for s in SHAPES.values())
    np.testing.assert_allclose(
        pairs.displacements_zyx.mean(axis=0), (0, 2.0, 0), atol=1e-9
    )


def test_a_wide_scatter_is_not_taken_for_strays():
    normal = np.random.default_rng(4).normal(0, 3.0, (400, 3))
    pairs = Pairs(particles=np.arange(400), displacements_zyx=normal)
    assert len(without_strays(pairs)) >= 397


def test_sets_that_share_nothing_have_no_pairs():
    pairs, _ = pairs_of({"a": lambda p: p[::2], "b": lambda p: p[1::2]})
    assert len(pairs) == 0
    assert pairs.displacements_zyx.shape == (0, 3)


def test_the_mean_of_a_draw_by_hand():
    pairs = Pairs(
        particles=np.array([4, 7, 9]),
        displacements_zyx=np.array([[0.0, 1, 2], [0, 3, 2], [6, 5, 2]]),
    )
    weights = np.array([[1.0, 1, 1], [2, 1, 0], [0, 0, 0]])
    np.testing.assert_allclose(
        pair_distances(pairs, weights), [[2, 3, 2], [0, 5 / 3, 2], [2, 3, 2]]
    )
