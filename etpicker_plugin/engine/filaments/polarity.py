"""Which of its two ways a filament goes, as far as its density shows it.

Density is averaged around the axis, so a filament is a picture of distance and length;
pieces of it are windows. From filaments that are marked the same way round, a mean
window is learnt, each moved along the axis to where it fits. A window of another
filament is compared with the mean, and with the mean turned round, at the best place of
each. What the first fits better is summed along the filament; its scatter from window
to window says how sure that is. What has no way fits both alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.filaments.curve import Curve
from etpicker_plugin.engine.filaments.straight import Read, disc, read_along

WINDOW_VOX = 16
BESIDE_WIDTHS = 0.7
"""How far from the axis the density is looked at."""
LEAST_WINDOWS = 3
SURE = 0.99
"""Least probability of a way that is told."""
LEAST_FILAMENTS = 4
MOST_FILAMENTS = 80
FOLDS = 4
LEAST_RIGHT = 0.75
LEAST_SIGMA = 3.0
"""Of filaments that were held out: how many must be right, and how surely."""
STARTS, ROUNDS = 4, 12

Section = tuple[tuple[float, ...], ...]
"""``(W, R)``: density by the way along the axis and the distance from it."""


def windows_along(read: Read, curve: Curve, *, width_vox: float) -> FloatArray:
    """Return ``(N, W, R)`` pieces of a filament, averaged around the axis.

    They do not overlap. The mean of all at each distance is taken off, as it is the
    same both ways.
    """
    radius = BESIDE_WIDTHS * width_vox
    rows = read_along(read, curve, radius_vox=radius)
    ring = np.round(np.hypot(*disc(radius))).astype(int)
    counts = np.bincount(ring)
    around = np.stack([np.bincount(ring, row) for row in rows]) / np.sqrt(counts)
    count = len(around) // WINDOW_VOX
    first = (len(around) - count * WINDOW_VOX) // 2
    pieces = around[first : first + count * WINDOW_VOX]
    windows = pieces.reshape(count, WINDOW_VOX, len(counts))
    if not count:
        return windows
    windows = windows - windows.mean(axis=(0, 1))
    scale = windows.std(axis=(1, 2), keepdims=True)
    return np.asarray(windows / np.maximum(scale, 1e-9))


def learn_section(filaments: Sequence[FloatArray]) -> Section | None:
    """Return the mean window of filaments, if it tells the way of those held out.

    ``filaments`` are the windows of each, from ``windows_along``, all one way round.
    """
    known = [f for f in filaments if len(f) >= LEAST_WINDOWS][:MOST_FILAMENTS]
    if len(known) < LEAST_FILAMENTS:
        return None
    gains = np.concatenate(
        [
            [_gains(f, mean).mean() for f in known[fold::FOLDS]]
            for fold in range(FOLDS)
            for mean in [
                _mean_of([f for n, f in enumerate(known) if n % FOLDS != fold])
            ]
        ]
    )
    error = gains.std(ddof=1) / math.sqrt(len(gains))
    if np.mean(gains > 0) < LEAST_RIGHT or gains.mean() < LEAST_SIGMA * error:
        return None
    return tuple(tuple(float(v) for v in row) for row in _mean_of(known))


def tell_way(windows: FloatArray, section: Section) -> float:
    """Return the probability that a filament goes as marked ones do.

    NaN of a short one. From the mean gain of its windows over the reversed section, by
    Student's t.
    """
    if len(windows) < LEAST_WINDOWS:
        return math.nan
    gains = _gains(windows, np.array(section))
    error = float(gains.std(ddof=1)) / math.sqrt(len(gains))
    return float(stats.t.cdf(gains.mean() / max(error, 1e-12), len(gains) - 1))


def _gains(windows: FloatArray, section: FloatArray) -> FloatArray:
    """Return ``(N,)``: by how much each window fits the section better than turned."""
    return _fit(windows, section)[1] - _fit(windows, section[::-1])[1]


def _fit(
    windows: FloatArray, section: FloatArray
) -> tuple[NDArray[np.intp], FloatArray]:
    """Return ``(N,)`` how far along each window fits best, and how well."""
    size = 2 * WINDOW_VOX
    product = np.fft.rfft(windows, size, axis=1) * np.conj(
        np.fft.rfft(section, size, axis=0)
    )
    found = np.fft.irfft(product.sum(axis=2), size, axis=1)
    half = WINDOW_VOX // 2
    near = np.concatenate([found[:, -half:], found[:, :half]], axis=1)
    best = near.argmax(axis=1)
    return best - half, near.max(axis=1)


def _mean_of(filaments: Sequence[FloatArray]) -> FloatArray:
    """Return the mean window of length 1 that all fit best, of several beginnings."""
    windows = np.concatenate(filaments)
    found = [_grown(windows, start) for start in range(STARTS)]
    return max(found, key=lambda mean: float(_fit(windows, mean)[1].mean()))


def _grown(windows: FloatArray, start: int) -> FloatArray:
    """Return what one window becomes as all are moved onto it, again and again."""
    mean = windows[(start * len(windows)) // STARTS]
    rows = np.arange(WINDOW_VOX)
    for _ in range(ROUNDS):
        shifts, _fits = _fit(windows, mean)
        moved = (rows + shifts[:, None]) % WINDOW_VOX
        mean = np.take_along_axis(windows, moved[:, :, None], axis=1).mean(axis=0)
        mean = mean - mean.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12))
