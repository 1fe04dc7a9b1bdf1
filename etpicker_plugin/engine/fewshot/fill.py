"""Filling a store: a working volume through the network, once, what is seen first."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch import Tensor

from etpicker_plugin.engine.arrays import Shape, along_axes
from etpicker_plugin.engine.fewshot.store import (
    Features,
    FeatureStore,
    Made,
    store_in_memory,
    store_on_disk,
)
from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.picking.logits import tile_features
from etpicker_plugin.engine.picking.plan import choose_edge
from etpicker_plugin.engine.picking.tiling import Tile, padded_length, plan_tiles
from etpicker_plugin.engine.volumes.array_volume import Readable

PIECE_PLANES = 16
"""Working planes of a piece: what a kill costs, and a newer question waits for."""


def open_store(
    network: FastNetwork,
    shape: Shape,
    *,
    path: Path | None = None,
    made: Made | None = None,
) -> FeatureStore:
    """Return the store of a working volume of this shape, on disk or in memory.

    Parameters
    ----------
    network
        Made by ``for_inference``.
    path, made
        Its file, and of what it is made (see ``store_on_disk``); without a file it is
        in memory.

    Raises
    ------
    InputDataError, ResourceError
        See ``store_on_disk``.
    """
    edge = choose_edge(shape, network, reach=0)
    grid = along_axes(network.alignment, shape)
    depth, height, width = map(padded_length, shape, grid)
    pieces = plan_tiles(
        (depth, height, width),
        edges=(PIECE_PLANES, edge, edge),
        halos=(0, network.halo, network.halo),
        alignment=network.alignment,
    )
    stride = network.output_stride
    steps = along_axes(stride, shape)
    size = (depth // steps[0], height // steps[1], width // steps[2])
    n_features = network.head.in_channels
    if path is None:
        return store_in_memory(size, n_features, pieces, stride=stride)
    return store_on_disk(path, size, n_features, pieces, stride=stride, made=made)


def fill(
    store: FeatureStore,
    network: FastNetwork,
    volume: Readable,
    *,
    first: tuple[int, int] | None = None,
) -> Iterator[None]:
    """Compute what is missing; one piece for each step of the iterator.

    Parameters
    ----------
    first
        Working planes ``[start, stop)`` that are wanted before the others.
    """
    order = in_order(store.missing(), first, halo=network.halo)
    for piece, features in tile_features(
        network, volume, order, most_planes=PIECE_PLANES
    ):
        store.write(piece, _kept(piece, features, store.strides))
        yield


def in_order(
    pieces: list[Tile], first: tuple[int, int] | None, *, halo: int
) -> list[Tile]:
    """Return pieces in the order in which the wanted planes are there soonest.

    Pieces that follow each other along z are one stream, which needs its halo before
    and after; so it is only begun in the middle where that saves more than a second
    beginning costs. Of several columns, all have their wanted pieces first.
    """
    if first is None or not pieces:
        return pieces
    start, stop = first
    if len({piece.keep_start[1:] for piece in pieces}) > 1:
        return sorted(
            pieces, key=lambda p: not start < p.keep_stop[0] <= stop + PIECE_PLANES
        )
    lowest = min(piece.keep_start[0] for piece in pieces)
    if start - halo - lowest < 2 * halo:
        return pieces
    return sorted(pieces, key=lambda piece: piece.keep_stop[0] <= start)


def _kept(piece: Tile, features: Tensor, strides: Shape) -> Features:
    """Return the part of a read box that is kept, ``(z, y, x, F)``."""
    box = tuple(
        slice((a - read) // step, -(-(b - read) // step))
        for a, b, read, step in zip(
            piece.keep_start, piece.keep_stop, piece.read_start, strides, strict=True
        )
    )
    kept = features[:, box[0], box[1], box[2]].permute(1, 2, 3, 0)
    return np.ascontiguousarray(kept.half().cpu().numpy())
