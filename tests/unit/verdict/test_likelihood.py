"""The likelihood of noise alone: counted voxels, a hand sum, and a planted particle."""

import numpy as np
import pytest

from etpicker_plugin.engine.verdict.alignment.likelihood import (
    Noise,
    compared_voxels,
    null_log_likelihood,
    soft_sphere,
    translate_whole,
)
from etpicker_plugin.engine.verdict.measures.ranking import area_under_curve

SIZE = 12


def test_each_conjugate_pair_counts_once():
    used, shells = compared_voxels(SIZE, current_size=8)
    whole = np.arange(-4, 5)
    z, y, x = np.meshgrid(whole, whole, whole, indexing="ij")
    inside = np.round(np.sqrt(z**2 + y**2 + x**2)).astype(int)
    pairs = np.count_nonzero((inside > 0) & (inside <= 4)) / 2
    # In the plane k_x = 0 RELION leaves out k_y < 0, so the line k_y = 0 stays whole.
    assert np.count_nonzero(used) == pairs + 4
    assert shells[used].min() == 1
    assert shells[used].max() == 4


def test_the_sum_by_hand_on_white_noise():
    box = np.random.default_rng(0).normal(size=(SIZE,) * 3)
    noise = Noise(sigma2=np.linspace(1, 2, 7) * 1e-4, current_size=8)

    used, shells = compared_voxels(SIZE, current_size=8)
    masked = box * soft_sphere(SIZE, radius_vox=3.0)
    spectrum = np.fft.fftn(masked)[..., : SIZE // 2 + 1] / SIZE**3
    expected = 0.0
    for power, shell in zip(np.abs(spectrum[used]) ** 2, shells[used], strict=True):
        s2 = noise.sigma2[shell]
        expected -= power / (2 * s2) + np.log(2 * np.pi * s2)
    found = null_log_likelihood(box, noise=noise, radius_vox=3.0)
    assert found == pytest.approx(expected)


def test_noise_power_moves_the_likelihood_and_not_the_ratio():
    """Boxes of very different noise power, half of them with a particle.

    The likelihood under the true model is computed directly; raw, it sorts boxes by
    their noise, less that of noise alone it sorts them by what is in them.
    """
    generator = np.random.default_rng(1)
    particle = generator.normal(size=(SIZE,) * 3) * soft_sphere(SIZE, radius_vox=3.0)
    used, shells = compared_voxels(SIZE, current_size=10)
    noise = Noise(sigma2=np.full(7, 0.5 / SIZE**3), current_size=10)
    raw, ratio = [], []
    for number in range(60):
        there = number % 2
        power = generator.uniform(0.6, 1.4)
        box = power * generator.normal(size=(SIZE,) * 3) + 0.6 * there * particle
        spectrum = np.fft.rfftn(box) / SIZE**3
        model = np.fft.rfftn(0.6 * particle) / SIZE**3
        s2 = noise.sigma2[shells[used]]
        misfit = np.abs((spectrum - model)[used]) ** 2
        log_likelihood = -(misfit / (2 * s2) + np.log(2 * np.pi * s2)).sum()
        null = null_log_likelihood(box, noise=noise, radius_vox=100.0)
        raw.append(log_likelihood)
        ratio.append(log_likelihood - null)
    assert area_under_curve(ratio[1::2], ratio[::2]) > 0.95
    assert area_under_curve(raw[1::2], raw[::2]) < 0.75


def test_soft_sphere():
    mask = soft_sphere(11, radius_vox=3.0, edge_vox=2.0)
    assert mask[5, 5, 8] == 1.0
    assert mask[5, 9, 5] == pytest.approx(0.5)
    assert mask[10, 5, 5] == 0.0


@pytest.mark.parametrize(
    "shift", [(1, 0, 0), (0, -2, 0), (0.4, 0.6, -1.2), (0, 0, 9), (-7, 3, 1)]
)
def test_a_box_moves_by_whole_voxels_and_zeros_come_in(shift):
    box = np.arange(1, 4 * 5 * 6 + 1).reshape(4, 5, 6).astype(float)
    steps = np.round(shift).astype(int)
    expected = np.zeros_like(box)
    for index in np.ndindex(box.shape):
        source = np.array(index) - steps
        if ((source >= 0) & (source < box.shape)).all():
            expected[index] = box[tuple(source)]
    np.testing.assert_array_equal(translate_whole(box, shift), expected)
