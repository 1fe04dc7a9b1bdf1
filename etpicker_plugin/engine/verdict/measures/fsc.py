"""Fourier shell correlation of two half maps, and the resolution it shows."""

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray

GOLD_STANDARD = 0.143
HALF = 0.5


def fsc_curve(
    first: NDArray[np.floating], second: NDArray[np.floating], *, mask: FloatArray
) -> FloatArray:
    """Return ``(B // 2 + 1,)``: the correlation of two maps per Fourier shell.

    Re Σ F G* / √(Σ|F|² Σ|G|²) (Harauz & van Heel 1986), both maps masked, means
    within the mask taken off, so that the mask's own edge does not correlate. A shell
    of no power gives 0.
    """
    size = first.shape[-1]
    a, b = (np.fft.fftn(_masked(volume, mask)) for volume in (first, second))
    k = np.fft.fftfreq(size) * size
    radius = np.sqrt(k[:, None, None] ** 2 + k[None, :, None] ** 2 + k**2)
    shells = np.round(radius).astype(np.intp).ravel()
    count = size // 2 + 1

    def per_shell(values: FloatArray) -> FloatArray:
        sums = np.bincount(shells, weights=values.ravel())
        return np.asarray(sums[:count], dtype=np.float64)

    cross = per_shell(a.real * b.real + a.imag * b.imag)
    power = per_shell(a.real**2 + a.imag**2) * per_shell(b.real**2 + b.imag**2)
    safe = np.where(power > 0, power, 1.0)
    return np.asarray(np.where(power > 0, cross / np.sqrt(safe), 0.0))


def resolution_at(
    curve: FloatArray, threshold: float, *, box_ang: float
) -> float | None:
    """Return where the curve first falls below a threshold, Å.

    Linear between shells; the Nyquist limit if it never does; ``None`` if it does in
    the first shell already, so that there is no resolution to speak of.

    Parameters
    ----------
    curve
        ``(B // 2 + 1,)`` correlation by shell, the first of frequency 0.
    box_ang
        Edge of the box, Å: shell s is at box_ang / s.
    """
    below = np.flatnonzero(curve[1:] < threshold)
    if not len(below):
        return box_ang / (len(curve) - 1)
    shell = int(below[0]) + 1
    if shell == 1:
        return None
    above, under = curve[shell - 1], curve[shell]
    crossing = shell - 1 + (above - threshold) / (above - under)
    return float(box_ang / crossing)


def _masked(volume: NDArray[np.floating], mask: FloatArray) -> FloatArray:
    mean = float((volume * mask).sum() / mask.sum())
    return np.asarray((volume - mean) * mask, dtype=np.float64)
