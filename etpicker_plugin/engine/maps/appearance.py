"""How tomograms look: power spectrum, missing wedge, and where the sample is.

All grey values here are in standard deviations about the mean of the sample's slices.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.maps.tilts import find_wedge
from etpicker_plugin.engine.volumes.array_volume import Readable
from etpicker_plugin.engine.volumes.tomogram import Tomogram, read_box

logger = logging.getLogger(__name__)

BLOCK = 64
MOST_BLOCKS = 60
SAMPLE_SHARE = 0.6
"""Of the strongest slices' fine contrast: slices with less are above or below the
sample."""

Volume = NDArray[np.float32]
Box = tuple[slice, slice, slice]
Read = Callable[[Box], NDArray[Any]]


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
    return _measure(
        partial(read_box, tomogram),
        tomogram.shape_zyx,
        voxel_size=tomogram.voxel_size,
        what=f"Tomogram {tomogram.path}",
    )


def measure_volume(volume: Readable, voxel_size: float) -> Appearance:
    """Measure a volume that is read as networks do (see ``measure``)."""

    def read(box: Box) -> NDArray[np.float32]:
        return volume.read(tuple(s.start for s in box), tuple(s.stop for s in box))

    return _measure(
        read, volume.shape_zyx, voxel_size=voxel_size, what="A rescaled tomogram"
    )


def _measure(read: Read, shape: Shape, *, voxel_size: float, what: str) -> Appearance:
    sample_z = _find_sample(read, shape)
    blocks = _read_blocks(read, shape, sample_z)
    mean, deviation = float(blocks.mean()), float(blocks.std())
    if not np.isfinite(deviation) or deviation <= 0:
        raise InputDataError(
            f"{what}: its grey values are all the same, or some are "
            "NaN. Give a reconstructed tomogram."
        )
    power = _power_of((blocks - mean) / deviation)
    axis, tilts = find_wedge(power)
    return Appearance(
        voxel_size=voxel_size,
        mean=mean,
        deviation=deviation,
        sample_z=sample_z,
        power=power,
        tilt_axis=axis,
        tilt_range=tilts,
    )


def _find_sample(read: Read, shape: Shape) -> tuple[int, int]:
    """Return the slices that hold the sample: those of strong fine contrast."""
    depth, height, width = shape
    edge = 256
    y, x = max((height - edge) // 2, 0), max((width - edge) // 2, 0)
    strength = np.empty(depth)
    for z in range(depth):
        rows, columns = slice(y, min(y + edge, height)), slice(x, min(x + edge, width))
        image = np.asarray(read((slice(z, z + 1), rows, columns))[0], np.float32)
        fine = ndimage.gaussian_filter(image, 1.0) - ndimage.gaussian_filter(image, 4.0)
        strength[z] = fine.std()
    strength = ndimage.uniform_filter1d(strength, min(5, depth))
    inside = np.flatnonzero(strength >= SAMPLE_SHARE * np.percentile(strength, 90))
    if not len(inside):
        return 0, depth
    first, last = int(inside[0]), int(inside[-1]) + 1
    # Too thin to be a sample: the contrast says nothing.
    return (first, last) if last - first >= depth // 4 else (0, depth)


def _read_blocks(
    read: Read, shape: Shape, sample_z: tuple[int, int]
) -> NDArray[np.float32]:
    """Return ``(N, B, B, B)`` blocks spread over the sample."""
    depth, height, width = shape
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
        z, y, x = (
            slice(s, min(s + BLOCK, n)) for s, n in zip(starts[i], shape, strict=True)
        )
        values = np.asarray(read((z, y, x)), dtype=np.float32)
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
