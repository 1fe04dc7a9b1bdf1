"""The alarm of a wrong origin: the axis, the voxels, and when it keeps quiet."""

import numpy as np
import pytest

from etpicker_plugin.engine.comparison.agreement import agree
from etpicker_plugin.engine.comparison.offsets import mean_offset


def scatter(n, shift_zyx, sd=1.0, seed=0):
    noise = np.random.default_rng(seed).normal(0, sd, (n, 3))
    return noise - noise.mean(axis=0) + shift_zyx


@pytest.mark.parametrize(
    ("shift_zyx", "axes"),
    [
        ((0, 0, 2.0), ("x",)),
        ((0, -2.0, 0), ("y",)),
        ((2.0, 0, 0), ("z",)),
        ((1.5, 0, -1.5), ("x", "z")),
        ((0.5, 0.5, 0.5), ()),
    ],
)
def test_the_axis_is_named(shift_zyx, axes):
    offset = mean_offset(scatter(50, shift_zyx))
    assert offset.alarming_axes == axes
    assert offset.mean_xyz == pytest.approx(shift_zyx[::-1])


def test_the_words_name_axis_sign_and_voxels():
    offset = mean_offset(scatter(100, (0, -2.0, 0)))
    assert offset.describe() == "-2.0 ± 0.1 voxels along y"


def test_few_or_widely_scattered_displacements_are_no_alarm():
    assert not mean_offset(scatter(5, (0, 0, 3.0))).is_alarming
    assert not mean_offset(scatter(20, (0, 0, 1.5), sd=5.0)).is_alarming
    assert mean_offset(scatter(20, (0, 0, 1.5), sd=1.0)).is_alarming


def test_standard_error_by_hand():
    offset = mean_offset(np.array([[0.0, 1.0, 0.0], [0.0, 3.0, 4.0]]))
    assert offset.mean_xyz == (2.0, 2.0, 0.0)
    assert offset.standard_error_xyz == pytest.approx((2.0, 1.0, 0.0))
    assert mean_offset(np.zeros((1, 3))).mean_xyz == ()


def test_an_offset_seen_from_the_other_side():
    offset = mean_offset(np.array([[0.0, 1.0, 0.0], [0.0, 3.0, 4.0]])).reversed()
    assert offset.mean_xyz == (-2.0, -2.0, 0.0)
    assert offset.describe_all() == "(-2.00, -2.00, +0.00) ± (2.00, 1.00, 0.00)"
    assert offset.describe_along(("y",)) == "-2.0 ± 1.0 voxels along y"


def test_agreement_counts_and_says_when_nothing_is_shared():
    pairs = np.array([[0, 1], [1, -1], [-1, 0]])
    shared = agree("A", "B", pairs=pairs, displacements_zyx=np.array([[0.0, 3, 4]]))
    assert (shared.n_first, shared.n_second, shared.n_both) == (2, 2, 1)
    assert shared.dice == 0.5
    assert shared.distance_vox == 5.0
    assert shared.describe() == ""
    apart = agree("A", "B", pairs=pairs[1:], displacements_zyx=np.zeros((0, 3)))
    assert apart.dice == 0.0
    assert apart.distance_vox is None
    assert "A and B share not one particle" in apart.describe()
