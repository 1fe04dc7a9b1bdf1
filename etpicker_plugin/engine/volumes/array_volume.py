"""A working volume held in memory, for training's many small reads."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.volumes.working_volume import WorkingVolume


class Readable(Protocol):
    """What picking needs of a volume: its size, and boxes of it."""

    @property
    def shape_zyx(self) -> Shape:
        """Size in working voxels."""

    @property
    def scale(self) -> float:
        """Working voxel size over the tomogram's own: below 1 it was interpolated."""

    def read(
        self, start_zyx: tuple[int, ...], stop_zyx: tuple[int, ...]
    ) -> NDArray[np.float32]:
        """Return a box; outside the volume it is 0."""


@dataclass(frozen=True)
class ArrayVolume:
    """A ``(Z, Y, X)`` array with the reads of a ``WorkingVolume``."""

    data: NDArray[np.float16] | NDArray[np.bool_]
    scale: float = 1.0

    @property
    def shape_zyx(self) -> Shape:
        """Size in voxels."""
        z, y, x = self.data.shape
        return z, y, x

    def read(
        self, start_zyx: tuple[int, ...], stop_zyx: tuple[int, ...]
    ) -> NDArray[np.float32]:
        """Return a box as float32; outside the volume it is 0."""
        box = np.zeros(np.subtract(stop_zyx, start_zyx), dtype=np.float32)
        source, target = [], []
        for a, b, n in zip(start_zyx, stop_zyx, self.data.shape, strict=True):
            first, last = min(max(a, 0), n), max(min(b, n), 0)
            source.append(slice(first, max(first, last)))
            target.append(slice(first - a, max(first, last) - a))
        box[tuple(target)] = self.data[tuple(source)]
        return box


def load_into_memory(volume: WorkingVolume) -> ArrayVolume:
    """Read a whole working volume as float16, slab by slab."""
    data = np.empty(volume.shape_zyx, dtype=np.float16)
    thickness = max(1, 16_000_000 // (volume.shape_zyx[1] * volume.shape_zyx[2]))
    for z in range(0, len(data), thickness):
        last = min(z + thickness, len(data))
        data[z:last] = volume.read((z, 0, 0), (last, *volume.shape_zyx[1:]))
    return ArrayVolume(data, scale=volume.scale)
