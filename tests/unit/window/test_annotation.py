import numpy as np
import pytest

from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.edit_lines import (
    edit_from_values,
    edit_to_values,
)


def make():
    """Three picks of two classes, the last unscored."""
    return Annotation(
        make_particles(
            "TS",
            [[1.5, 2, 3], [4, 5.25, 6], [7, 8, 9.75]],
            class_names=np.array(["b", "a", "b"]),
            scores=np.array([0.9, 0.4, np.nan]),
        )
    )


def rows(annotation):
    found = annotation.to_particles()
    return list(
        zip(found.class_names.tolist(), found.positions_zyx.tolist(), strict=True)
    )


def test_edits_change_what_they_name_and_nothing_else():
    annotation = make()
    annotation.apply(annotation.adding([10, 11, 12], "c"))
    annotation.apply(annotation.moving(1, [4, 5, 6.5]))
    annotation.apply(annotation.relabelling([0], "a"))
    annotation.apply(annotation.deleting([2]))
    assert rows(annotation) == [
        ("a", [1.5, 2, 3]),
        ("a", [4, 5, 6.5]),
        ("c", [10, 11, 12]),
    ]
    np.testing.assert_equal(annotation.to_particles().scores, [0.9, 0.4, np.nan])


def test_undo_walks_back_and_redo_forward_through_every_state():
    annotation = make()
    states = [rows(annotation)]
    for edit in (
        lambda: annotation.adding([[1, 1, 1], [2, 2, 2]], "a"),
        lambda: annotation.moving(3, [9, 9, 9]),
        lambda: annotation.deleting([0, 3]),
        lambda: annotation.relabelling([1, 4], "new"),
    ):
        annotation.apply(edit())
        states.append(rows(annotation))
    for state in states[-2::-1]:
        assert annotation.undo() is not None
        assert rows(annotation) == state
    assert annotation.undo() is None
    for state in states[1:]:
        assert annotation.redo() is not None
        assert rows(annotation) == state
    assert annotation.redo() is None


def test_a_new_edit_ends_redoing():
    annotation = make()
    annotation.apply(annotation.deleting([0]))
    annotation.undo()
    annotation.apply(annotation.deleting([1]))
    assert annotation.redo() is None
    assert annotation.alive.tolist() == [True, False, True]


def test_a_number_is_never_used_again():
    annotation = make()
    annotation.apply(annotation.adding([0, 0, 0], "a"))
    annotation.undo()
    annotation.apply(annotation.adding([5, 5, 5], "a"))
    assert annotation.alive.tolist() == [True, True, True, False, True]
    assert annotation.ids_of("a").tolist() == [1, 4]


def test_orientations_stay_with_their_picks():
    turned = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    rotations = np.stack([np.eye(3), turned, np.full((3, 3), np.nan)])
    annotation = Annotation(make_particles("TS", np.eye(3), rotations=rotations))
    annotation.apply(annotation.deleting([0]))
    annotation.apply(annotation.moving(1, [5, 5, 5]))
    annotation.apply(annotation.adding([7, 7, 7], "a"))
    kept = annotation.to_particles().rotations
    np.testing.assert_array_equal(kept[0], turned)
    assert np.isnan(kept[1:]).all()
    assert make().to_particles().rotations is None


def test_adding_many_one_by_one_keeps_all():
    annotation = Annotation(make_particles("TS", []))
    for i in range(200):
        annotation.apply(annotation.adding([i, i + 0.5, 2 * i], "a"))
    np.testing.assert_array_equal(annotation.positions_zyx[137], [137, 137.5, 274])
    assert len(annotation.to_particles()) == 200


def test_the_first_particles_are_not_changed():
    particles = make_particles("TS", [[1, 2, 3]])
    annotation = Annotation(particles)
    annotation.apply(annotation.moving(0, [9, 9, 9]))
    assert particles.positions_zyx.tolist() == [[1, 2, 3]]


def test_an_edit_survives_as_json_values():
    source, target = make(), make()
    edits = [
        source.adding([[1, 2.125, 3], [4, 5, 6]], "c", scores=[0.5, np.nan]),
        source.moving(0, [0.1, 0.2, 0.3]),
        source.relabelling([2], "c"),
        source.deleting([1]),
    ]
    for edit in edits:
        values = edit_to_values(edit, source.class_names)
        source.apply(edit)
        target.apply(edit_from_values(values, target))
    assert rows(source) == rows(target)
    np.testing.assert_equal(source.scores, target.scores)


@pytest.mark.parametrize(
    "values",
    [
        {"edit": "delete", "ids": [3], "alive": [False]},
        {"edit": "delete", "ids": [-1], "alive": [False]},
        {"edit": "add", "ids": [1], "positions_zyx": [[1, 2, 3]]},
        {"edit": "move", "ids": [0], "positions_zyx": [[1, 2]]},
        {"edit": "move", "ids": [0], "positions_zyx": [["x", 2, 3]]},
        {"ids": [0]},
    ],
)
def test_an_impossible_edit_is_refused(values):
    with pytest.raises((ValueError, KeyError)):
        edit_from_values(values, make())
