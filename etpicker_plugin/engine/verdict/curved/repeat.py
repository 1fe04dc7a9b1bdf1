"""The repeat along filaments, and whether the step of the picks is a multiple of it.

Density is read along each curve, at many places across it. A repeat stands out of its
power spectrum as a narrow peak over that of the control, whatever the repeat's phase at
each place, so a helix shows it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.filaments.curve import curve_through
from etpicker_plugin.engine.filaments.straight import read_along
from etpicker_plugin.engine.subtomograms.boxes import Sliceable, read_padded

SEGMENT_VOX = 64
"""Length of a piece of a curve whose spectrum is taken."""
PADDED = 4
"""Times a segment: a peak is found between its frequencies."""
FEWEST_CYCLES = 5
"""In a segment; fewer are the filament's own ups and downs."""
HIGHEST = 0.4
"""Cycles per voxel; beyond that little is left of the density."""
SURE = 6.0
"""Deviations of the spectrum, by which a repeat exceeds it."""
BASELINE = 0.25
"""Of the spectrum's length, over which its median is taken."""
RESAMPLES = 200


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """A repeat along the filaments of a set, Å; ``n`` filaments show it."""

    period_ang: float
    error_ang: float
    n: int


def spectra_of(rows: FloatArray) -> FloatArray:
    """Return ``(S, F)``: power along the curve of its S segments, half overlapping."""
    window = np.hanning(SEGMENT_VOX)[:, None]
    spectra = []
    for first in range(0, len(rows) - SEGMENT_VOX + 1, SEGMENT_VOX // 2):
        part = rows[first : first + SEGMENT_VOX]
        spectrum = np.fft.rfft(
            (part - part.mean(axis=0)) * window, n=PADDED * SEGMENT_VOX, axis=0
        )
        spectra.append((np.abs(spectrum) ** 2).mean(axis=1))
    empty = np.zeros((0, PADDED * SEGMENT_VOX // 2 + 1))
    return np.stack(spectra) if spectra else empty


def power_along(
    volume: Sliceable, points_zyx: FloatArray, *, radius_vox: float
) -> FloatArray:
    """Return the sum of a curve's spectra, ``(F,)``, and 0 of one that is too short."""
    if len(points_zyx) < 2:
        return spectra_of(np.zeros((0, 1))).sum(axis=0)
    rows = read_along(
        lambda low, high: read_padded(volume, list(low), list(high)),
        curve_through(points_zyx),
        radius_vox=radius_vox,
    )
    return spectra_of(rows).sum(axis=0)


def find_repeat(
    powers: Sequence[FloatArray],
    control: Sequence[FloatArray],
    *,
    voxel_size: float,
    seed: int,
) -> Repeat | None:
    """Return the surest repeat of a set's filaments, if there is a sure one.

    Parameters
    ----------
    powers, control
        Of each filament, and of each one moved aside: ``(F,)`` from ``power_along``.
    voxel_size
        Å.
    """
    own = np.array([p for p in powers if p.any()])
    beside = np.array([p for p in control if p.any()])
    if not len(own) or not len(beside):
        return None
    floor = np.log(beside.sum(axis=0))
    surest = _peak(own, floor)
    if surest is None:
        return None
    generator = np.random.default_rng(seed)
    drawn = [
        _place(_excess(own[generator.integers(len(own), size=len(own))], floor), surest)
        for _ in range(RESAMPLES)
    ]
    to_ang = PADDED * SEGMENT_VOX * voxel_size
    periods = to_ang / np.array(drawn)
    return Repeat(
        period_ang=float(to_ang / _place(_excess(own, floor), surest)),
        error_ang=float(max(periods.std(), 0.01 * voxel_size)),
        n=len(own),
    )


def _used() -> slice:
    return slice(FEWEST_CYCLES * PADDED, int(HIGHEST * PADDED * SEGMENT_VOX))


def _excess(powers: FloatArray, floor: FloatArray) -> FloatArray:
    """Return by how much the logarithm of the power exceeds its surroundings."""
    ratio = np.log(powers.sum(axis=0)) - floor
    used = ratio[_used()]
    wide = 2 * int(BASELINE * len(used) / 2) + 1
    excess = np.full(len(ratio), -np.inf)
    excess[_used()] = used - ndimage.median_filter(used, wide, mode="nearest")
    return excess


def _peak(powers: FloatArray, floor: FloatArray) -> int | None:
    """Return at which frequency the surest repeat is."""
    excess = _excess(powers, floor)
    used = excess[_used()]
    deviation = 1.4826 * np.median(np.abs(used - np.median(used)))
    best = int(np.argmax(excess))
    at_edge = best in (_used().start, _used().stop - 1)
    return None if at_edge or excess[best] < SURE * deviation else best


def _place(excess: FloatArray, near: int) -> float:
    """Return where a peak is, between frequencies, within a segment's resolution."""
    low, high = _used().start + 1, _used().stop - 2
    first = max(near - PADDED, low)
    top = first + int(np.argmax(excess[first : min(near + PADDED, high) + 1]))
    below, at, above = excess[top - 1 : top + 2]
    bend = below - 2 * at + above
    return top + (0.5 * (below - above) / bend if bend < 0 else 0.0)
