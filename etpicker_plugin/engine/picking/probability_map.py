"""The probability as MRC volumes on the tomogram's own grid, filled tile by tile."""

import math
from collections.abc import Sequence
from pathlib import Path

import mrcfile
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.picking.tiling import Tile
from etpicker_plugin.engine.volumes.working_volume import WorkingVolume


class ProbabilityMaps:
    """One float32 volume per class; a kill leaves finished tiles in it.

    The files carry their names only when ``finish`` has been called. They are mapped
    anew for each tile, so that memory does not grow with them.
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
        factor = 1.0 / (self._volume.scale * stride)
        offset = [
            first * factor - (start + (stride - 1) / 2) / stride
            for (first, _), start in zip(box, tile.read_start, strict=True)
        ]
        for path, channel in zip(self._paths, probability, strict=True):
            with mrcfile.mmap(_partial(path), mode="r+") as opened:
                opened.data[tuple(slice(a, b) for a, b in box)] = (
                    ndimage.affine_transform(
                        channel,
                        np.full(3, factor),
                        offset=offset,
                        output_shape=tuple(b - a for a, b in box),
                        order=1,
                        mode="nearest",
                    )
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
        """Make an empty volume, unless an unfinished run has left one."""
        partial, shape = _partial(path), self._volume.tomogram.shape_zyx
        try:
            if partial.exists():
                with mrcfile.mmap(partial, mode="r") as opened:
                    if opened.data.shape == shape:
                        return
            with mrcfile.new_mmap(partial, shape, mrc_mode=2, overwrite=True) as opened:
                opened.set_volume()
                opened.voxel_size = self._volume.tomogram.voxel_size
        except (OSError, ValueError) as error:
            raise ResourceError(
                f"The probability map {path} cannot be written: {error}. Free some "
                "space, or pick without probability maps."
            ) from error


def _partial(path: Path) -> Path:
    return path.with_name("." + path.name + ".part")
