"""Shell correlation, resolution, and the Rosenthal-Henderson line."""

import numpy as np
import pytest

from etpicker_plugin.engine.verdict.alignment.likelihood import soft_sphere
from etpicker_plugin.engine.verdict.measures.fsc import fsc_curve, resolution_at
from etpicker_plugin.engine.verdict.measures.rosenthal import fit_b_factor
from etpicker_plugin.engine.verdict.places.subsets import (
    draw_subsets,
    even_size,
    growing_sizes,
)

SIZE = 20
EVERYWHERE = np.ones((SIZE,) * 3)


def noise(seed):
    return np.random.default_rng(seed).normal(size=(SIZE,) * 3)


def test_equal_opposite_and_unrelated_maps():
    a = noise(0)
    np.testing.assert_allclose(fsc_curve(a, a, mask=EVERYWHERE)[1:], 1.0)
    np.testing.assert_allclose(fsc_curve(a, -3 * a, mask=EVERYWHERE)[1:], -1.0)
    unrelated = fsc_curve(a, noise(1), mask=EVERYWHERE)
    assert np.abs(unrelated[4:]).max() < 0.2


def test_white_signal_and_noise_of_equal_power_give_a_half():
    signal = noise(2)
    curve = fsc_curve(signal + noise(3), signal + noise(4), mask=EVERYWHERE)
    assert curve[5:].mean() == pytest.approx(0.5, abs=0.04)


def test_what_the_mask_hides_does_not_count():
    mask = soft_sphere(SIZE, radius_vox=4.0, edge_vox=2.0)
    a, b = noise(0), noise(1)
    b[mask > 0] = a[mask > 0]
    np.testing.assert_allclose(fsc_curve(a, b, mask=mask)[1:], 1.0)


@pytest.mark.parametrize(
    ("curve", "threshold", "expected"),
    [
        ([1, 0.9, 0.8, 0.2, 0.0], 0.5, 200 / 2.5),
        ([1, 0.9, 0.643, 0.143, 0.0], 0.143, 200 / 3.000000001),
        ([1, 0.9, 0.343, -0.057, 0.9], 0.143, 200 / 2.5),
        ([1, 0.9, 0.8, 0.7, 0.6], 0.5, 50.0),
        ([1, 0.1, 0.0, 0.0, 0.0], 0.143, None),
    ],
)
def test_where_the_curve_first_falls_below(curve, threshold, expected):
    found = resolution_at(np.array(curve, float), threshold, box_ang=200.0)
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-2))


def planted(b_factor, sizes, seeds, scatter, seed=0):
    generator = np.random.default_rng(seed)
    rows = [
        (n, s, 2 / b_factor * np.log(n) + 1e-4 + generator.normal(0, scatter))
        for s in range(seeds)
        for n in sizes
    ]
    numbers, groups, inverse = zip(*rows, strict=True)
    return numbers, [v**-0.5 for v in inverse], groups


def test_a_planted_b_factor():
    n, d, seeds = planted(20000.0, (8, 16, 32, 64, 128), 6, scatter=8e-6)
    fit = fit_b_factor(n, d, seeds, resamples=400, generator=np.random.default_rng(1))
    assert fit.b_factor == pytest.approx(20000.0, rel=0.1)
    assert fit.interval[0] < 20000.0 < fit.interval[1]
    assert fit.interval[1] - fit.interval[0] < 8000.0
    exact = (2 / 20000 * np.log(64) + 1e-4) ** -0.5
    assert fit.resolution_of(64) == pytest.approx(exact, rel=0.03)


def test_no_growth_has_no_bounded_b_factor():
    n, d, seeds = planted(1e9, (8, 16, 32), 5, scatter=2e-5)
    fit = fit_b_factor(n, d, seeds, resamples=400, generator=np.random.default_rng(1))
    assert fit.interval is None


def test_too_few_sizes_are_not_fitted():
    generator = np.random.default_rng(0)
    few = fit_b_factor(
        [8, 16], [90.0, 80.0], [0, 0], resamples=100, generator=generator
    )
    assert few is None
    unresolved = fit_b_factor(
        [8, 16, 32], [None, 80.0, 70.0], [0, 0, 0], resamples=100, generator=generator
    )
    assert unresolved is None


def test_subsets_are_nested_even_and_of_their_halves():
    half = np.array([1, 2] * 10 + [1] * 6)
    rows = np.arange(2, 26)
    assert even_size(rows, half) == 18
    subsets = draw_subsets("a", rows, half, sizes=[8, 12, 18], seeds=3, seed=5)
    assert [s.n for s in subsets] == [8, 12, 18] * 3
    for subset in subsets:
        assert set(half[subset.first]) == {1}
        assert set(half[subset.second]) == {2}
        assert set(subset.first) | set(subset.second) <= set(rows)
    assert set(subsets[0].first) < set(subsets[1].first) < set(subsets[2].first)
    assert set(subsets[1].first) != set(subsets[4].first)


@pytest.mark.parametrize(
    ("largest", "expected"), [(7, []), (9, [8]), (64, [8, 12, 18, 28, 42, 64])]
)
def test_sizes(largest, expected):
    assert growing_sizes(largest) == expected
