"""Candidates: slabs replaced by z, the answered ones hidden, kept ones as picks."""

import numpy as np
import pytest

from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.tests.support.phantoms import write_tomogram
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.live.candidates import (
    joined,
    make_candidates,
    merged,
    radii_vox,
    unanswered,
    within,
)

WHOLE = (0, 11)


@pytest.fixture
def session(tmp_path):
    """Return 11 × 21 × 31 voxels of 10 Å, classes of 12 and 6 voxels."""
    write_tomogram(tmp_path / "TS.mrc", np.zeros((11, 21, 31), np.float32))
    (tmp_path / "out").mkdir()
    config = ViewConfig(
        tomogram=(str(tmp_path / "TS.mrc"),), diameter={"large": 120.0, "small": 60.0}
    )
    return Session(config, tmp_path / "out")


def heights(candidates):
    return candidates.positions_zyx[:, 0].tolist()


def at(*z, name="large", planes=WHOLE):
    """Candidates of one class at these heights."""
    positions = [[height, 5.0, 7.0] for height in z]
    return make_candidates({name: (positions, np.linspace(0.1, 0.9, len(z)))}, planes)


def test_classes_become_one_table():
    found = make_candidates(
        {"a": ([[1, 2, 3]], [0.5]), "b": ([[4, 5, 6], [7, 8, 9]], [0.2, 0.3])}, WHOLE
    )
    assert found.class_names.tolist() == ["a", "b", "b"]
    assert found.positions_zyx.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert found.scores.tolist() == [0.5, 0.2, 0.3]
    assert found.planes.tolist() == [1, 4, 7]
    assert len(make_candidates({}, WHOLE)) == 0


def test_a_slab_replaces_what_was_between_its_planes_and_no_more():
    old = at(1.0, 3.6, 4.4, 7.0)
    new = at(5.0, planes=(4, 7))
    assert sorted(heights(merged(old, new, (4, 7)))) == [1.0, 5.0, 7.0]
    assert sorted(heights(merged(old, at(planes=(4, 7)), (4, 7)))) == [1.0, 7.0]


def test_a_centre_beyond_its_slab_goes_with_it():
    """Else the next word about the slab beside it would remove it, or leave two."""
    there = merged(at(1.0), at(3.2, planes=(4, 7)), (4, 7))
    again = merged(there, at(2.0, planes=(0, 4)), (0, 4))
    assert sorted(heights(again)) == [2.0, 3.2]
    assert heights(merged(again, at(planes=(4, 7)), (4, 7))) == [2.0]


def test_what_a_pick_or_a_negative_answers_is_hidden(session):
    document = session.documents[0]
    positions = [[5.0, 5.0, x] for x in (2.0, 9.0, 16.0, 23.0)]
    scores = [0.9, 0.8, 0.7, 0.6]
    found = joined(
        make_candidates({"large": (positions, scores)}, WHOLE),
        make_candidates({"small": ([[5.0, 12.0, 2.0]], [0.5])}, WHOLE),
    )
    assert radii_vox(found, document, session.classes).tolist() == [6, 6, 6, 6, 3]
    assert len(unanswered(found, document, session.classes)) == 5
    annotation = document.annotation
    document.journal.apply(annotation.adding([5.0, 10.9, 9.0], "large"))  # 5.9 away
    document.journal.apply(annotation.adding([5.0, 11.1, 16.0], NEGATIVE))  # 6.1
    document.journal.apply(annotation.adding([5.0, 5.0, 24.0], "small"))
    left = unanswered(found, document, session.classes)
    assert left.scores.tolist() == [0.9, 0.7, 0.5]
    document.journal.undo()
    assert len(unanswered(found, document, session.classes)) == 4


def test_a_centre_beyond_a_face_is_put_on_it():
    found = make_candidates({"a": ([[-0.4, 20.7, 30.0]], [0.5])}, WHOLE)
    inside = within(found, (11, 21, 31)).positions_zyx
    assert inside.tolist() == [[0.0, 20.0, 30.0]]


def test_what_is_of_no_class_any_more_is_hidden(session):
    found = joined(at(3.0), at(4.0, name="gone"))
    left = unanswered(found, session.documents[0], session.classes)
    assert left.class_names.tolist() == ["large"]
