"""Overlap-tile: which boxes to read, and which part of each to keep."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from etpicker_plugin.engine.arrays import Shape, along_axes


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

    @property
    def read_shape(self) -> Shape:
        """Size of what is read."""
        z, y, x = (b - a for a, b in zip(self.read_start, self.read_stop, strict=True))
        return z, y, x


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
    edges: Shape,
    halos: Shape,
    alignment: int,
    region: tuple[Shape, Shape] | None = None,
) -> list[Tile]:
    """Return the tiles of a volume, or of a region of it, column by column along z.

    Parameters
    ----------
    shape
        Volume ``(Z, Y, X)`` in working voxels.
    edges, halos
        Longest keep, and overlap on each side, along z, y and x; voxels.
    alignment
        Grid of the network, voxels; none along an axis of one voxel.
    region
        ``(start, stop)``, starts on the network's grid; the whole volume without it.
    """
    start, stop = region or ((0, 0, 0), shape)
    grid = along_axes(alignment, shape)
    along_z, along_y, along_x = (
        split_axis(n, edge=edge, halo=halo, alignment=step, first=a, last=b)
        for n, edge, halo, step, a, b in zip(
            shape, edges, halos, grid, start, stop, strict=True
        )
    )
    return [
        Tile(
            read_start=(z[0], y[0], x[0]),
            read_stop=(z[1], y[1], x[1]),
            keep_start=(z[2], y[2], x[2]),
            keep_stop=(z[3], y[3], x[3]),
        )
        for y, x, z in product(along_y, along_x, along_z)
    ]


def group_columns(tiles: Sequence[Tile]) -> list[list[Tile]]:
    """Group tiles that follow each other along z."""
    columns: list[list[Tile]] = []
    for tile in tiles:
        if columns and _is_below(columns[-1][-1], tile):
            columns[-1].append(tile)
        else:
            columns.append([tile])
    return columns


def _is_below(first: Tile, second: Tile) -> bool:
    return (
        first.keep_stop[0] == second.keep_start[0]
        and first.keep_start[1:] == second.keep_start[1:]
        and first.keep_stop[1:] == second.keep_stop[1:]
    )


def longest_edge(
    length: int, *, alignment: int, is_small_enough: Callable[[int], bool]
) -> int:
    """Return the longest edge that is small enough.

    Tried from ``length`` on, a quarter less each time, down to ``alignment``, which is
    returned even if it is still too large.
    """
    edge = padded_length(length, alignment)
    while edge > alignment and not is_small_enough(edge):
        edge = max(edge * 3 // 4 // alignment, 1) * alignment
    return edge
