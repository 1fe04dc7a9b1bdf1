"""From a working volume to peaks: tiles through the network, maxima out."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from etpicker_plugin.engine.device import free_memory
from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.io.array_volume import Readable
from etpicker_plugin.engine.model.network import Network, predict_logits
from etpicker_plugin.engine.picking.nms import Peaks, find_peaks, pooling_reach
from etpicker_plugin.engine.picking.tiling import (
    Tile,
    edge_for_memory,
)

logger = logging.getLogger(__name__)

BYTES_PER_VOXEL = {"FastNetwork": 130, "DeepETPickerNetwork": 900}
"""Memory of a forward pass per voxel read, by network: twice the 56 and 432 bytes that
were measured in bfloat16, so that float32 fits too, and a little more."""

MEMORY_SHARE = 0.5
MOST_BYTES = {"cpu": 2 << 30, "cuda": 24 << 30}
"""Beyond this larger tiles save little, and memory should stay flat."""


@dataclass(frozen=True, kw_only=True)
class PeakSettings:
    """How peaks are found: per channel, in output voxels of the network."""

    kernels: list[int]
    min_score: float
    precision: str = "auto"


def total_halo(network: Network, settings: PeakSettings) -> int:
    """Return the voxels a tile must read beyond what it keeps."""
    reach = max(pooling_reach(kernel) for kernel in settings.kernels)
    return network.halo + reach * network.output_stride


def choose_edge(
    shape: tuple[int, int, int], network: Network, settings: PeakSettings
) -> int:
    """Return the longest tile edge that free memory allows, voxels."""
    device = next(network.parameters()).device
    budget = min(MEMORY_SHARE * free_memory(device), MOST_BYTES[device.type])
    return edge_for_memory(
        shape,
        most_voxels=int(budget / BYTES_PER_VOXEL[type(network).__name__]),
        halo=total_halo(network, settings),
        alignment=network.alignment,
    )


def pick_tiles(
    network: Network,
    volume: Readable,
    *,
    settings: PeakSettings,
    tiles: list[Tile],
    done: set[int],
) -> Iterator[tuple[int, Tile, Peaks, Tensor]]:
    """Yield each tile's index, itself, its peaks and its probability.

    The peaks are in working voxels of the whole volume, not yet de-duplicated; the
    probability ``(C, z, y, x)`` is that of the whole read box, at output voxels.
    Tiles whose index is in ``done`` are left out.
    """
    device = next(network.parameters()).device
    stride = network.output_stride
    for number, tile in enumerate(tiles):
        if number in done:
            continue
        box = torch.from_numpy(volume.read(tile.read_start, tile.read_stop))
        logits = predict_logits(network, box.to(device), settings.precision)
        probability = torch.sigmoid(logits)
        peaks = find_peaks(
            probability,
            settings.kernels,
            min_score=settings.min_score,
            start=_output_box(tile.keep_start, tile.read_start, stride),
            stop=_output_box(tile.keep_stop, tile.read_start, stride),
        )
        yield number, tile, to_volume(peaks, tile.read_start, stride), probability


def to_volume(peaks: Peaks, start: tuple[int, ...], stride: int) -> Peaks:
    """Convert positions from a tile's output voxels to the volume's voxels."""
    positions = peaks.positions_zyx * stride + (stride - 1) / 2 + start
    return Peaks(positions_zyx=positions, scores=peaks.scores, channels=peaks.channels)


def _output_box(
    corner: tuple[int, ...], origin: tuple[int, ...], stride: int
) -> tuple[int, ...]:
    return tuple(-(-(c - o) // stride) for c, o in zip(corner, origin, strict=True))


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception means that memory was too small."""
    text = str(error).lower()
    return isinstance(error, MemoryError | torch.cuda.OutOfMemoryError) or (
        isinstance(error, RuntimeError)
        and ("out of memory" in text or "can't allocate memory" in text)
    )


def smaller_edge(edge: int, network: Network) -> int:
    """Return half the edge after memory ran out.

    Raises
    ------
    ResourceError
        If the edge cannot be halved any more.
    """
    half = edge // 2 // network.alignment * network.alignment
    if half < network.alignment:
        need = (edge + 2 * network.halo) ** 3
        need_gb = need * BYTES_PER_VOXEL[type(network).__name__] / 2**30
        raise ResourceError(
            f"Memory does not suffice even for tiles of {edge} voxels, which need "
            f"about {need_gb:.1f} GB. Free some memory, or use a larger machine."
        )
    logger.warning(
        "Memory ran out with tiles of %d voxels; going on with %d (give --tile-size "
        "%d to begin with that).",
        edge,
        half,
        half,
    )
    return half
