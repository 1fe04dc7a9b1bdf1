"""The log-likelihood of noise alone, and the ratio that judges a pick.

RELION's log-likelihood contribution of a box X is that of the model "reference plus
noise", integrated over orientations and shifts. Most of it is the noise's own
probability, which depends on the box's noise power and on the group's noise
spectrum, not on whether a particle is there. Dividing by the probability of "noise
alone" leaves the evidence for a particle. docs/verdict.md derives it and states its
limits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etpicker_plugin.engine.arrays import FloatArray

MASK_EDGE_VOX = 5.0
"""Width of RELION's soft edge (``--maskedge``)."""


@dataclass(frozen=True, kw_only=True)
class Noise:
    """What RELION took for noise in one iteration.

    Attributes
    ----------
    sigma2
        ``(R,)`` variance per Fourier shell, in RELION's scale (transform over box³).
    current_size
        Edge of the part of Fourier space that was compared, voxels.
    """

    sigma2: FloatArray
    current_size: int


def null_log_likelihood(
    box: NDArray[np.floating], *, noise: Noise, radius_vox: float
) -> float:
    """Return the log-likelihood of a ``(B, B, B)`` box under noise alone.

    -Σ |F|²/(2σ²) - Σ ln(2πσ²), over one half of Fourier space with shells above 0 and
    up to half the current size, F the transform of the softly masked box over B³.

    Parameters
    ----------
    radius_vox
        Of the spherical mask, voxels.
    """
    size = box.shape[-1]
    used, shells = compared_voxels(size, current_size=noise.current_size)
    spectrum = np.fft.rfftn(box * soft_sphere(size, radius_vox=radius_vox)) / size**3
    sigma2 = noise.sigma2[shells[used]]
    power = np.abs(spectrum[used]) ** 2
    return float(-(power / (2 * sigma2)).sum() - np.log(2 * np.pi * sigma2).sum())


def compared_voxels(
    size: int, *, current_size: int
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Return which voxels of a half transform RELION compares, and their shells.

    Each pair of conjugate voxels counts once: in the plane k_x = 0 those with k_y < 0
    are left out, as RELION leaves them out. Both are ``(size, size, size // 2 + 1)``,
    zero frequency first.
    """
    whole = np.fft.fftfreq(size) * size
    k_z, k_y, k_x = np.meshgrid(whole, whole, np.arange(size // 2 + 1), indexing="ij")
    shells = np.round(np.sqrt(k_z**2 + k_y**2 + k_x**2)).astype(np.intp)
    used = (shells > 0) & (shells <= current_size // 2) & ~((k_x == 0) & (k_y < 0))
    return used, shells


def soft_sphere(
    size: int, *, radius_vox: float, edge_vox: float = MASK_EDGE_VOX
) -> FloatArray:
    """Return a ``(size, size, size)`` sphere of 1 with a raised-cosine edge outside."""
    steps = np.arange(size) - size // 2
    z, y, x = np.meshgrid(steps, steps, steps, indexing="ij")
    beyond = (np.sqrt(z**2 + y**2 + x**2) - radius_vox) / edge_vox
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.clip(beyond, 0.0, 1.0)))


def translate_whole(
    box: NDArray[np.floating], shift_zyx: ArrayLike
) -> NDArray[np.floating]:
    """Return a box ``(B, B, B)`` moved by whole voxels, zeros where nothing comes in.

    RELION moves a box by the former iteration's shift, rounded, before it masks it.
    """
    shift = np.round(np.asarray(shift_zyx, dtype=np.float64)).astype(int)
    moved = np.zeros_like(box)
    target, source = [], []
    for step, size in zip(shift, box.shape, strict=True):
        target.append(slice(max(step, 0), max(size + min(step, 0), 0)))
        source.append(slice(max(-step, 0), max(size - max(step, 0), 0)))
    moved[tuple(target)] = box[tuple(source)]
    return moved
