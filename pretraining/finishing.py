"""What is done to tomograms after their reconstruction, and what goes wrong in them."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from etpicker_plugin.engine.simulation.imaging import contrast_transfer

FLIP_SHARE = 0.5
POWER_SHARE, POWER = 0.6, (-1.2, 0.4)
POWER_FROM_ANG = 300.0
LOW_PASS_SHARE, LOW_PASS = 0.4, (0.1, 0.4)
"""Cycles per voxel: the Gaussian's sigma."""
HIGH_PASS_SHARE, HIGH_PASS_ANG = 0.25, (400.0, 1200.0)
NOISE_SHARE, NOISE_SD, NOISE_POWER = 0.3, (0.2, 1.0), (-1.5, 0.5)
UNEVEN_SHARE, UNEVEN_SD, UNEVEN_CONTRAST = 0.4, (0.2, 1.2), 0.5
MEDIAN_SHARE = 0.08

Volume = NDArray[np.float32]


def finish(
    volume: Volume,
    voxel_size: float,
    defocus_um: float,
    generator: np.random.Generator,
) -> Volume:
    """Correct, filter, spoil: each with a probability of its own.

    Phases flipped as by a CTF correction; low frequencies weighed up or down, as by
    other ways to reconstruct; a low pass and a high pass; coloured noise; contrast and
    brightness that change across the volume, as with the ice; a median filter.
    """
    k2 = _squared_frequencies(volume.shape) / voxel_size**2
    response = _draw_response(k2, voxel_size, defocus_um, generator)
    volume = _filtered(volume, response)
    if generator.random() < NOISE_SHARE:
        volume = volume + volume.std() * generator.uniform(*NOISE_SD) * (
            _coloured_noise(k2, volume.shape, generator)
        )
    if generator.random() < UNEVEN_SHARE:
        contrast = 1 + UNEVEN_CONTRAST * _slow_field(volume.shape, generator)
        brightness = generator.uniform(*UNEVEN_SD) * volume.std()
        volume = volume * contrast + brightness * _slow_field(volume.shape, generator)
    if generator.random() < MEDIAN_SHARE:
        volume = ndimage.median_filter(volume, 3)
    return volume.astype(np.float32)


def _draw_response(
    k2: Volume, voxel_size: float, defocus_um: float, generator: np.random.Generator
) -> Volume:
    """Return by what each frequency (squared, 1/Å²) is multiplied."""
    response = np.ones_like(k2)
    if generator.random() < FLIP_SHARE:  # the lowest frequencies keep their sign
        response *= np.where(contrast_transfer(k2, defocus_um) > 0, -1, 1)
    if generator.random() < POWER_SHARE:
        response *= _power_law(k2, generator.uniform(*POWER))
    if generator.random() < LOW_PASS_SHARE:
        sigma = generator.uniform(*LOW_PASS) / voxel_size
        response *= np.exp(-k2 / (2 * sigma**2))
    if generator.random() < HIGH_PASS_SHARE:
        sigma = 1 / generator.uniform(*HIGH_PASS_ANG)
        response *= 1 - np.exp(-k2 / (2 * sigma**2))
    return response


def _power_law(k2: Volume, power: float) -> Volume:
    return np.asarray((1 + POWER_FROM_ANG * np.sqrt(k2)) ** power)


def _squared_frequencies(shape: tuple[int, ...]) -> Volume:
    """Return (cycles per voxel)² of a half-complex transform, ``(Z, Y, X/2 + 1)``."""
    z, y, x = (fft.fftfreq(shape[0]), fft.fftfreq(shape[1]), fft.rfftfreq(shape[2]))
    squared = z[:, None, None] ** 2 + y[:, None] ** 2 + x**2
    return squared.astype(np.float32)


def _filtered(volume: Volume, response: Volume) -> Volume:
    spectrum = fft.rfftn(volume) * response
    return np.asarray(fft.irfftn(spectrum, s=volume.shape), dtype=np.float32)


def _coloured_noise(
    k2: Volume, shape: tuple[int, ...], generator: np.random.Generator
) -> Volume:
    """Return noise of unit variance whose spectrum is a random power law."""
    white = generator.standard_normal(shape).astype(np.float32)
    noise = _filtered(white, _power_law(k2, generator.uniform(*NOISE_POWER)))
    return np.asarray(noise / noise.std())


def _slow_field(shape: tuple[int, ...], generator: np.random.Generator) -> Volume:
    """Return a field from about -1 to 1 that changes over the whole volume."""
    coarse = generator.uniform(-1, 1, (2, 3, 3))
    factors = [n / m for n, m in zip(shape, coarse.shape, strict=True)]
    return np.asarray(ndimage.zoom(coarse, factors, order=1, grid_mode=False))
