"""The probability as MRC volumes on the tomogram's own grid, filled tile by tile."""

import math
import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import mrcfile
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.arrays import Shape, along_axes
from etpicker_plugin.engine.disk import NO_SPACE, cannot_write, open_own, reserve
from etpicker_plugin.engine.picking.tiling import Tile
from etpicker_plugin.engine.volumes.working_volume import WorkingVolume

HEADER_BYTES = 1024


class ProbabilityMaps:
    """One float32 volume per class; a kill leaves finished tiles in it.

    The disk sets their room aside before anything is computed. The files carry their
    names only when ``finish`` has been called. They are mapped anew for each tile, so
    that memory does not grow with them.
    """

    def __init__(self, paths: Sequence[Path], volume: WorkingVolume) -> None:
        self._paths = list(paths)
        self._volume = volume
        for path in self._paths:
            self._make(path)

    def write_tile(
        self, tile: Tile, probability: NDArray[np.float32], stride: int
    ) -> None:
        """Write what a tile keeps.

        Parameters
        ----------
        probability
            ``(C, z, y, x)`` over the tile's read box, at every ``stride``-th voxel.
        """
        box = [
            self._input_range(tile.keep_start[axis], tile.keep_stop[axis], axis)
            for axis in range(3)
        ]
        steps = along_axes(stride, self._volume.shape_zyx)
        factors = [1.0 / (self._volume.scale * step) for step in steps]
        offset = [
            first * factor - (start + (step - 1) / 2) / step
            for (first, _), start, step, factor in zip(
                box, tile.read_start, steps, factors, strict=True
            )
        ]
        for path, channel in zip(self._paths, probability, strict=True):
            with mrcfile.mmap(_partial(path), mode="r+") as opened:
                opened.data[tuple(slice(a, b) for a, b in box)] = _rescale(
                    channel, factors, offset, tuple(b - a for a, b in box)
                )

    def finish(self) -> None:
        """Give the volumes their names."""
        for path in self._paths:
            _partial(path).replace(path)

    def _input_range(self, start: int, stop: int, axis: int) -> tuple[int, int]:
        """Return the input voxels nearest to working voxels ``[start, stop)``."""
        return self._boundary(start, axis), self._boundary(stop, axis)

    def _boundary(self, index: int, axis: int) -> int:
        if index <= 0:
            return 0
        if index >= self._volume.shape_zyx[axis]:
            return self._volume.tomogram.shape_zyx[axis]
        return math.ceil((index - 0.5) * self._volume.scale)

    def _make(self, path: Path) -> None:
        """Make an empty volume, unless an unfinished run has left one.

        Raises
        ------
        ResourceError
            If there is no room for it; nothing of it is left then.
        """
        partial, shape = _partial(path), self._volume.tomogram.shape_zyx
        size = HEADER_BYTES + 4 * math.prod(shape)
        try:
            os.close(open_own(partial, os.O_RDWR | os.O_CREAT))
            if not _holds_volume(partial, shape):
                with mrcfile.new_mmap(partial, shape, 2, overwrite=True) as opened:
                    opened.set_volume()
                    opened.voxel_size = self._volume.tomogram.voxel_size
            reserve(partial, size)
        except OSError as error:
            if error.errno in NO_SPACE:
                partial.unlink(missing_ok=True)
            raise cannot_write(
                f"The probability map {path}",
                path,
                error,
                needed=size * len(self._paths),
                instead="pick without probability maps",
            ) from error


def _rescale(
    channel: NDArray[np.float32],
    factors: Sequence[float],
    offset: Sequence[float],
    shape: tuple[int, ...],
) -> NDArray[np.float32]:
    """Return a volume at voxels ``factors * i + offset`` of another."""
    with warnings.catch_warnings():
        # SciPy tells of every diagonal matrix that it once meant something else.
        warnings.simplefilter("ignore", UserWarning)
        return ndimage.affine_transform(
            channel,
            np.array(factors),
            offset=offset,
            output_shape=shape,
            order=1,
            mode="nearest",
        )


def take_back(paths: Sequence[Path]) -> bool:
    """Go on with maps that a killed run has left; tell whether all are there.

    Those that it had named already, and without their tomogram's picks, lose the name.
    """
    for path in paths:
        if path.exists() and not _partial(path).exists():
            path.replace(_partial(path))
    return all(_partial(path).exists() for path in paths)


def forget_maps(paths: Sequence[Path]) -> None:
    """Remove what an unfinished run has left of maps that are not asked for now."""
    for path in paths:
        _partial(path).unlink(missing_ok=True)


def _holds_volume(path: Path, shape: Shape) -> bool:
    """Tell whether an unfinished run has left a volume of this size."""
    try:
        with mrcfile.mmap(path, mode="r") as opened:
            return bool(opened.data is not None and opened.data.shape == shape)
    except ValueError:
        return False


def _partial(path: Path) -> Path:
    return path.with_name("." + path.name + ".part")
