"""The tilt series: geometry, wedge, contrast and noise."""

import numpy as np
import pytest

from etpicker_plugin.engine.simulation.imaging import (
    Microscope,
    contrast_transfer,
    detector_width,
    exposure_of,
    projection_matrix,
    reconstruct_scene,
)

SHAPE = (24, 40, 56)


def reconstruct(density, **changes):
    microscope = Microscope(
        **{"tilt_range": 60.0, "tilt_step": 6.0, "defocus_um": 3.0, "snr": 1e6}
        | changes
    )
    return reconstruct_scene(
        density,
        10.0,
        microscope=microscope,
        generator=np.random.default_rng(0),
        on_tilt=lambda done, total: None,
    )


def blob(centre):
    offsets = np.indices(SHAPE) - np.array(centre)[:, None, None, None]
    return np.exp(-(offsets**2).sum(0) / (2 * 2.0**2)).astype(np.float32)


def test_a_dense_blob_is_dark_where_it_stands():
    volume = reconstruct(blob((8, 25, 37)))

    darkest = np.unravel_index(volume.argmin(), SHAPE)
    assert np.abs(np.array(darkest) - (8, 25, 37)).max() <= 1


def test_the_wedge_about_z_is_missing():
    noise = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    spectrum = np.abs(np.fft.fftn(reconstruct(noise, tilt_step=3.0))) ** 2
    kz, _, kx = np.meshgrid(*map(np.fft.fftfreq, SHAPE), indexing="ij")
    radius = np.hypot(kz, kx)
    angle = np.degrees(np.arctan2(np.abs(kz), np.abs(kx)))
    ring = (radius > 0.15) & (radius < 0.3)

    measured = spectrum[ring & (angle < 50)].mean()
    assert spectrum[ring & (angle > 72)].mean() < 0.05 * measured


def test_a_projection_keeps_the_mass_and_finds_its_place():
    plane = np.zeros((12, 30))
    plane[3, 22] = 2.0
    width = detector_width(12, 30)
    for degrees in (-60, 0, 35):
        angle = np.radians(degrees)
        image = projection_matrix(12, 30, width, angle) @ plane.ravel()
        place = (image * np.arange(width)).sum() / image.sum() - (width - 1) / 2
        expected = (22 - 14.5) * np.cos(angle) + (3 - 5.5) * np.sin(angle)
        assert image.sum() == pytest.approx(2.0, rel=1e-5)
        assert place == pytest.approx(expected, abs=1e-4)


def test_the_first_zero_of_the_ctf():
    # sin vanishes where λ Δ k² = 1, but for the small other terms: 1/√(0.0197·30000).
    k = np.linspace(0.005, 0.06, 4000)
    values = contrast_transfer(k**2, 3.0)

    zero = k[np.flatnonzero(np.diff(np.sign(values)))[0]]
    assert 1 / zero == pytest.approx(np.sqrt(0.0197 * 30000), rel=0.03)
    assert values[0] < 0


def test_doses_begin_at_the_untilted_image():
    exposure = exposure_of(np.array([-6.0, -3.0, 0.0, 3.0, 6.0]))

    assert exposure[2] == 1.5
    assert sorted(exposure.tolist()) == [1.5, 4.5, 7.5, 10.5, 13.5]
    assert exposure[0] > exposure[1]


def test_noise_follows_the_snr():
    density = sum(blob((12, y, x)) for y in (10, 30) for x in (12, 28, 44))
    clean = reconstruct(density)
    noises = [(reconstruct(density, snr=snr) - clean).var() for snr in (0.5, 0.1)]

    assert noises[1] / noises[0] == pytest.approx(5.0, rel=0.1)
