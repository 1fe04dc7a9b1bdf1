"""Does the stated tilt range agree with where the boxes hold power?"""

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.subtomograms.wedge import AXES, missing_wedge

RING = (0.2, 0.8)
"""Frequencies looked at, as shares of Nyquist's: neither the particle's shape nor the
corners, which rescaling may have cut."""

CLEARLY = 0.8
"""Another wedge is told of when it leaves less than this share of the power outside."""


def whitened_power(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the boxes' mean power with every shell's mean made 1.

    A Hann window keeps a box's faces from leaking along the axes.

    Parameters
    ----------
    boxes
        ``(N, B, B, B)``.

    Returns
    -------
    ndarray
        ``(B, B, B)``, zero frequency at ``B // 2``.
    """
    edge = boxes.shape[-1]
    hann = np.hanning(edge + 1)[:-1]
    window = hann[:, None, None] * hann[:, None] * hann
    spectra = np.fft.fftn((boxes - boxes.mean()) * window, axes=(1, 2, 3))
    power = np.fft.fftshift((np.abs(spectra) ** 2).mean(axis=0))
    shells = np.rint(_radius(edge)).astype(int)
    sums = np.bincount(shells.ravel(), power.ravel())
    means = sums / np.bincount(shells.ravel())
    return np.asarray(power / np.maximum(means, 1e-30)[shells])


def power_outside(power: NDArray[np.float64], wedge: NDArray[np.float32]) -> float:
    """Return the mean power where a wedge says nothing was measured.

    Both are ``(B, B, B)`` with the zero frequency at ``B // 2``.
    """
    radius = _radius(len(power)) / (len(power) // 2)
    missing = (wedge == 0) & (radius > RING[0]) & (radius < RING[1])
    return float(power[missing].mean()) if missing.any() else 0.0


def find_better_wedge(
    boxes: NDArray[np.float32], *, tilt_range: tuple[float, float], tilt_axis: str
) -> str:
    """Return what fits clearly better than the stated tilts, or nothing.

    Tried are the other tilt axis, and the range turned over.

    Parameters
    ----------
    boxes
        ``(N, B, B, B)``.
    tilt_range
        Lowest and highest angle that were stated, degrees.
    tilt_axis
        The axis that was stated, ``y`` or ``x``.

    Returns
    -------
    str
        ``tilt axis x, -60° to 60°``, say; empty if the stated one is best.
    """
    low, high = tilt_range
    power = whitened_power(boxes)

    def outside(axis: str, tilts: tuple[float, float]) -> float:
        wedge = missing_wedge(boxes.shape[-1], tilt_range=tilts, tilt_axis=axis)
        return power_outside(power, wedge)

    stated = outside(tilt_axis, (low, high))
    others = {
        (axis, tilts): outside(axis, tilts)
        for axis in AXES
        for tilts in ((low, high), (-high, -low))
        if (axis, tilts) != (tilt_axis, (low, high))
    }
    (axis, tilts), least = min(others.items(), key=lambda item: item[1])
    if least >= CLEARLY * stated:
        return ""
    return f"tilt axis {axis}, {tilts[0]:g}° to {tilts[1]:g}°"


def _radius(edge: int) -> NDArray[np.float64]:
    k = np.arange(edge) - edge // 2
    return np.asarray(np.sqrt(k[:, None, None] ** 2 + k[:, None] ** 2 + k**2))
