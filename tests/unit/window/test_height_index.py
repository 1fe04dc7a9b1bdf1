"""Picks found by slice: as if all were looked at, for a part of the work."""

import numpy as np
import pytest

from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.window.document import height_index
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.height_index import HeightIndex


def annotation_of(count):
    generator = np.random.default_rng(2)
    positions = generator.uniform(0, (60, 90, 130), (count, 3))
    return Annotation(make_particles("TS", positions, class_names="ring"))


def by_looking_at_all(annotation, axis, low, high):
    heights = annotation.positions_zyx[:, axis]
    return np.flatnonzero((heights >= low) & (heights <= high)).tolist()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_picks_between_two_heights(axis):
    annotation = annotation_of(500)
    index = HeightIndex(annotation, annotation.moved)
    for low, high in ((10, 14), (-9, 3), (40, 200), (33.3, 33.3), (300, 310)):
        expected = by_looking_at_all(annotation, axis, low, high)
        assert index.near(axis, low, high).tolist() == expected


def test_ends_count():
    annotation = Annotation(make_particles("TS", [(5, 0, 0), (7, 0, 0), (5, 1, 1)]))
    index = HeightIndex(annotation, annotation.moved)
    assert index.near(0, 5, 7).tolist() == [0, 1, 2]
    assert index.near(0, 5, 5).tolist() == [0, 2]


def test_added_and_moved_picks_are_found_where_they_are_and_undone_ones_too():
    annotation = annotation_of(300)
    index = HeightIndex(annotation, annotation.moved)
    index.near(0, 10, 20)
    moving = int(index.near(0, 10, 20)[0])

    annotation.apply(annotation.moving(moving, (50.0, 1, 1)))
    annotation.apply(annotation.adding((51.0, 2, 2), "ring"))
    found = index.near(0, 48, 52).tolist()
    assert set(by_looking_at_all(annotation, 0, 48, 52)) <= set(found)
    assert {moving, 300} <= set(found)

    annotation.undo()
    annotation.undo()
    assert moving in index.near(0, 10, 20)
    # What lies elsewhere may be among those near, but is few: only what was moved.
    extra = set(index.near(0, 10, 20)) - set(by_looking_at_all(annotation, 0, 10, 20))
    assert extra <= {moving, 300}


def test_many_moves_sort_anew(monkeypatch):
    monkeypatch.setattr(height_index, "MOST_MOVED", 20)
    annotation = annotation_of(200)
    index = HeightIndex(annotation, annotation.moved)
    index.near(2, 0, 5)
    for pick in range(30):
        annotation.apply(annotation.moving(pick, (1.0, 1.0, 120.0)))
    expected = by_looking_at_all(annotation, 2, 0, 5)
    assert index.near(2, 0, 5).tolist() == expected


def test_one_slice_of_a_million_looks_at_few():
    annotation = annotation_of(1_000_000)
    index = HeightIndex(annotation, annotation.moved)
    near = index.near(0, 30 - 0.6, 30 + 0.6)  # 2 % of the height
    assert 18_000 < len(near) < 22_000
