"""The voxels of each vesicle: a volume of labels, written plane by plane."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import mrcfile
import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray, Shape
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid
from etpicker_plugin.engine.volumes.mrc_fields import HEADER_BYTES

MODE = 6
"""MRC's number of uint16."""
MOST = 2**16 - 1


def mask_name(tomogram_id: str) -> str:
    """Return the file that a tomogram's labels are written to."""
    return f"{tomogram_id}_instances.mrc"


def write_labels(
    surfaces: Sequence[Ellipsoid], path: Path, *, shape_zyx: Shape, voxel_size: float
) -> None:
    """Write an MRC volume of labels (see ``label_planes``), a plane in memory at once.

    ``path`` is a temporary one, for whoever calls to rename.

    Raises
    ------
    InputDataError
        If there are more vesicles than labels.
    OSError
        If the file cannot be written.
    """
    if len(surfaces) > MOST:
        raise InputDataError(
            f"{path}: {len(surfaces)} vesicles, but a volume of labels holds {MOST} at "
            "most. Raise the threshold, or pick without it."
        )
    with mrcfile.new_mmap(path, shape_zyx, MODE, overwrite=True) as opened:
        opened.set_volume()
        opened.voxel_size = voxel_size
    sums, least, most = np.zeros(2), MOST, 0
    # A volume that is written through a map of it would stay in memory.
    with path.open("r+b") as stream:
        stream.seek(HEADER_BYTES)
        for plane in label_planes(surfaces, shape_zyx):
            stream.write(plane.tobytes())
            sums += plane.sum(dtype=float), np.square(plane, dtype=float).sum()
            least, most = min(least, int(plane.min())), max(most, int(plane.max()))
    mean, square = sums / math.prod(shape_zyx)
    with mrcfile.mmap(path, mode="r+") as opened:
        opened.header.dmin, opened.header.dmax = least, most
        opened.header.dmean = mean
        opened.header.rms = math.sqrt(max(square - mean**2, 0.0))


def label_planes(
    surfaces: Sequence[Ellipsoid], shape_zyx: Shape
) -> Iterator[NDArray[np.uint16]]:
    """Yield the planes of a volume: 0 outside, *i* in the *i*-th vesicle from 1.

    A voxel counts by its middle. Where one vesicle lies in another, the inner one,
    which is the smaller, has the voxel.

    Parameters
    ----------
    surfaces
        In voxels of the volume.
    """
    outer_first = sorted(range(len(surfaces)), key=lambda i: -surfaces[i].radius)
    reaches = [np.linalg.norm(np.linalg.inv(s.shape), axis=1) for s in surfaces]
    for z in range(shape_zyx[0]):
        plane = np.zeros(shape_zyx[1:], dtype=np.uint16)
        for i in outer_first:
            if abs(z - surfaces[i].centre[0]) <= reaches[i][0]:
                _paint(plane, z, surfaces[i], reaches[i], label=i + 1)
        yield plane


def _paint(
    plane: NDArray[np.uint16],
    z: int,
    surface: Ellipsoid,
    reach_zyx: FloatArray,
    *,
    label: int,
) -> None:
    """Label the voxels of a plane that lie in a vesicle."""
    low = np.maximum(np.ceil(surface.centre - reach_zyx)[1:], 0).astype(int)
    high = np.floor(surface.centre + reach_zyx)[1:].astype(int) + 1
    box = plane[low[0] : max(high[0], 0), low[1] : max(high[1], 0)]
    if box.size:
        yx = np.indices(box.shape).reshape(2, -1).T + low
        points = np.column_stack([np.full(len(yx), float(z)), yx])
        inside = np.linalg.norm((points - surface.centre) @ surface.shape, axis=1) <= 1
        box[inside.reshape(box.shape)] = label
