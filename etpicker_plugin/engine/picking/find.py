"""From a working volume to peaks: the network's probability, and its maxima."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.picking.logits import tile_logits
from etpicker_plugin.engine.picking.nms import Peaks, PeakSettings, find_peaks
from etpicker_plugin.engine.picking.tiling import Tile
from etpicker_plugin.engine.volumes.array_volume import Readable


def pick_tiles(
    network: Network,
    volume: Readable,
    *,
    settings: PeakSettings,
    tiles: list[Tile],
    done: set[int],
) -> Iterator[tuple[int, Tile, Peaks, Tensor]]:
    """Yield each tile's index, itself, its peaks and its logits.

    The peaks are in working voxels of the whole volume, not yet de-duplicated; the
    logits ``(C, z, y, x)`` are those of the whole read box, at output voxels. Tiles
    whose index is in ``done`` are left out.

    Parameters
    ----------
    network
        Made by ``for_inference``.
    """
    stride = network.output_stride
    numbers = {tile: number for number, tile in enumerate(tiles)}
    left = [tile for tile in tiles if numbers[tile] not in done]
    for tile, logits in tile_logits(network, volume, left):
        peaks = find_peaks(
            (to_probability(channel) for channel in logits),
            settings.kernels,
            min_score=settings.min_score,
            start=_output_box(tile.keep_start, tile.read_start, stride),
            stop=_output_box(tile.keep_stop, tile.read_start, stride),
        )
        peaks = to_volume(peaks, tile.read_start, stride)
        yield numbers[tile], tile, peaks, logits


def to_probability(logits: Tensor) -> Tensor:
    """Return the probability as float32."""
    return torch.sigmoid(logits.float()).contiguous()


def to_volume(peaks: Peaks, start: tuple[int, ...], stride: int) -> Peaks:
    """Convert positions from a tile's output voxels to the volume's voxels."""
    positions = peaks.positions_zyx * stride + (stride - 1) / 2 + start
    return replace(peaks, positions_zyx=positions)


def _output_box(
    corner: tuple[int, ...], origin: tuple[int, ...], stride: int
) -> tuple[int, ...]:
    return tuple(-(-(c - o) // stride) for c, o in zip(corner, origin, strict=True))
