"""How tomograms look: power spectrum, missing wedge, and where the sample is.

All grey values here are in standard deviations about the mean of the sample's slices.
"""

import logging
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.simulation.imaging import contrast_transfer, dose_weight
from etpicker_plugin.engine.volumes.tomogram import Tomogram, read_box

logger = logging.getLogger(__name__)

BLOCK = 64
MOST_BLOCKS = 60
RING = (0.12, 0.42)
"""Cycles per voxel in which the wedge is looked for."""

STEP_DEG = 3.0
EDGE_BINS = 3
SURE_DEG, OUTERMOST_DEG = 30.0, 78.0
EMPTY_POWER = 0.25
"""Of the power of the tilts that are surely there: if the outermost have more, no wedge
is missing."""

USUAL_TILT_DEG = 60.0
SAMPLE_SHARE = 0.6
"""Of the strongest slices' fine contrast: slices with less are above or below the
sample."""

EXPOSURE = 60.0
"""e/Å², the mean of a usual tilt series: what it has destroyed is not seen."""

LOWEST_SHELL = 1.5 / BLOCK
NOISE_FROM = 0.13
"""Cycles per voxel from which power tells of noise."""

BAND_ANG = (400.0, 30.0)
"""From a particle's size to its parts, as far as tomograms show them."""

Volume = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """What a tomogram's noise and transfer are.

    Attributes
    ----------
    mean, deviation
        Of the grey values in the sample.
    sample_z
        First slice of the sample, and the one after its last.
    power
        ``(B, B, B)``: mean power of blocks, 1 for white noise of unit variance, zero
        frequency first; axes z, y, x.
    tilt_axis
        ``y`` or ``x``.
    tilt_range
        Lowest and highest tilt in degrees.
    """

    voxel_size: float
    mean: float
    deviation: float
    sample_z: tuple[int, int]
    power: NDArray[np.float64]
    tilt_axis: str
    tilt_range: tuple[float, float]

    def describe(self) -> str:
        """Return what was measured, in words."""
        low, high = self.tilt_range
        first, last = self.sample_z
        return (
            f"tilts of {low:.0f}° to {high:.0f}° about {self.tilt_axis}, sample in "
            f"slices {first} to {last - 1}"
        )


def measure(tomogram: Tomogram) -> Appearance:
    """Measure a tomogram in some tens of blocks of its sample.

    Raises
    ------
    InputDataError
        If it is flat, or holds NaN where it is looked at.
    """
    sample_z = _find_sample(tomogram)
    blocks = _read_blocks(tomogram, sample_z)
    mean, deviation = float(blocks.mean()), float(blocks.std())
    if not np.isfinite(deviation) or deviation <= 0:
        raise InputDataError(
            f"Tomogram {tomogram.path}: its grey values are all the same, or some are "
            "NaN. Give a reconstructed tomogram."
        )
    power = _power_of((blocks - mean) / deviation)
    axis, tilts = find_wedge(power)
    return Appearance(
        voxel_size=tomogram.voxel_size,
        mean=mean,
        deviation=deviation,
        sample_z=sample_z,
        power=power,
        tilt_axis=axis,
        tilt_range=tilts,
    )


def _find_sample(tomogram: Tomogram) -> tuple[int, int]:
    """Return the slices that hold the sample: those of strong fine contrast."""
    depth, height, width = tomogram.shape_zyx
    edge = 256
    y, x = max((height - edge) // 2, 0), max((width - edge) // 2, 0)
    strength = np.empty(depth)
    for z in range(depth):
        box = slice(z, z + 1), slice(y, y + edge), slice(x, x + edge)
        image = np.asarray(read_box(tomogram, box)[0], dtype=np.float32)
        fine = ndimage.gaussian_filter(image, 1.0) - ndimage.gaussian_filter(image, 4.0)
        strength[z] = fine.std()
    strength = ndimage.uniform_filter1d(strength, min(5, depth))
    inside = np.flatnonzero(strength >= SAMPLE_SHARE * np.percentile(strength, 90))
    if not len(inside):
        return 0, depth
    first, last = int(inside[0]), int(inside[-1]) + 1
    # Too thin to be a sample: the contrast says nothing.
    return (first, last) if last - first >= depth // 4 else (0, depth)


def _read_blocks(tomogram: Tomogram, sample_z: tuple[int, int]) -> NDArray[np.float32]:
    """Return ``(N, B, B, B)`` blocks spread over the sample."""
    depth, height, width = tomogram.shape_zyx
    first, last = sample_z
    middle = (first + last - BLOCK) // 2
    z_starts = range(first, max(last - BLOCK, 0) + 1, BLOCK // 2)
    starts = [
        (min(max(z, 0), max(depth - BLOCK, 0)), y, x)
        for z in list(z_starts) or [middle]
        for y in range(0, max(height - BLOCK, 0) + 1, BLOCK // 2)
        for x in range(0, max(width - BLOCK, 0) + 1, BLOCK // 2)
    ]
    chosen = np.linspace(0, len(starts) - 1, min(MOST_BLOCKS, len(starts)))
    blocks = []
    for i in np.unique(chosen.astype(int)):
        z, y, x = (slice(s, s + BLOCK) for s in starts[i])
        values = np.asarray(read_box(tomogram, (z, y, x)), dtype=np.float32)
        missing = [(0, BLOCK - n) for n in values.shape]
        blocks.append(np.pad(values, missing, mode="reflect"))
    return np.stack(blocks)


def _power_of(blocks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean power of blocks; a window keeps their faces from leaking."""
    hann = np.hanning(BLOCK + 1)[:-1]
    window = hann[:, None, None] * hann[:, None] * hann
    total = np.zeros((BLOCK,) * 3)
    for block in blocks:
        total += np.abs(np.fft.fftn((block - block.mean()) * window)) ** 2
    return np.asarray(total / (len(blocks) * np.sum(window**2)))


def find_wedge(power: NDArray[np.float64]) -> tuple[str, tuple[float, float]]:
    """Return the tilt axis and the tilts that a power spectrum shows.

    Power is compared within shells, so that its fall with frequency tells nothing. By
    the projection-slice theorem a tilt t measures the plane ``k_z = k_across tan t``.
    """
    kz, ky, kx = _frequencies(power.shape, real=False)
    radius = np.sqrt(kz**2 + ky**2 + kx**2)
    ring = (radius > RING[0]) & (radius < RING[1])
    shell = np.rint(radius[ring] * BLOCK).astype(int)
    shell_means = np.bincount(shell, power[ring]) / np.maximum(np.bincount(shell), 1)
    whitened = power[ring] / shell_means[shell]
    found = {
        axis: _tilts_along(
            whitened, *(np.broadcast_to(k, ring.shape)[ring] for k in ks)
        )
        for axis, ks in (("y", (kz, kx)), ("x", (kz, ky)))
    }
    # The axis whose missing tilts are the emptier.
    axis = min(found, key=lambda a: found[a][1])
    tilts, emptiness = found[axis]
    if emptiness > EMPTY_POWER:
        logger.warning(
            "No missing wedge is seen in the tomogram's spectrum: tilts of ±%.0f° "
            "about y are taken. Has the tomogram been denoised or filled in?",
            USUAL_TILT_DEG,
        )
        return "y", (-USUAL_TILT_DEG, USUAL_TILT_DEG)
    return axis, tilts


def _tilts_along(
    whitened: NDArray[np.float64],
    kz: NDArray[np.float64],
    across: NDArray[np.float64],
) -> tuple[tuple[float, float], float]:
    """Return the tilts with power, and how much the emptiest tilts have beside them."""
    tilt = np.degrees(np.arctan2(kz * np.where(across < 0, -1, 1), np.abs(across)))
    number = int(180 / STEP_DEG)
    bins = np.clip(((tilt + 90) / STEP_DEG).astype(int), 0, number - 1)
    counts = np.maximum(np.bincount(bins, minlength=number), 1)
    means = np.asarray(np.bincount(bins, whitened, minlength=number) / counts)
    centres = -90 + STEP_DEG * (np.arange(number) + 0.5)
    usual = float(np.median(means[np.abs(centres) < SURE_DEG]))
    emptiest = float(means[np.abs(centres) > OUTERMOST_DEG].mean())
    between = np.sqrt(max(emptiest, 1e-12) * usual)
    middle = number // 2
    low = -_last_tilt(means[:middle][::-1], between)
    high = _last_tilt(means[middle:], between)
    return (low, high), emptiest / usual


def _last_tilt(outwards: NDArray[np.float64], between: float) -> float:
    """Return where tilts end, degrees, of the power from 0° outwards.

    High tilts are weaker in thick samples: what is at the edge is compared with what is
    just inside it. The edge is blurred; it lies where all its power would be if it were
    sharp.
    """
    below = np.flatnonzero(outwards < between)
    if not len(below):
        return 90.0
    inside = max(int(below[0]) - EDGE_BINS, 1)
    level = outwards[max(inside - EDGE_BINS, 0) : inside].mean()
    edge = outwards[inside : inside + 2 * EDGE_BINS].sum() / level
    return float(STEP_DEG * (inside + min(edge, 2 * EDGE_BINS)))


def _frequencies(
    shape: tuple[int, ...], *, real: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies in cycles per voxel along z, y, x, each broadcastable."""
    z, y, x = shape
    along_x = np.fft.rfftfreq(x) if real else np.fft.fftfreq(x)
    return (
        np.fft.fftfreq(z)[:, None, None],
        np.fft.fftfreq(y)[None, :, None],
        along_x[None, None, :],
    )


def noise_amplitude(look: Appearance, shape: tuple[int, int, int]) -> Volume:
    """Return the square root of the power at a volume's real-FFT frequencies."""
    kz, ky, kx = _frequencies(shape, real=True)
    root = np.sqrt(look.power).astype(np.float32)
    places = np.broadcast_arrays(*(k * BLOCK for k in (kz, ky, kx)))
    amplitude: Volume = ndimage.map_coordinates(
        root, np.stack(places), order=1, mode="grid-wrap", output=np.float32
    )
    return amplitude


def wedge_of(look: Appearance, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Return which of a volume's real-FFT frequencies were measured."""
    kz, ky, kx = _frequencies(shape, real=True)
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
    kz, ky, kx = _frequencies(shape, real=True)
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
    kz, ky, kx = _frequencies(look.power.shape, real=True)
    radius = np.sqrt(kz**2 + ky**2 + kx**2)
    measured = wedge_of(look, (BLOCK, BLOCK, BLOCK))
    shell = np.rint(radius[measured] * BLOCK).astype(int)
    half = look.power[:, :, : BLOCK // 2 + 1][measured]
    number = BLOCK // 2 + 1
    sums = np.bincount(shell, half, minlength=number)[:number]
    counts = np.bincount(shell, minlength=number)[:number]
    return np.arange(number) / BLOCK, np.asarray(sums / np.maximum(counts, 1))
