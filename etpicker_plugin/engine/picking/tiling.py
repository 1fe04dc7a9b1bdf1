"""Overlap-tile: which boxes to read, and which part of each to keep."""

from dataclasses import dataclass
from itertools import product

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Tile:
    """One box: ``read`` goes through the network, peaks in ``keep`` are kept.

    Both are ``(start, stop)`` in zyx voxels. The keeps of a plan partition the
    volume; a read is its keep with the halo, cut at the volume's padded faces.
    """

    read_start: Shape
    read_stop: Shape
    keep_start: Shape
    keep_stop: Shape


def padded_length(length: int, alignment: int) -> int:
    """Round a length up to the network's grid."""
    return -(-length // alignment) * alignment


def split_axis(
    length: int,
    *,
    edge: int,
    halo: int,
    alignment: int,
    first: int = 0,
    last: int | None = None,
) -> list[tuple[int, int, int, int]]:
    """Cut one axis into ``(read start, read stop, keep start, keep stop)``.

    ::

        volume   |0                               length|  padded
        keep     |--------|--------|--------|-----------|
        read     |--------^hhhh|
                     |hhhh^--------^hhhh|

    Every start is a multiple of ``alignment``, so that the strided layers fall on the
    same grid in every tile, and a read ends at the volume's padded end at most.

    Parameters
    ----------
    edge
        Longest keep; rounded down to a multiple of ``alignment``.
    first, last
        Part of the axis to keep; ``first`` is a multiple of ``alignment``.
    """
    last = length if last is None else last
    edge = max(edge // alignment, 1) * alignment
    count = -(-(last - first) // edge)
    edge = padded_length(-(-(last - first) // count), alignment)
    halo = padded_length(halo, alignment)
    padded = padded_length(length, alignment)
    return [
        (
            max(start - halo, 0),
            min(start + edge + halo, padded),
            start,
            min(start + edge, last),
        )
        for start in range(first, last, edge)
    ]


def plan_tiles(
    shape: Shape,
    *,
    edge: int,
    halo: int,
    alignment: int,
    region: tuple[Shape, Shape] | None = None,
) -> list[Tile]:
    """Return the tiles of a volume, or of a region of it, z slowest.

    Parameters
    ----------
    shape
        Volume ``(Z, Y, X)`` in working voxels.
    edge, halo, alignment
        Longest keep, overlap on each side, grid of the network; voxels.
    region
        ``(start, stop)``, starts on the network's grid; the whole volume without it.
    """
    start, stop = region or ((0, 0, 0), shape)
    axes = [
        split_axis(n, edge=edge, halo=halo, alignment=alignment, first=a, last=b)
        for n, a, b in zip(shape, start, stop, strict=True)
    ]
    return [
        Tile(
            read_start=(z[0], y[0], x[0]),
            read_stop=(z[1], y[1], x[1]),
            keep_start=(z[2], y[2], x[2]),
            keep_stop=(z[3], y[3], x[3]),
        )
        for z, y, x in product(*axes)
    ]


def largest_read(tiles: list[Tile]) -> int:
    """Return the number of voxels of a plan's largest read."""
    return max(
        (t.read_stop[0] - t.read_start[0])
        * (t.read_stop[1] - t.read_start[1])
        * (t.read_stop[2] - t.read_start[2])
        for t in tiles
    )


def edge_for_memory(
    shape: Shape, *, most_voxels: int, halo: int, alignment: int
) -> int:
    """Return the longest edge whose largest read has at most ``most_voxels``.

    Halves down to ``alignment``, which is returned even if it is still too large.
    """
    edge = padded_length(max(shape), alignment)
    while edge > alignment:
        tiles = plan_tiles(shape, edge=edge, halo=halo, alignment=alignment)
        if largest_read(tiles) <= most_voxels:
            return edge
        edge = max(edge * 3 // 4 // alignment, 1) * alignment
    return alignment
