"""Small pictures of particles, read when they come into sight."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.window.document.volume import VolumeFile
from etpicker_plugin.window.drawing.slices import Look, to_grey

MARGIN = 1.7
"""Width of the picture in particle diameters."""

THICKNESS = 0.3
"""Averaged along z, in diameters."""


def cut_thumbnail(
    volume: VolumeFile,
    position_zyx: Sequence[float],
    *,
    diameter_ang: float,
    look: Look,
) -> NDArray[np.uint8]:
    """Return a square xy picture ``(s, s)``, y upwards; black outside the tomogram.

    Raises
    ------
    InputDataError
        If the tomogram can no longer be read.
    """
    diameter = diameter_ang / volume.voxel_size
    half = np.array([THICKNESS, MARGIN, MARGIN]) * diameter / 2
    first = np.rint(np.asarray(position_zyx) - half).astype(int)
    last = np.rint(np.asarray(position_zyx) + half).astype(int) + 1
    start = np.clip(first, 0, volume.shape_zyx)
    stop = np.clip(last, start, volume.shape_zyx)
    z, y, x = (slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
    picture = np.zeros(last[1:] - first[1:], dtype=np.uint8)
    mean = volume.read((z, y, x)).mean(axis=0, dtype=np.float32)
    (top, left), (height, width) = (start - first)[1:], mean.shape
    picture[top : top + height, left : left + width] = to_grey(mean, look)
    return picture[::-1]
