"""Which tiles a volume is picked in: as large as memory allows, and no larger."""

import logging

import torch

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.device import free_memory
from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.model.inference import streams
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.picking.tiling import Tile, longest_edge, plan_tiles

logger = logging.getLogger(__name__)

BYTES_PER_VOXEL = 450
"""Memory of the published network's forward pass in bfloat16, per voxel read."""

STREAM_BYTES_HELD = 600
STREAM_BYTES_COMPUTED = 60
"""Memory of the stream in bfloat16, per voxel of a plane: of what the layers hold for
those behind them, and of each of the planes that are computed at once."""

SLAB = 64
"""Planes between two searches for maxima, which are also the points to resume at."""

MEMORY_SHARE = 0.5
MOST_BYTES = {"cpu": 2 << 30, "cuda": 24 << 30}
MOST_PLANES = {"cpu": 32, "cuda": 256}
MOST_VOXELS = {"cpu": 1 << 23, "cuda": 1 << 27}
"""Beyond these, larger tiles and more planes or voxels at once save nothing."""

MOST_AREA = {"cpu": 600_000, "cuda": 1 << 24}
"""Voxels of a plane of a column: larger planes are cut, so that memory stays flat."""


def plan_for(
    network: Network,
    shape: Shape,
    *,
    edge: int,
    reach: int,
    region: tuple[Shape, Shape] | None = None,
) -> list[Tile]:
    """Return the tiles of a volume for a network.

    A network that streams has slabs of columns, with a halo along z for the maxima
    alone; any other has cubes with its own halo on all sides.

    Parameters
    ----------
    edge
        Longest edge of a tile, working voxels.
    reach
        How far a peak looks around it, output voxels.
    region
        ``(start, stop)`` to pick; the whole volume without it.
    """
    around = reach * network.output_stride
    halo = network.halo + around
    streaming = streams(network)
    return plan_tiles(
        shape,
        edges=(min(edge, SLAB) if streaming else edge, edge, edge),
        halos=(around if streaming else halo, halo, halo),
        alignment=network.alignment,
        region=region,
    )


def choose_edge(shape: Shape, network: Network, *, reach: int) -> int:
    """Return the longest tile edge that memory allows, voxels."""
    device = network.head.weight.device
    budget = min(MEMORY_SHARE * free_memory(device), MOST_BYTES[device.type])

    def fits(edge: int) -> bool:
        tiles = plan_for(network, shape, edge=edge, reach=reach)
        area = max(tile.read_shape[1] * tile.read_shape[2] for tile in tiles)
        return (
            max(memory_need(network, tile) for tile in tiles) <= budget
            and area <= MOST_AREA[device.type]
        )

    return longest_edge(max(shape), alignment=network.alignment, is_small_enough=fits)


def memory_need(network: Network, tile: Tile) -> int:
    """Return about how many bytes a tile takes at the least."""
    depth, height, width = tile.read_shape
    if streams(network):
        planes = STREAM_BYTES_HELD + network.alignment * STREAM_BYTES_COMPUTED
        return _size_factor(network) * planes * height * width
    return _size_factor(network) * BYTES_PER_VOXEL * depth * height * width


def planes_at_once(network: Network, tile: Tile) -> int:
    """Return how many input planes of a tile's column to compute at once."""
    kind, grid = network.head.weight.device.type, network.alignment
    _, height, width = tile.read_shape
    planes = min(MOST_VOXELS[kind] // (height * width), MOST_PLANES[kind])
    return max(planes // grid, 1) * grid


def smaller_edge(edge: int, network: Network) -> int:
    """Return half the edge after memory ran out.

    Raises
    ------
    ResourceError
        If the edge cannot be halved any more.
    """
    half = edge // 2 // network.alignment * network.alignment
    if half < network.alignment:
        tile = plan_for(network, (edge,) * 3, edge=edge, reach=network.halo)[0]
        raise ResourceError(
            f"Memory does not suffice even for tiles of {edge} voxels, which need "
            f"about {memory_need(network, tile) / 2**20:.0f} MB. Free some memory, or "
            "use a larger machine."
        )
    logger.warning(
        "Memory ran out with tiles of %d voxels; going on with %d (give --tile-size "
        "%d to begin with that).",
        edge,
        half,
        half,
    )
    return half


def _size_factor(network: Network) -> int:
    """Return 1 for bfloat16, 2 for float32."""
    size: int = network.head.weight.dtype.itemsize
    return size // torch.bfloat16.itemsize
