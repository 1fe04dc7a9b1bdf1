import numpy as np
import pytest

from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.phantoms import write_tomogram
from etpicker_plugin.window.aids.suggestions import (
    choose_apart,
    describe_places,
    suggest_places,
)
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.journal import Journal
from etpicker_plugin.window.document.settings import Classes
from etpicker_plugin.window.document.volume import open_volume

SHAPE = (21, 81, 121)
DARK = [[10, 20, x] for x in (15, 35, 55, 75, 95)]
BRIGHT = [[10, 60, x] for x in (15, 35, 55, 75, 95)]


@pytest.fixture
def document(tmp_path):
    """Five dark and five bright balls, with scores about 0.5."""
    data = np.random.default_rng(0).normal(0, 0.1, SHAPE)
    z, y, x = np.indices(SHAPE)
    for positions, sign in ((DARK, -1), (BRIGHT, 1)):
        for a, b, c in positions:
            data[(z - a) ** 2 + (y - b) ** 2 + (x - c) ** 2 <= 25] += sign
    write_tomogram(tmp_path / "TS.mrc", data.astype(np.float32))
    scores = np.array([0.50, 0.52, 0.9, 0.95, 0.1, 0.53, 0.54, 0.9, 0.05, 0.92])
    picks = make_particles("TS", DARK + BRIGHT, class_names="a", scores=scores)
    classes = Classes(tmp_path / "classes.json", {"a": 110.0})
    classes.change("a", threshold=0.5)
    journal = Journal(tmp_path / "j", Annotation(picks), header={})
    return Document(volume=open_volume(tmp_path / "TS.mrc"), journal=journal), classes


def test_doubtful_places_that_differ_come_first(document):
    found = suggest_places(*document, "a", count=4).tolist()
    assert found[0] == 0  # At the cut-off.
    assert found[1] in (5, 6)  # As doubtful, and of the other kind.
    assert set(found[:2]) <= {0, 1, 5, 6}
    assert len(set(found)) == 4


def test_what_is_answered_is_never_asked_and_shifts_interest(document):
    item, classes = document
    annotation = item.annotation
    annotation.apply(annotation.confirming([0], "a"))
    annotation.apply(annotation.confirming([1], NEGATIVE))
    found = suggest_places(item, classes, "a", count=10).tolist()
    assert sorted(found) == [2, 3, 4, 5, 6, 7, 8, 9]
    assert found[0] in (5, 6)


def test_no_scored_pick_is_no_suggestion(document):
    item, classes = document
    item.annotation.apply(item.annotation.confirming(np.arange(10), "a"))
    assert len(suggest_places(item, classes, "a", count=5)) == 0
    assert len(suggest_places(item, classes, "b", count=5)) == 0


def test_descriptors_tell_dark_from_bright(document):
    item, _ = document
    features = describe_places(
        item.volume, item.annotation.positions_zyx, diameter_ang=110.0
    )
    assert features.shape == (10, 12)
    within = np.linalg.norm(features[0] - features[1])
    across = np.linalg.norm(features[0] - features[5])
    assert across > 1.4 * within
    assert (features[:5, 0] < features[5:, 0].min()).all()


def test_choosing_apart_by_hand():
    features = np.array([[0.0], [1.0], [10.0], [10.5], [0.2]])
    doubt = np.array([1.0, 1.0, 0.5, 0.5])
    # 0 first; 10 is worth 0.5 · 10, 10.5 0.5 · 10.5; then 1 is worth 1.
    assert choose_apart(features[:4], doubt, count=3).tolist() == [0, 3, 1]
    # The last row is answered: what is far from it comes first.
    assert choose_apart(features, doubt, count=2).tolist() == [3, 1]
