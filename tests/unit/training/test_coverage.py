"""What is kept covers classes, tomograms and appearance, within the budget."""

import numpy as np

from etpicker_plugin.engine.training.coverage import Candidates, choose_coverage


def candidates(features, counts, groups, *, size=10, overlaps=None):
    n = len(features)
    return Candidates(
        features=np.array(features, float),
        counts=np.array(counts),
        groups=np.array(groups, np.intp),
        sizes=np.full(n, size),
        overlaps=np.eye(n) if overlaps is None else np.array(overlaps, float),
    )


def test_rare_classes_come_first():
    common = [[i, 0] for i in range(8)]
    pieces = candidates([*common, [3, 0]], [[5, 0]] * 8 + [[1, 1]], [0] * 9)

    chosen = choose_coverage(pieces, budget=20)

    assert 8 in chosen
    assert len(chosen) == 2


def test_the_budget_holds():
    pieces = candidates(np.eye(7), [[1]] * 7, [0] * 7, size=13)

    assert len(choose_coverage(pieces, budget=5 * 13 + 12)) == 5
    assert choose_coverage(pieces, budget=12) == []


def test_every_tomogram_is_shown():
    features = [[i, i % 2] for i in range(6)]
    pieces = candidates(features, [[1]] * 6, [0, 0, 0, 0, 1, 2])

    chosen = choose_coverage(pieces, budget=30)

    assert {[0, 0, 0, 0, 1, 2][i] for i in chosen} == {0, 1, 2}


def test_what_looks_different_is_preferred():
    features = [[0, 0], [0.1, 0], [0, 0.1], [5, 5]]
    pieces = candidates(features, [[1]] * 4, [0] * 4)

    assert set(choose_coverage(pieces, budget=20)) == {0, 3}


def test_pieces_that_overlap_much_are_not_kept_twice():
    overlaps = np.eye(3)
    overlaps[0, 1] = overlaps[1, 0] = 0.6
    pieces = candidates([[0], [9], [1]], [[1]] * 3, [0] * 3, overlaps=overlaps)

    assert choose_coverage(pieces, budget=30) == [0, 2]
