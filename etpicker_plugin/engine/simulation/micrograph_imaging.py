"""What a microscope makes of the matter in its beam: a micrograph of counted electrons.

A weak phase object: the phase that matter and ice add to the wave goes through the
contrast transfer function, and electrons are counted where the wave is strong. The
numbers are physical, so that contrast and noise follow from dose, defocus and the size
of a particle.
"""

from dataclasses import dataclass

import numpy as np
from scipy import fft

from etpicker_plugin.engine.simulation.imaging import contrast_transfer
from etpicker_plugin.engine.simulation.micrograph_canvas import Image

PROTEIN_RADIAN = 2.4e-3
"""Phase (radian) that 1 Å of dense protein adds to that of ice, at 300 kV."""
ICE_GRAIN = 0.06
CARBON_GRAIN = 0.18
"""Standard deviation (radian Å) of the phase of ``ICE_ANG`` of ice, and of carbon: the
random order of their atoms, from which Thon rings come."""
ICE_ANG = 300.0
ICE_RANGE_ANG = (250.0, 700.0)
SLOPE, UNEVEN = 0.35, 0.12
"""How ice changes across the image at most, and at random, as shares."""
B_FACTOR = 90.0
MEAN_FREE_PATH_ANG = 3500.0
CARBON_LETS_THROUGH = 0.92
MIRRORED_ANG = 240.0
LEAST = 0.05
"""The least share of electrons anywhere; dense crystals are no weak phase objects."""
ROWS = 256
"""What takes several times the room of an image is done for so many rows at once."""


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """How a micrograph is taken: pixel size (Å), defocus (µm), dose (electrons/Å²)."""

    pixel_size: float
    defocus_um: float
    dose: float


def draw_ice(shape_yx: tuple[int, int], generator: np.random.Generator) -> Image:
    """Return how thick the ice is (Å), ``(Y, X)``: a slope and some waves."""
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in shape_yx)
    angle = generator.uniform(0, 2 * np.pi)
    slope = generator.uniform(0, SLOPE)
    share = 1 + slope * (np.sin(angle) * y[:, None] + np.cos(angle) * x[None])
    for _ in range(4):
        ky, kx, phase = generator.uniform(-3, 3, 3)
        height = UNEVEN * generator.normal() / 2
        share += height * np.cos(ky * y[:, None] + kx * x[None] + phase)
    mean = generator.uniform(*ICE_RANGE_ANG)
    return np.asarray(mean * np.clip(share, 0.3, 2.0), dtype=np.float32)


def expose(
    thickness: Image,
    ice: Image,
    carbon: Image | None,
    *,
    exposure: Exposure,
    generator: np.random.Generator,
) -> Image:
    """Return a micrograph ``(Y, X)`` in electrons per pixel; dense matter is dark.

    Parameters
    ----------
    thickness, ice
        Å of dense matter and of ice.
    carbon
        Its share of each pixel; ``None`` without any.
    """
    phase = generator.standard_normal(thickness.shape, dtype=np.float32)
    grain = ICE_GRAIN * np.sqrt(ice / ICE_ANG)
    if carbon is not None:
        grain += CARBON_GRAIN * carbon
    phase *= grain / exposure.pixel_size
    phase += PROTEIN_RADIAN * thickness
    image = 1 + 2 * _transferred(phase, exposure)
    np.maximum(image, LEAST, out=image)
    image *= exposure.dose * exposure.pixel_size**2
    image *= np.exp(-ice / MEAN_FREE_PATH_ANG)
    if carbon is not None:
        image *= 1 - (1 - CARBON_LETS_THROUGH) * carbon
    for first in range(0, len(image), ROWS):
        rows = slice(first, first + ROWS)
        image[rows] = generator.poisson(image[rows])
    return image


def _transferred(phase: Image, exposure: Exposure) -> Image:
    """Return the contrast of half a phase image.

    It is mirrored at its edges, where a Fourier transform sees the opposite one.
    """
    margin = round(MIRRORED_ANG / exposure.pixel_size)
    shape = tuple(fft.next_fast_len(n + 2 * margin, real=True) for n in phase.shape)
    after = [s - n - margin for s, n in zip(shape, phase.shape, strict=True)]
    spectrum = fft.rfft2(np.pad(phase, [(margin, a) for a in after], "symmetric"))
    ky = fft.fftfreq(shape[0]).astype(np.float32)[:, None]
    kx = fft.rfftfreq(shape[1]).astype(np.float32)[None]
    for first in range(0, shape[0], ROWS):
        rows = slice(first, first + ROWS)
        k2 = (ky[rows] ** 2 + kx**2) / np.float32(exposure.pixel_size**2)
        spectrum[rows] *= contrast_transfer(k2, exposure.defocus_um)
        spectrum[rows] *= np.exp(-0.25 * B_FACTOR * k2)
    image = fft.irfft2(spectrum, s=shape, overwrite_x=True)
    inside = tuple(slice(margin, margin + n) for n in phase.shape)
    return np.ascontiguousarray(image[inside], dtype=np.float32)
