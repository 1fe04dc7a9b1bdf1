"""Boxes cut out of a volume, centred to a fraction of a voxel and rescaled.

A box has the particle's centre on voxel ``box // 2`` of each axis, RELION's centre.
Voxels between the tomogram's are interpolated as a Fourier shift does: the block
around a particle is taken for one period of a band-limited function, which is exact
up to the block's Nyquist frequency. Larger box voxels cut the frequencies that they
cannot hold (Fourier cropping), so rescaling does not alias. Boxes of a micrograph are
one slice thick, as it is.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray, Shape, along_axes

Box = NDArray[np.float32]


class Sliceable(Protocol):
    """A volume as an array has it: its shape, and boxes of it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Size in voxels."""

    def __getitem__(self, box: tuple[slice, slice, slice], /) -> NDArray[np.generic]:
        """Return a box."""


MARGIN_VOX = 8
"""Voxels around a box that are interpolated with it: the block is not periodic."""


def find_inside(
    positions_zyx: FloatArray,
    shape_zyx: tuple[int, ...],
    *,
    box: int,
    scale: float = 1.0,
) -> NDArray[np.bool_]:
    """Tell which boxes lie wholly within a volume.

    Parameters
    ----------
    positions_zyx
        ``(N, 3)`` voxels of the volume.
    box
        Edge in box voxels, even.
    scale
        Box voxel size over the volume's.

    Returns
    -------
    ndarray
        ``(N,)``, false for particles at an edge.
    """
    edges = np.asarray(along_axes(box, shape_zyx))
    first = positions_zyx - edges // 2 * scale
    last = positions_zyx + (edges - 1 - edges // 2) * scale
    inside = (first >= 0) & (last <= np.asarray(shape_zyx) - 1)
    return np.asarray(inside.all(axis=1))


def crop_boxes(
    volume: Sliceable,
    positions_zyx: FloatArray,
    *,
    box: int,
    scale: float = 1.0,
) -> tuple[Box, NDArray[np.intp]]:
    """Cut boxes out of a volume, each centred on its particle.

    Parameters
    ----------
    volume
        ``(Z, Y, X)``, an array or read box by box (``TomogramBoxes``).
    positions_zyx
        ``(N, 3)`` voxels of the volume.
    box
        Edge in box voxels, even.
    scale
        Box voxel size over the volume's, 1 or more.

    Returns
    -------
    boxes
        ``(M, box, box, box)`` float32 of the particles whose box is whole; of a
        micrograph ``(M, 1, box, box)``.
    left_out
        ``(N - M,)`` indices of the others: a box is never padded.
    """
    inside = find_inside(positions_zyx, volume.shape, box=box, scale=scale)
    edges = along_axes(box, volume.shape)
    boxes = np.empty((np.count_nonzero(inside), *edges), np.float32)
    for number, position in enumerate(positions_zyx[inside]):
        boxes[number] = _crop(volume, position, edges=edges, scale=scale)
    return boxes, np.flatnonzero(~inside)


def periodic_sinc(
    places: FloatArray, size: int, *, highest: int
) -> NDArray[np.float64]:
    """Return the weights that interpolate a periodic, band-limited function.

    The Dirichlet kernel sin((2K + 1)πd/M) / (M sin(πd/M)), K = ``highest``, over the
    distance d of a place from each of M samples.

    Parameters
    ----------
    places
        ``(P,)``, in samples.
    size
        Number of samples M, odd: an even number has a Nyquist term of two meanings.
    highest
        Highest frequency kept, in periods per M samples.

    Returns
    -------
    ndarray
        ``(P, M)``.
    """
    angle = np.pi * (places[:, None] - np.arange(size)) / size
    below = np.sin(angle)
    zero = np.abs(below) < 1e-9
    safe = np.where(zero, 1.0, below)
    kernel = np.sin((2 * highest + 1) * angle) / safe / size
    return np.asarray(np.where(zero, (2 * highest + 1) / size, kernel))


def _crop(
    volume: Sliceable, position: FloatArray, *, edges: Shape, scale: float
) -> Box:
    starts, stops, weights = [], [], []
    for centre, edge in zip(position, edges, strict=True):
        places = centre + (np.arange(edge) - edge // 2) * scale
        margin = MARGIN_VOX if edge > 1 else 0
        start = int(np.floor(places[0])) - margin
        size = int(np.ceil(places[-1])) + margin + 1 - start
        size += 1 - size % 2
        highest = min(int(size / (2 * scale)), size // 2)
        starts.append(start)
        stops.append(start + size)
        weights.append(periodic_sinc(places - start, size, highest=highest))
    block = read_padded(volume, starts, stops)
    cropped = np.einsum("az,by,cx,zyx->abc", *weights, block, optimize=True)
    return np.asarray(cropped, dtype=np.float32)


def read_padded(volume: Sliceable, starts: list[int], stops: list[int]) -> FloatArray:
    """Read a block; where it reaches beyond the volume, the face's voxels repeat."""
    z, y, x = (
        slice(max(a, 0), min(b, n))
        for a, b, n in zip(starts, stops, volume.shape, strict=True)
    )
    beyond = [
        (part.start - a, b - part.stop)
        for part, a, b in zip((z, y, x), starts, stops, strict=True)
    ]
    block = np.asarray(volume[z, y, x], dtype=np.float64)
    return np.pad(block, beyond, mode="edge")
