"""A volume through the network, tile by tile or plane by plane."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.model.inference import (
    predict_features,
    predict_logits,
    streams,
)
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.model.streaming import (
    Planes,
    stream_features,
    stream_logits,
)
from etpicker_plugin.engine.picking.plan import planes_at_once
from etpicker_plugin.engine.picking.tiling import Tile, group_columns, padded_length
from etpicker_plugin.engine.volumes.array_volume import Readable


def tile_logits(
    network: Network, volume: Readable, tiles: list[Tile]
) -> Iterator[tuple[Tile, Tensor]]:
    """Yield each tile with the logits ``(C, z, y, x)`` of its read box.

    Parameters
    ----------
    network
        Made by ``for_inference``.
    """
    if isinstance(network, FastNetwork) and streams(network):
        for column in group_columns(tiles):
            step = planes_at_once(network, column[0])
            yield from _stream(stream_logits, network, volume, column, step=step)
        return
    yield from _tile_by_tile(predict_logits, network, volume, tiles)


def tile_features(
    network: FastNetwork, volume: Readable, tiles: list[Tile], *, most_planes: int
) -> Iterator[tuple[Tile, Tensor]]:
    """Yield each tile with the features ``(F, z, y, x)`` of its read box.

    Parameters
    ----------
    network
        Made by ``for_inference``.
    most_planes
        Input planes that are computed at once, at most: so long a wait may be.
    """
    if not streams(network):
        yield from _tile_by_tile(predict_features, network, volume, tiles)
        return
    for column in group_columns(tiles):
        step = min(planes_at_once(network, column[0]), most_planes)
        yield from _stream(stream_features, network, volume, column, step=step)


def _tile_by_tile(
    predict: Callable[[Network, Tensor], Tensor],
    network: Network,
    volume: Readable,
    tiles: list[Tile],
) -> Iterator[tuple[Tile, Tensor]]:
    for tile in tiles:
        box = torch.from_numpy(volume.read(tile.read_start, tile.read_stop))
        yield tile, predict(network, box.to(network.head.weight.device))


def _stream(
    outputs: Callable[[FastNetwork, Planes], Planes],
    network: FastNetwork,
    volume: Readable,
    column: list[Tile],
    *,
    step: int,
) -> Iterator[tuple[Tile, Tensor]]:
    """Stream tiles that follow each other along z through the network."""
    stride, depth = network.output_stride, volume.shape_zyx[0]
    bottom = max(column[0].read_start[0] - network.halo, 0)
    top = column[-1].read_stop[0] + network.halo
    image = Planes(
        lambda start, stop: _read_planes(
            network, volume, column[0], bottom + start, bottom + stop
        ),
        length=min(top, padded_length(depth, network.alignment)) - bottom,
        step=step,
    )
    seen_twice = [a.read_stop[0] - b.read_start[0] for a, b in pairwise(column)]
    overlap = max(seen_twice, default=0) // stride
    read = outputs(network, image).reader(overlap=overlap)
    for tile in column:
        first, last = tile.read_start[0] - bottom, tile.read_stop[0] - bottom
        with torch.inference_mode():
            found = read(first // stride, last // stride)
        yield tile, found[0]


def _read_planes(
    network: FastNetwork, volume: Readable, tile: Tile, start: int, stop: int
) -> Tensor:
    """Return planes of a tile's column as ``(1, 1, n, Y, X)`` for the network."""
    weight = network.head.weight
    box = torch.from_numpy(
        volume.read((start, *tile.read_start[1:]), (stop, *tile.read_stop[1:]))
    )
    if weight.device.type == "cuda":
        box = box.pin_memory()
    return box[None, None].to(weight.device, weight.dtype, non_blocking=True)
