"""What is judged: borders, halves, the control, and boxes that sets share."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from etpicker_plugin.engine.comparison.compare import join_all
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.verdict.places.candidates import gather_candidates
from etpicker_plugin.engine.verdict.places.control import place_control
from etpicker_plugin.engine.verdict.places.cutting import cut_box
from etpicker_plugin.engine.verdict.places.geometry import choose_geometry
from etpicker_plugin.engine.volumes.tomogram import Tomogram

SHAPES = {"TS_1": (40, 90, 130), "TS_2": (44, 110, 100)}
ALONG_X = np.array([0, 0, 2.0])
GEOMETRY = choose_geometry(120.0, 10.0, None)


def grid(shape, step=16, start=10):
    ranges = [np.arange(start, n - 6, step, dtype=float) for n in shape]
    return np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)


def make_sets(**positions):
    """Build sets; each value is a function of a tomogram's shape."""
    return PickSets(
        tomograms={
            name: Tomogram(
                tomogram_id=name,
                path=Path(f"{name}.mrc"),
                data=np.zeros(shape, np.int8),
                voxel_size=10.0,
            )
            for name, shape in SHAPES.items()
        },
        voxel_size=10.0,
        picks={
            name: {t: make_particles(t, make(SHAPES[t])) for t in SHAPES}
            for name, make in positions.items()
        },
        left_out=(),
    )


def gather(sets, **values):
    members = join_all(sets, max_distance_ang=60.0)
    settings = {"geometry": GEOMETRY, "max_particles": 500, "seed": 3, **values}
    return gather_candidates(sets, members, **settings)


def test_boxes_of_one_particle_are_in_one_half_and_halves_are_even():
    sets = make_sets(a=grid, b=lambda s: grid(s)[::2] + ALONG_X)
    found = gather(sets)
    a, b = found.rows["a"], found.rows["b"]
    assert len(a) == sum(len(grid(s)) for s in SHAPES.values())
    shared = set(found.particles[a]) & set(found.particles[b])
    assert len(shared) == len(b)
    for number in shared:
        assert len(set(found.half[found.particles == number])) == 1
    for rows in found.rows.values():
        assert abs(np.sum(found.half[rows] == 1) - len(rows) / 2) <= len(rows) * 0.2


def test_in_micrographs_the_control_keeps_away_in_the_plane(monkeypatch):
    for name, shape in SHAPES.items():
        monkeypatch.setitem(SHAPES, name, (1, *shape[1:]))
    sets = make_sets(a=lambda shape: grid((30, *shape[1:]), step=32)[:4] * (0, 1, 1))
    found = gather(sets)
    assert len(found.rows["a"]) == 8
    control = found.positions_zyx[found.rows["control"]]
    assert len(control) >= 6
    assert (control[:, 0] == 0).all()
    for name, shape in SHAPES.items():
        here = found.tomogram_ids[found.rows["control"]] == name
        own = found.positions_zyx[found.rows["a"]]
        own = own[found.tomogram_ids[found.rows["a"]] == name]
        nearest, _ = cKDTree(own).query(control[here])
        assert (nearest >= 0.6 * 12).all()
        low, high = GEOMETRY.border_vox, np.array(shape[1:]) - 1 - GEOMETRY.border_vox
        assert ((control[here, 1:] >= low) & (control[here, 1:] <= high)).all()


def test_equal_positions_of_two_sets_are_one_box():
    sets = make_sets(a=grid, b=lambda s: grid(s)[5:])
    found = gather(sets)
    assert set(found.rows["b"]) < set(found.rows["a"])
    assert len(found) == len(found.rows["a"]) + len(found.rows["control"])


def test_picks_near_a_face_are_counted_and_not_judged():
    edge = np.array([[4.0, 50, 50], [30, 50, 126], [20, 50, 50]])
    sets = make_sets(a=lambda s: np.concatenate([grid(s), edge[: 2 + (s[2] == 100)]]))
    sets.picks["a"]["TS_2"] = make_particles("TS_2", grid(SHAPES["TS_2"]))
    found = gather(sets)
    assert found.at_border == {"a": 2}
    low = found.positions_zyx.min(axis=0)
    assert (low >= GEOMETRY.border_vox).all()


def test_the_control_is_on_no_pick_and_keeps_the_border():
    sets = make_sets(a=lambda s: grid(s, step=30))
    found = gather(sets)
    for t, shape in SHAPES.items():
        rows = [r for r in found.rows["control"] if found.tomogram_ids[r] == t]
        places = found.positions_zyx[rows]
        assert len(places) == len(grid(shape, step=30))
        nearest = cKDTree(grid(shape, step=30)).query(places)[0]
        assert nearest.min() >= 0.6 * 12
        assert (places <= np.array(shape) - 1 - GEOMETRY.border_vox).all()


def test_no_more_than_asked_are_judged():
    found = gather(make_sets(a=grid), max_particles=20)
    assert len(found.rows["a"]) == 20
    assert len(found.rows["control"]) == 20


def test_too_few_for_two_halves():
    with pytest.raises(InputDataError, match=r"Set b: 6 of 6 picks .* at least 8"):
        gather(make_sets(a=grid, b=lambda s: grid(s)[:3]))


def test_no_room_for_a_control():
    with pytest.raises(InputDataError, match="the picks fill the tomograms"):
        gather(make_sets(a=lambda s: grid(s, step=4, start=2)))


def test_control_in_a_flat_volume_and_beside_nothing():
    generator = np.random.default_rng(0)
    settings = {"border_vox": 10.0, "clearance_vox": 3.0, "generator": generator}
    none = np.zeros((0, 3))
    assert len(place_control((15, 90, 90), none, count=5, **settings)) == 0
    places = place_control((41, 90, 90), none, count=50, **settings)
    assert len(places) == 50
    assert np.ptp(places, axis=0).min() > 15


def test_boxes_and_their_voxels():
    assert (GEOMETRY.box, GEOMETRY.box_voxel_size) == (16, 10.0)
    large = choose_geometry(370.0, 10.0, None)
    assert (large.box, large.box_voxel_size) == (26, 20.0)
    assert large.search_ang == 46.25
    assert GEOMETRY.search_ang == 30.0
    with pytest.raises(ConfigError, match="finer voxels hold nothing new"):
        choose_geometry(370.0, 10.0, 5.0)
    with pytest.raises(ConfigError, match="too few to align"):
        choose_geometry(100.0, 20.0, None)


def test_a_box_at_a_face_is_whole_and_true_inside():
    volume = np.random.default_rng(0).normal(size=(30, 41, 53))
    inner = cut_box(volume, np.array([15.0, 20, 26]), box=12, scale=1.0)
    np.testing.assert_allclose(inner, volume[9:21, 14:26, 20:32], atol=1e-5)
    edge = cut_box(volume, np.array([3.0, 20, 50]), box=12, scale=1.0)
    np.testing.assert_allclose(edge[3:, :, :9], volume[:9, 14:26, 44:], atol=1e-5)
    assert edge.shape == (12, 12, 12)
