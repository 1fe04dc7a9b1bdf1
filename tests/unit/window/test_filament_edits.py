"""Filaments in an annotation: order, undo, journal, and directions that follow."""

import numpy as np
import pytest

from etpicker_plugin.engine.columns import DIRECTION, ROTATION
from etpicker_plugin.engine.orientation import turned_towards
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.window.aids.filament_edits import (
    beginning,
    deleting,
    flipping,
    inserting,
    moving,
)
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.filament_points import (
    filament_points,
    filament_scores,
    new_filament_name,
)
from etpicker_plugin.window.document.journal import Journal
from etpicker_plugin.window.document.settings import Classes

POINTS = [[5.0, 10, 20], [6, 14, 31], [9, 15, 44], [8, 22, 57]]
BETWEEN = [[2.0, 3, 4], [40, 41, 42]]


@pytest.fixture
def classes(tmp_path):
    made = Classes(tmp_path / "classes.json", {"mt": 250.0, "ribosome": 280.0})
    made.change("mt", kind="filament")
    return made


def make(**optional):
    """Four points of a filament, with a particle before and one between them."""
    order = [BETWEEN[0], *POINTS[:2], BETWEEN[1], *POINTS[2:]]
    on = np.array([False, True, True, False, True, True])
    values = {}
    for name, rows in optional.items():
        rows = np.asarray(rows, dtype=float)
        values[name] = np.full((6, *rows.shape[1:]), np.nan)
        values[name][on] = rows
    return Annotation(
        make_particles(
            "TS",
            order,
            class_names=np.where(on, "mt", "ribosome"),
            scores=[0.9, 0.2, 0.6, 0.7, 0.4, np.nan],
            optional={"filament": np.where(on, "old", ""), **values},
        )
    )


def course(annotation, classes, name="old"):
    found = filament_points(annotation, classes).get(name)
    return [] if found is None else annotation.positions_zyx[found.ids].tolist()


def points_of(annotation, classes, name="old"):
    return filament_points(annotation, classes)[name].ids


def test_a_filament_is_drawn_point_by_point_and_undone(classes):
    annotation = Annotation(make_particles("TS", []))
    name = new_filament_name(annotation, "mt")
    annotation.apply(beginning(annotation, name, "mt", POINTS[0]))
    for point in POINTS[1:]:
        ids = points_of(annotation, classes, "mt_1")
        annotation.apply(inserting(annotation, ids, len(ids), point, voxel_size=10.0))
    assert course(annotation, classes, "mt_1") == POINTS
    assert new_filament_name(annotation, "mt") == "mt_2"
    for left in (3, 2, 1, 0):
        annotation.undo()
        assert course(annotation, classes, "mt_1") == POINTS[:left]
    assert new_filament_name(annotation, "mt") == "mt_2"  # Redo may bring it back.


@pytest.mark.parametrize("place", [0, 1, 3, 4])
def test_a_point_is_inserted_at_its_place_and_undone(classes, place):
    annotation, new = make(), [7.5, 17, 50]
    edit = inserting(
        annotation, points_of(annotation, classes), place, new, voxel_size=10.0
    )
    annotation.apply(edit)
    wanted = [*POINTS[:place], new, *POINTS[place:]]
    assert course(annotation, classes) == wanted
    found = annotation.to_particles()
    on = found.class_names == "mt"
    scores = [0.2, 0.6, 0.4, np.nan]
    scores.insert(place, np.nan)
    np.testing.assert_equal(found.scores[on], scores)
    assert found.positions_zyx[~on].tolist() == BETWEEN
    annotation.undo()
    assert course(annotation, classes) == POINTS
    np.testing.assert_equal(annotation.to_particles().scores[[1, 5]], [0.2, np.nan])
    annotation.redo()
    assert course(annotation, classes) == wanted


def test_a_flip_reverses_the_points_with_what_each_knows(classes):
    along = np.array([[0.0, 0.6, 0.8]] * 3 + [[0, 0, 1.0]])
    annotation = make(direction=along, radius=[1.0, 2, 3, 4], polarity=[0.999] * 4)
    ids = points_of(annotation, classes)
    annotation.apply(flipping(annotation, ids))
    assert course(annotation, classes) == POINTS[::-1]
    assert np.isnan(annotation.optional["polarity"][ids]).all()
    np.testing.assert_equal(annotation.scores[ids], [np.nan, 0.4, 0.6, 0.2])
    np.testing.assert_equal(annotation.optional["radius"][ids], [4, 3, 2, 1])
    np.testing.assert_allclose(annotation.optional["direction"][ids], -along[::-1])
    annotation.undo()
    assert course(annotation, classes) == POINTS


def turn_about_x(degrees):
    """R that tips z towards -y, on xyz."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def test_a_flip_turns_orientations_half_round_and_no_mirror_comes_of_it(classes):
    rotations = np.stack([turn_about_x(a) for a in (10, 20, 30, 40)])
    annotation = make(rotation=rotations)
    ids = points_of(annotation, classes)
    annotation.apply(flipping(annotation, ids))
    found = annotation.optional[ROTATION.name][ids]
    np.testing.assert_allclose(found[:, :, 2], -rotations[::-1, :, 2])
    np.testing.assert_allclose(found[:, :, 0], rotations[::-1, :, 0])
    np.testing.assert_allclose(np.linalg.det(found), 1.0)


def test_orientations_follow_a_point_that_is_moved(classes):
    straight = [[5.0, 10, x] for x in (20, 30, 40, 50)]
    along_x = np.stack([[[0, 0, 1.0], [0, 1, 0], [-1, 0, 0]]] * 4)
    annotation = make(rotation=along_x, direction=[[0, 0, -1.0]] * 4)
    ids = points_of(annotation, classes)
    for pick, place in zip(ids, straight, strict=True):
        annotation.apply(annotation.moving(pick, place))
    annotation.apply(moving(annotation, ids, int(ids[3]), [5, 20, 40], voxel_size=10.0))
    directions = annotation.optional[DIRECTION.name][ids]
    rotations = annotation.optional[ROTATION.name][ids]
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1.0)
    # It pointed against x; now the end of the curve goes up y, and it points down.
    assert directions[3][1] < -0.9
    np.testing.assert_allclose(rotations[:, :, 2], -directions[:, ::-1], atol=2e-4)
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0)
    annotation.undo()
    np.testing.assert_allclose(
        annotation.optional[DIRECTION.name][ids], [[0, 0, -1]] * 4
    )


def test_a_new_point_is_oriented_as_its_curve(classes):
    straight = [[5.0, 10, x] for x in (20, 30, 40, 50)]
    annotation = make(direction=[[0, 0, 1.0]] * 4)
    ids = points_of(annotation, classes)
    for pick, place in zip(ids, straight, strict=True):
        annotation.apply(annotation.moving(pick, place))
    annotation.apply(inserting(annotation, ids, 4, [5, 10, 66], voxel_size=10.0))
    found = annotation.optional["direction"][points_of(annotation, classes)]
    np.testing.assert_allclose(found, [[0, 0, 1]] * 5, atol=1e-9)
    ids = points_of(annotation, classes)
    annotation.apply(deleting(annotation, ids, int(ids[0]), voxel_size=10.0))
    assert len(course(annotation, classes)) == 4


def test_curvatures_follow_an_edit_where_it_bends_the_curve(classes):
    """Points of an arc of 100 voxels of 10 Å, one of them moved out by 5."""
    angles = np.linspace(0, 1.5, 20)
    arc = [[5.0, 100 * np.sin(a), 100 * np.cos(a)] for a in angles]
    known = np.full(20, 1 / 1234.0)
    known[18] = np.nan
    annotation = Annotation(
        make_particles(
            "TS",
            arc,
            class_names="mt",
            optional={"filament": "old", "curvature": known},
        )
    )
    ids = points_of(annotation, classes)
    there = [5.0, 105 * np.sin(angles[4]), 105 * np.cos(angles[4])]
    annotation.apply(moving(annotation, ids, 4, there, voxel_size=10.0))
    found = annotation.optional["curvature"]
    # A cubic spline bends by 4.4 h / s² where one of its points, s apart, is h off.
    bump = 4.4 * 5 / (100 * angles[1]) ** 2 / 10
    assert found[4] == pytest.approx(bump + 1 / 1000, rel=0.2)
    assert (np.abs(found[[3, 5]] - known[3]) > 1e-3).all()
    np.testing.assert_array_equal(found[13:], known[13:])

    annotation.apply(moving(annotation, ids, 4, arc[4], voxel_size=10.0))
    found = annotation.optional["curvature"]
    np.testing.assert_allclose(found[2:7], 1 / 1000, rtol=0.02)
    annotation.undo()
    annotation.undo()
    np.testing.assert_array_equal(annotation.optional["curvature"], known)

    between = (angles[9] + angles[10]) / 2
    new = [5.0, 100 * np.sin(between), 100 * np.cos(between)]
    annotation.apply(inserting(annotation, ids, 10, new, voxel_size=10.0))
    found = annotation.optional["curvature"][points_of(annotation, classes)]
    np.testing.assert_allclose(found[10], 1 / 1000, rtol=0.02)
    assert found[0] == known[0]
    assert np.isnan(found[19])


def test_they_turn_the_shortest_way():
    start = turn_about_x(30)[None]
    goal = np.array([[0.0, -np.sin(np.deg2rad(75)), np.cos(np.deg2rad(75))]])
    np.testing.assert_allclose(
        turned_towards(start, goal)[0], turn_about_x(75), atol=1e-12
    )
    opposite = turned_towards(start, -start[:, :, 2])[0]
    np.testing.assert_allclose(opposite, start[0] @ np.diag([1, -1, -1]), atol=1e-12)
    assert np.isnan(turned_towards(start * np.nan, goal)).all()


def test_the_journal_replays_every_edit_of_a_filament(classes, tmp_path):
    path = tmp_path / "TS.journal.jsonl"
    journal = Journal(path, make(direction=[[0, 0, 1.0]] * 4), header={"t": 1})
    annotation = journal.annotation

    def ids():
        return points_of(annotation, classes)

    journal.apply(inserting(annotation, ids(), 2, [7, 14.5, 38], voxel_size=10.0))
    journal.apply(flipping(annotation, ids()))
    journal.apply(
        moving(annotation, ids(), int(ids()[1]), [9, 16, 45], voxel_size=10.0)
    )
    journal.undo()
    journal.apply(deleting(annotation, ids(), int(ids()[0]), voxel_size=10.0))
    journal.apply(annotation.resizing(0, 333.0, [2, 3, 5]))
    journal.close()
    again = Journal(path, make(direction=[[0, 0, 1.0]] * 4), header={"t": 1}).annotation
    assert course(again, classes) == course(annotation, classes)
    assert len(course(again, classes)) == 4
    for one, other in zip(again.optional, annotation.optional, strict=True):
        np.testing.assert_equal(again.optional[one], annotation.optional[other])
    assert again.optional["radius"][0] == 333.0


def test_a_filament_has_the_score_of_its_surest_point(classes):
    annotation = make()
    scores = filament_scores(annotation, filament_points(annotation, classes))
    np.testing.assert_equal(scores, [0.9, 0.6, 0.6, 0.7, 0.6, 0.6])


def test_of_another_kind_it_is_no_filament(classes):
    annotation = make()
    classes.change("mt", kind="particle")
    assert filament_points(annotation, classes) == {}
