"""The probability as MRC volumes on the tomogram's own grid, filled tile by tile."""

import math
from collections.abc import Sequence
from pathlib import Path

import mrcfile
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.io.working_volume import WorkingVolume
from etpicker_plugin.engine.picking.tiling import Tile


class ProbabilityMaps:
    """One memory-mapped float32 volume per class; a kill leaves finished tiles in it.

    The files carry their names only when ``finish`` has been called.
    """

    def __init__(self, paths: Sequence[Path], volume: WorkingVolume) -> None:
        self._paths = list(paths)
        self._volume = volume
        self._maps = [self._open(path) for path in self._paths]

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
        for opened, channel in zip(self._maps, probability, strict=True):
            opened.data[tuple(slice(a, b) for a, b in box)] = ndimage.affine_transform(
                channel,
                np.full(3, factor),
                offset=offset,
                output_shape=tuple(b - a for a, b in box),
                order=1,
                mode="nearest",
            )

    def finish(self) -> None:
        """Close the volumes and give them their names."""
        for path, opened in zip(self._paths, self._maps, strict=True):
            opened.close()
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

    def _open(self, path: Path) -> mrcfile.mrcmemmap.MrcMemmap:
        partial, shape = _partial(path), self._volume.tomogram.shape_zyx
        try:
            if partial.exists():
                opened = mrcfile.mmap(partial, mode="r+")
                if opened.data.shape == shape:
                    return opened
                opened.close()
            opened = mrcfile.new_mmap(partial, shape, mrc_mode=2, overwrite=True)
            opened.set_volume()
            opened.voxel_size = self._volume.tomogram.voxel_size
            opened.flush()  # a killed run must leave a readable header
        except (OSError, ValueError) as error:
            raise ResourceError(
                f"The probability map {path} cannot be written: {error}. Free some "
                "space, or pick without probability maps."
            ) from error
        return opened


def _partial(path: Path) -> Path:
    return path.with_name("." + path.name + ".part")
