"""Which picks of two and three sets are one particle, worked out by hand."""

import numpy as np
import pytest

from etpicker_plugin.engine.comparison.joining import (
    count_subsets,
    in_subset,
    join_sets,
    subset_file_name,
    subset_label,
    subsets_of,
)

A = np.array([[10.0, 20.0, 30.0], [40.0, 5.0, 60.0]])
B = np.array([[40.0, 5.0, 63.0], [11.0, 20.0, 30.0], [0.0, 0.0, 0.0]])
C = np.array([[0.0, 2.0, 0.0], [90.0, 90.0, 90.0], [10.0, 21.0, 30.0]])


def rows(table):
    return sorted(tuple(int(v) for v in row) for row in table)


def test_two_sets():
    assert rows(join_sets([A, B], max_distance=4.0)) == [(-1, 2), (0, 1), (1, 0)]
    assert rows(join_sets([A, B], max_distance=2.0)) == [
        (-1, 0),
        (-1, 2),
        (0, 1),
        (1, -1),
    ]


def test_three_sets_and_every_subset_is_counted_once():
    table = join_sets([A, B, C], max_distance=4.0)

    assert rows(table) == [(-1, -1, 1), (-1, 2, 0), (0, 1, 2), (1, 0, -1)]
    assert count_subsets(table, "ABC") == {
        "A only": 0,
        "B only": 0,
        "C only": 1,
        "A∩B only": 1,
        "A∩C only": 0,
        "B∩C only": 1,
        "A∩B∩C": 1,
    }
    in_any = sum(in_subset(table, s, "ABC").astype(int) for s in subsets_of("ABC"))
    np.testing.assert_array_equal(in_any, 1)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_every_pick_stands_in_one_row_whatever_the_order(order):
    generator = np.random.default_rng(4)
    sets = [generator.uniform(0, (30, 50, 70), (n, 3)) for n in (40, 25, 33)]

    table = join_sets([sets[i] for i in order], max_distance=9.0)

    for column, number in enumerate(order):
        used = table[:, column]
        assert sorted(used[used >= 0]) == list(range(len(sets[number])))
    assert len({tuple(row) for row in rows(table)}) == len(table)


def test_one_pick_between_two_is_given_to_one_of_them():
    close = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 4.0]])
    table = join_sets([close, np.array([[0.0, 0.0, 3.0]])], max_distance=5.0)
    assert rows(table) == [(0, -1), (1, 0)]


def test_empty_sets():
    none = np.zeros((0, 3))
    assert join_sets([none, none], max_distance=1.0).shape == (0, 2)
    assert rows(join_sets([none, A], max_distance=1.0)) == [(-1, 0), (-1, 1)]


def test_names_of_subsets():
    assert subset_label(("A",), "AB") == "A only"
    assert subset_label(("A", "B"), "AB") == "A∩B"
    assert subset_label(("A", "B"), "ABC") == "A∩B only"
    assert subset_file_name(("A", "B"), "ABC") == "A_and_B_only"
    assert subset_file_name(("A", "B"), "AB") == "A_and_B"
