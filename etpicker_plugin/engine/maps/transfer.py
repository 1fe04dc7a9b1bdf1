"""What a density becomes in a tomogram, frequency by frequency, and its noise."""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.maps.appearance import BLOCK, Appearance, Volume
from etpicker_plugin.engine.maps.tilts import frequencies
from etpicker_plugin.engine.simulation.imaging import contrast_transfer, dose_weight

EXPOSURE = 60.0
"""e/Å², the mean of a usual tilt series: what it has destroyed is not seen."""

LOWEST_SHELL = 1.5 / BLOCK
NOISE_FROM = 0.13
"""Cycles per voxel from which power tells of noise."""

BAND_ANG = (400.0, 30.0)
"""From a particle's size to its parts, as far as tomograms show them."""


def noise_amplitude(look: Appearance, shape: tuple[int, int, int]) -> Volume:
    """Return the square root of the power at a volume's real-FFT frequencies."""
    kz, ky, kx = frequencies(shape, real=True)
    root = np.sqrt(look.power).astype(np.float32)
    places = np.broadcast_arrays(*(k * BLOCK for k in (kz, ky, kx)))
    amplitude: Volume = ndimage.map_coordinates(
        root, np.stack(places), order=1, mode="grid-wrap", output=np.float32
    )
    return amplitude


def wedge_of(look: Appearance, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Return which of a volume's real-FFT frequencies were measured."""
    kz, ky, kx = frequencies(shape, real=True)
    across = kx if look.tilt_axis == "y" else ky
    tilt = np.degrees(np.arctan2(kz * np.where(across < 0, -1, 1), np.abs(across)))
    low, high = look.tilt_range
    measured = (tilt >= low) & (tilt <= high)
    measured |= (across == 0) & (kz == 0)
    return np.broadcast_to(
        measured, np.broadcast_shapes(*(k.shape for k in (kz, ky, kx)))
    )


def signal_transfer(
    look: Appearance,
    shape: tuple[int, int, int],
    *,
    defocus_um: float,
    corrected: bool = False,
    binning: float = 1.0,
) -> Volume:
    """Return what a density becomes in the tomogram, frequency by frequency.

    In a series of images the noise is white: how its power falls, divided by the
    number of images that meet at a frequency (which falls as 1 / |k|), is what
    reconstruction and filters did to it, and they did the same to the signal. With that
    come the wedge, the contrast transfer and radiation damage.

    Parameters
    ----------
    shape
        Of the density, ``(Z, Y, X)``.
    corrected
        Whether the phases of the contrast transfer were flipped.
    binning
        How many voxels of the tomogram a voxel of the density is long.

    Returns
    -------
    ndarray
        At the real-FFT frequencies; negative where dense matter is dark. Its root mean
        square over the frequencies that particles have most of is 1, so that a contrast
        means the same whatever the defocus.
    """
    kz, ky, kx = frequencies(shape, real=True)
    radius = np.sqrt(kz**2 + ky**2 + kx**2) / binning
    along = partial(_transfer_along, look, defocus_um=defocus_um, corrected=corrected)
    finest = min(0.5, look.voxel_size / BAND_ANG[1])
    band = along(np.linspace(look.voxel_size / BAND_ANG[0], finest, 100))
    usual = np.float32(np.sqrt(np.mean(band**2)))
    return np.where(wedge_of(look, shape), along(radius) / usual, np.float32(0))


def _transfer_along(
    look: Appearance,
    radius: NDArray[np.float64],
    *,
    defocus_um: float,
    corrected: bool,
) -> Volume:
    """Return the transfer at frequencies in cycles per voxel of the tomogram."""
    k2 = ((radius / look.voxel_size) ** 2).astype(np.float32)
    transfer = contrast_transfer(k2, defocus_um)
    if corrected:
        transfer = -np.abs(transfer)
    shells, reconstruction = reconstruction_filter(look)
    left = dose_weight(k2, EXPOSURE) * np.interp(radius, shells, reconstruction)
    return np.asarray(transfer * left, dtype=np.float32)


def reconstruction_filter(
    look: Appearance,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies (cycles per voxel), and what reconstruction left of each.

    At the lowest the power is the sample's more than noise's, and they are taken to be
    as the next.
    """
    shells, power = radial_power(look)
    left = np.sqrt(power / np.maximum(shells, LOWEST_SHELL))
    return shells, np.where(shells < NOISE_FROM, left[shells >= NOISE_FROM][0], left)


def radial_power(
    look: Appearance,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies up to Nyquist's and the mean power there, within the wedge."""
    kz, ky, kx = frequencies(look.power.shape, real=True)
    radius = np.sqrt(kz**2 + ky**2 + kx**2)
    measured = wedge_of(look, (BLOCK, BLOCK, BLOCK))
    shell = np.rint(radius[measured] * BLOCK).astype(int)
    half = look.power[:, :, : BLOCK // 2 + 1][measured]
    number = BLOCK // 2 + 1
    sums = np.bincount(shell, half, minlength=number)[:number]
    counts = np.bincount(shell, minlength=number)[:number]
    return np.arange(number) / BLOCK, np.asarray(sums / np.maximum(counts, 1))
