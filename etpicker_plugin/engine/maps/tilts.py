"""Which tilts a power spectrum shows, and about which axis."""

import logging

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

RING = (0.12, 0.42)
"""Cycles per voxel in which the wedge is looked for."""

STEP_DEG = 3.0
EDGE_BINS = 3
SURE_DEG, OUTERMOST_DEG = 30.0, 78.0
EMPTY_POWER = 0.25
"""Of the power of the tilts that are surely there: if the outermost have more, no wedge
is missing."""

USUAL_TILT_DEG = 60.0


def find_wedge(power: NDArray[np.float64]) -> tuple[str, tuple[float, float]]:
    """Return the tilt axis and the tilts that a power spectrum shows.

    Power is compared within shells, so that its fall with frequency tells nothing. By
    the projection-slice theorem a tilt t measures the plane ``k_z = k_across tan t``.
    """
    kz, ky, kx = frequencies(power.shape, real=False)
    radius = np.sqrt(kz**2 + ky**2 + kx**2)
    ring = (radius > RING[0]) & (radius < RING[1])
    shell = np.rint(radius[ring] * len(power)).astype(int)
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


def frequencies(
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
