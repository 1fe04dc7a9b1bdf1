"""A tilt series of a scene, and its weighted back-projection.

The tilt axis is y and the beam z. A projector works on xz planes: it is one sparse
matrix per tilt, applied to all planes at once, and its transpose back-projects.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.sparse import csr_matrix

KILOVOLT = 300.0
SPHERICAL_ABERRATION_MM = 2.7
AMPLITUDE_CONTRAST = 0.07
DOSE_PER_TILT = 3.0
JITTER_VOX = 0.4
SOLVENT_SD = 0.03
SOLVENT_SIGMA_VOX = 1.2
MEAN_FREE_PATH_ANG = 3500.0
RAMP_CUT_OFF = 0.4
RAMP_FALL = 0.05

Image = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Microscope:
    """How a tilt series is taken: angles (degrees), defocus (µm), SNR at 0°."""

    tilt_range: float
    tilt_step: float
    defocus_um: float
    snr: float

    def tilts_deg(self) -> NDArray[np.float64]:
        """Return the tilt angles, ascending."""
        return np.arange(-self.tilt_range, self.tilt_range + 1e-3, self.tilt_step)


def reconstruct_scene(
    density: Image,
    voxel_size: float,
    *,
    microscope: Microscope,
    generator: np.random.Generator,
    on_tilt: Callable[[int, int], None],
) -> Image:
    """Project a scene, image it, and back-project: what a tomogram shows of it.

    Parameters
    ----------
    density
        ``(Z, Y, X)``, protein positive.
    on_tilt
        Told the number of tilts done and of all.

    Returns
    -------
    ndarray
        ``(Z, Y, X)`` float32; dense matter is dark.
    """
    nz, ny, nx = density.shape
    solvent = ndimage.gaussian_filter(
        generator.standard_normal(density.shape).astype(np.float32), SOLVENT_SIGMA_VOX
    )
    scene = density + solvent * (SOLVENT_SD / solvent.std())
    planes = scene.transpose(0, 2, 1).reshape(nz * nx, ny)
    width = detector_width(nz, nx)
    tilts = microscope.tilts_deg()
    exposures = exposure_of(tilts)
    volume = np.zeros((nz * nx, ny), np.float32)
    noise_sd = None
    for done, i in enumerate(np.argsort(np.abs(tilts), kind="stable")):
        angle = np.deg2rad(tilts[i])
        project = projection_matrix(nz, nx, width, angle)
        image = _expose(
            np.asarray(project @ planes),
            voxel_size,
            defocus_um=microscope.defocus_um + generator.normal(0, 0.03),
            exposure=exposures[i],
            shift=generator.normal(0, JITTER_VOX, 2),
        )
        if noise_sd is None:  # the untilted image comes first and sets the noise
            seen = image[(width - nx) // 2 : (width - nx) // 2 + nx]
            noise_sd = np.sqrt(seen.var() / microscope.snr)
        # Fewer electrons come through the longer path of a tilted specimen.
        path = nz * voxel_size * (1 / np.cos(min(abs(angle), 1.4)) - 1)
        noisier = np.exp(path / MEAN_FREE_PATH_ANG / 2)
        image += noise_sd * noisier * generator.standard_normal(image.shape)
        volume += project.T @ ramp_filter(image)
        on_tilt(done + 1, len(tilts))
    return np.ascontiguousarray(volume.reshape(nz, nx, ny).transpose(0, 2, 1))


def detector_width(nz: int, nx: int) -> int:
    """Return an even width that holds every tilt's projection of an xz plane."""
    width = int(np.ceil(np.hypot(nx, nz))) + 4
    return width + width % 2


def projection_matrix(nz: int, nx: int, width: int, angle: float) -> csr_matrix:
    """Return the projector of an xz plane, ``(width, nz * nx)``; angle in radians.

    A voxel at (x, z) from the centre falls on ``x cos + z sin`` and is shared between
    the two nearest detector pixels.
    """
    z, x = np.meshgrid(
        np.arange(nz) - (nz - 1) / 2, np.arange(nx) - (nx - 1) / 2, indexing="ij"
    )
    place = (x * np.cos(angle) + z * np.sin(angle)).ravel() + (width - 1) / 2
    first = np.floor(place).astype(int)
    share = (place - first).astype(np.float32)
    voxel = np.arange(nz * nx)
    rows = np.concatenate([first, first + 1])
    return csr_matrix(
        (np.concatenate([1 - share, share]), (rows, np.concatenate([voxel, voxel]))),
        shape=(width, nz * nx),
    )


def exposure_of(tilts_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the dose (e/Å²) before and half through each tilt, dose-symmetric."""
    order = np.argsort(np.abs(tilts_deg), kind="stable")
    exposure = np.empty(len(tilts_deg))
    exposure[order] = (np.arange(len(tilts_deg)) + 0.5) * DOSE_PER_TILT
    return exposure


def contrast_transfer(k2: Image, defocus_um: float) -> Image:
    """Return the CTF at squared spatial frequencies (1/Å²); protein becomes dark."""
    volts = KILOVOLT * 1e3
    wavelength = 12.2643247 / np.sqrt(volts * (1 + 0.978466e-6 * volts))
    phase = np.pi * wavelength * defocus_um * 1e4 * k2 - (
        0.5 * np.pi * SPHERICAL_ABERRATION_MM * 1e7 * wavelength**3 * k2**2
    )
    phase_part = np.sqrt(1 - AMPLITUDE_CONTRAST**2) * np.sin(phase)
    return np.asarray(-(phase_part + AMPLITUDE_CONTRAST * np.cos(phase)))


def dose_weight(k2: Image, exposure: float) -> Image:
    """Return what radiation leaves of each frequency (Grant & Grigorieff 2015)."""
    critical = 0.245 * np.maximum(np.sqrt(k2), 1e-4) ** -1.665 + 2.81
    return np.asarray(np.exp(-exposure / (2 * critical)))


def _expose(
    projection: Image,
    voxel_size: float,
    *,
    defocus_um: float,
    exposure: float,
    shift: NDArray[np.float64],
) -> Image:
    """Apply CTF, radiation damage and a misalignment to an ``(x, y)`` image."""
    kx = fft.fftfreq(projection.shape[0])[:, None]
    ky = fft.rfftfreq(projection.shape[1])[None]
    k2 = (kx**2 + ky**2) / voxel_size**2
    transfer = contrast_transfer(k2, defocus_um) * dose_weight(k2, exposure)
    moved = np.exp(-2j * np.pi * (kx * shift[0] + ky * shift[1]))
    spectrum = fft.rfft2(projection) * transfer * moved
    return np.asarray(fft.irfft2(spectrum, s=projection.shape), dtype=np.float32)


def ramp_filter(image: Image) -> Image:
    """Weight an ``(x, y)`` image for back-projection: |k_x|, falling off at 0.4."""
    k = fft.rfftfreq(image.shape[0])
    fall = np.exp(-(np.maximum(k - RAMP_CUT_OFF, 0) ** 2) / (2 * RAMP_FALL**2))
    ramp = k * fall
    ramp[0] = 0.25 * k[1]
    spectrum = fft.rfft(image, axis=0) * ramp[:, None]
    return np.asarray(fft.irfft(spectrum, n=image.shape[0], axis=0), dtype=np.float32)
