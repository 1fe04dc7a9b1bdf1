"""A tomogram as the network sees it: normalised, at the working voxel size.

Nothing is read until a box is asked for, and then only what that box needs, so
memory does not grow with the tomogram. A box holds the same values whatever other
boxes were read before or how large it is. Of a micrograph, which is small, all is read
at once, and its background is taken away.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.background import without_background
from etpicker_plugin.engine.volumes.blank_border import (
    fill_border,
    inside_of,
    rescaled,
)
from etpicker_plugin.engine.volumes.resampling import blur_reach, resampling_matrix
from etpicker_plugin.engine.volumes.tomogram import (
    Tomogram,
    read_box,
    read_whole,
    slabs,
)

SAME_VOXEL_SIZE = 0.03
"""Voxel sizes nearer than this share are taken as equal: no resampling."""

MOST_COARSER, MOST_FINER = 6.0, 30.0
"""How much coarser or finer than the working voxel size a tomogram's may be: what is
18 working voxels wide has 3 voxels in a tomogram six times as coarse."""

STATISTICS_SAMPLES = 4_000_000
STATISTICS_PLANES = 16
LEAST_WORKING_SD = 1e-3
CLIP_PERCENTILES = (0.1, 99.9)
CLIP_SD = 6.0
SLAB_VOXELS = 16_000_000

PART_VOXELS = 2_000_000
MOST_READERS = 8
"""A box is read in parts of so many voxels, so many side by side."""


@dataclass(frozen=True, kw_only=True)
class WorkingVolume:
    """A tomogram with the numbers that normalise and rescale it.

    Attributes
    ----------
    mean, sd
        Of the input voxels, cut off at the 0.1th and 99.9th percentile, so that gold
        beads do not set the scale.
    working_mean, working_sd
        The same of the rescaled voxels, in units of ``sd``: what is averaged out on the
        way to a coarser grid is mostly noise, and how much of it there was must not
        decide how bright a particle looks to the network.
    scale
        Working voxel size over the tomogram's. Working voxel *i* lies on input voxel
        ``i * scale``: the two grids share the centre of their first voxel.
    shape_zyx
        Size in working voxels.
    plane
        ``(1, Y, X)`` all normalised voxels of a micrograph.
    """

    tomogram: Tomogram
    mean: float
    sd: float
    scale: float
    shape_zyx: tuple[int, int, int]
    working_mean: float = 0.0
    working_sd: float = 1.0
    plane: NDArray[np.float32] | None = None

    def read(
        self, start_zyx: tuple[int, ...], stop_zyx: tuple[int, ...]
    ) -> NDArray[np.float32]:
        """Return a box of normalised voxels; outside the volume it is 0, the mean."""
        inside = [
            (max(a, 0), min(b, n))
            for a, b, n in zip(start_zyx, stop_zyx, self.shape_zyx, strict=True)
        ]
        box = np.zeros(np.subtract(stop_zyx, start_zyx), dtype=np.float32)
        if all(a < b for a, b in inside):
            target = tuple(
                slice(a - start, b - start)
                for (a, b), start in zip(inside, start_zyx, strict=True)
            )
            if self.plane is not None:
                box[target] = self.plane[_slices(inside)]
            elif self.scale == 1.0:
                self._fill(box[target], inside)
            else:
                box[target] = self._resample(inside)
        return box

    def _fill(self, into: NDArray[np.float32], inside: list[tuple[int, int]]) -> None:
        """Read and normalise a box, its parts side by side.

        One core takes longer for a large box than a GPU's network does.
        """
        (z_start, z_stop), *plane = inside
        step = max(PART_VOXELS // max(into[0].size, 1), 1)
        starts = range(z_start, z_stop, step)

        def fill(start: int) -> None:
            stop = min(start + step, z_stop)
            values = read_box(self.tomogram, _slices([(start, stop), *plane]))
            part = into[start - z_start : stop - z_start]
            part[...] = values
            _standard_score(part, self.mean, self.sd)

        if len(starts) == 1:
            fill(z_start)
            return
        with ThreadPoolExecutor(min(len(starts), MOST_READERS)) as pool:
            list(pool.map(fill, starts))

    def _resample(self, inside: list[tuple[int, int]]) -> NDArray[np.float32]:
        margin = blur_reach(self.scale) + 2
        source = [
            (
                max(int(np.floor(a * self.scale)) - margin, 0),
                min(int(np.ceil((b - 1) * self.scale)) + margin + 1, n),
            )
            for (a, b), n in zip(inside, self.tomogram.shape_zyx, strict=True)
        ]
        values = read_box(self.tomogram, _slices(source)).astype(np.float32)
        _standard_score(values, self.mean, self.sd)
        along_z, along_y, along_x = (
            resampling_matrix(box, read, scale=self.scale, length=n)
            for box, read, n in zip(
                inside, source, self.tomogram.shape_zyx, strict=True
            )
        )
        flat = along_z @ values.reshape(len(values), -1)
        planes = flat.reshape(-1, *values.shape[1:])
        resampled: NDArray[np.float32] = (along_y @ planes) @ along_x.T
        return _standard_score(resampled, self.working_mean, self.working_sd)

    def to_working(self, positions_zyx: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert input voxels to working voxels."""
        return positions_zyx / self.scale

    def to_input(self, positions_zyx: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert working voxels to input voxels."""
        return positions_zyx * self.scale


def open_working_volume(tomogram: Tomogram, working_voxel_size: float) -> WorkingVolume:
    """Measure what normalises a tomogram; check every voxel once, slab by slab.

    Raises
    ------
    InputDataError
        If voxels are NaN or infinite, all equal, or much coarser or finer than the
        working ones, or a tomogram, or the plane of a micrograph, would be thinner
        than two of those.
    """
    check_scale(tomogram, working_voxel_size)
    if tomogram.is_flat:
        return _open_micrograph(tomogram, working_voxel_size)
    volume = _measured(tomogram, working_voxel_size)
    if volume.scale == 1.0:
        return volume
    mean, sd = cut_off_statistics(_sample_planes(volume))
    return replace(volume, working_mean=mean, working_sd=max(sd, LEAST_WORKING_SD))


def _measured(tomogram: Tomogram, working_voxel_size: float) -> WorkingVolume:
    """Return a volume normalised by its input voxels."""
    check_finite(tomogram)
    mean, sd = clipped_statistics(tomogram)
    scale = working_voxel_size / tomogram.voxel_size
    if abs(scale - 1.0) < SAME_VOXEL_SIZE:
        scale = 1.0
    z, y, x = (int((n - 1) / scale + 1e-9) + 1 for n in tomogram.shape_zyx)
    if min(y, x) < 2 or (z < 2 and not tomogram.is_flat):
        raise InputDataError(
            f"{tomogram.title}: size (z, y, x) {tomogram.shape_zyx} at "
            f"{tomogram.voxel_size:g} Å is {(z, y, x)} at the working voxel size of "
            f"{working_voxel_size:g} Å, too thin. Check the voxel size."
        )
    return WorkingVolume(
        tomogram=tomogram, mean=mean, sd=sd, scale=scale, shape_zyx=(z, y, x)
    )


def _open_micrograph(tomogram: Tomogram, working_voxel_size: float) -> WorkingVolume:
    """Return a micrograph with its plane, read once; its blank border is 0."""
    image = read_whole(tomogram)[0]
    inside = inside_of(image)
    filled = fill_border(image, inside)[None]
    in_memory = replace(tomogram, data=filled, file=None, stored_axes=(0, 1, 2))
    volume = _measured(in_memory, working_voxel_size)
    plane = volume.read((0, 0, 0), volume.shape_zyx)
    seen = rescaled(inside, volume.scale)
    if not plane[0][seen].size:
        raise InputDataError(
            f"{tomogram.title}: blank but for a line. It holds no image; give another."
        )
    np.clip(without_background(plane[0], seen), -CLIP_SD, CLIP_SD, out=plane[0])
    return replace(volume, tomogram=tomogram, plane=plane)


def _standard_score(
    values: NDArray[np.float32], mean: float, sd: float
) -> NDArray[np.float32]:
    """Return, in place, how many standard deviations each value is from the mean."""
    values -= np.float32(mean)
    values /= np.float32(sd)
    return np.clip(values, -CLIP_SD, CLIP_SD, out=values)


def _sample_planes(volume: WorkingVolume) -> NDArray[np.float32]:
    """Read xy planes that are spread evenly through a volume."""
    nz, ny, nx = volume.shape_zyx
    number = min(STATISTICS_PLANES, nz)
    middles = ((np.arange(number) + 0.5) * nz / number).astype(int).tolist()
    planes = [volume.read((z, 0, 0), (z + 1, ny, nx)) for z in middles]
    return np.concatenate(planes)


def check_scale(tomogram: Tomogram, working_voxel_size: float) -> None:
    """Refuse a voxel size that is out of all reason for what works on it.

    Raises
    ------
    InputDataError
        Naming both.
    """
    voxel_size = tomogram.voxel_size
    low, high = working_voxel_size / MOST_FINER, working_voxel_size * MOST_COARSER
    if not low <= voxel_size <= high:
        raise InputDataError(
            f"{tomogram.title}: {voxel_size:g} Å per voxel, but the network "
            f"works at {working_voxel_size:.4g} Å. Expected {low:.3g} to {high:.3g} Å: "
            "check the voxel size, or bin the tomogram otherwise."
        )


def check_finite(tomogram: Tomogram) -> None:
    """Refuse a volume with NaN or infinite voxels.

    Raises
    ------
    InputDataError
        Naming the first slice that holds one.
    """
    if tomogram.data.dtype.kind != "f":
        return
    for box in slabs(tomogram, SLAB_VOXELS):
        finite = np.isfinite(read_box(tomogram, box))
        if not finite.all():
            bad = (box[0].start or 0) + int(np.argmin(finite.all(axis=(1, 2))))
            raise InputDataError(
                f"{tomogram.title}: {int((~finite).sum())} voxels are NaN or "
                f"infinite, the first in slice z={bad}. Reconstruct it again or "
                "replace them by the mean."
            )


def clipped_statistics(tomogram: Tomogram) -> tuple[float, float]:
    """Return mean and standard deviation, cut off at two outer percentiles.

    They are taken from a regular grid of at most about four million voxels.

    Raises
    ------
    InputDataError
        If all voxels are equal.
    """
    step = int(np.ceil((np.prod(tomogram.shape_zyx) / STATISTICS_SAMPLES) ** (1 / 3)))
    sections = slabs(tomogram, 1, every=max(step, 1))
    sample = np.concatenate(
        [read_box(tomogram, box).ravel() for box in sections]
    ).astype(np.float32)
    mean, sd = cut_off_statistics(sample)
    if sd <= 1e-6 * max(abs(mean), 1e-30):
        raise InputDataError(
            f"{tomogram.title}: all voxels are {mean:g}. It holds no image; "
            "give the reconstruction, or the exposure."
        )
    return mean, sd


def cut_off_statistics(sample: NDArray[np.float32]) -> tuple[float, float]:
    """Return mean and standard deviation of values cut off at two percentiles."""
    clipped = np.clip(sample, *np.percentile(sample, CLIP_PERCENTILES))
    return float(clipped.mean(dtype=np.float64)), float(clipped.std(dtype=np.float64))


def _slices(box: list[tuple[int, int]]) -> tuple[slice, slice, slice]:
    z, y, x = (slice(a, b) for a, b in box)
    return z, y, x
