"""From a working volume to peaks: the network's probability, and its maxima."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from etpicker_plugin.engine.arrays import Shape, along_axes
from etpicker_plugin.engine.kinds import FILAMENT, PARTICLE, VESICLE
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.picking.flat_places import USUAL_SCORE
from etpicker_plugin.engine.picking.logits import tile_logits
from etpicker_plugin.engine.picking.nms import (
    Peaks,
    PeakSettings,
    find_peaks,
    join_peaks,
    pooling_kernel,
)
from etpicker_plugin.engine.picking.plan import choose_edge, plan_for
from etpicker_plugin.engine.picking.ridges import find_lines
from etpicker_plugin.engine.picking.sheets import find_sheets
from etpicker_plugin.engine.picking.tiling import Tile
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.volumes.array_volume import Readable


def _find_maxima(channel: Tensor, kernel: int, **box: Any) -> Peaks:
    return find_peaks(channel[None], [kernel], **box)


FINDERS: dict[str, Callable[..., Peaks]] = {
    PARTICLE: _find_maxima,
    FILAMENT: find_lines,
    VESICLE: find_sheets,
}


@dataclass(frozen=True, kw_only=True)
class Search:
    """What looks for peaks where.

    Attributes
    ----------
    network
        Made by ``for_inference``.
    region
        ``(start, stop)``, starts on the network's grid; the whole volume without it.
    """

    network: Network
    volume: Readable
    settings: PeakSettings
    region: tuple[Shape, Shape] | None = None

    def longest_edge(self) -> int:
        """Return the longest tile edge that memory allows, voxels."""
        return choose_edge(
            self.volume.shape_zyx, self.network, reach=self.settings.reach
        )

    def tiles(self, edge: int) -> list[Tile]:
        """Return the tiles, of this edge at the most."""
        return plan_for(
            self.network,
            self.volume.shape_zyx,
            edge=edge,
            reach=self.settings.reach,
            region=self.region,
        )


def peak_settings(
    species: Sequence[Species], *, output_voxel_size: float, min_score: float
) -> PeakSettings:
    """Return how peaks of these species are found in a network's output.

    Parameters
    ----------
    output_voxel_size
        Å: that of the working volume times the network's stride.
    min_score
        Of a candidate; held to what tells which contrast is usual, so that the same
        is usual whatever is asked for.
    """
    sizes = [s.size_vox(output_voxel_size) for s in species]
    return PeakSettings(
        kernels=[pooling_kernel(size.label_diameter) for size in sizes],
        kinds=[s.kind for s in species],
        min_score=min(min_score, USUAL_SCORE),
    )


def pick_tiles(
    search: Search, tiles: Sequence[Tile], *, done: Collection[int] = ()
) -> Iterator[tuple[int, Tile, Peaks, Tensor]]:
    """Yield each tile's index, itself, its peaks and its logits.

    The peaks are in working voxels of the whole volume, not yet de-duplicated; the
    logits ``(C, z, y, x)`` are those of the whole read box, at output voxels. Tiles
    whose index is in ``done`` are left out.
    """
    network, settings = search.network, search.settings
    stride = along_axes(network.output_stride, search.volume.shape_zyx)
    numbers = {tile: number for number, tile in enumerate(tiles)}
    left = [tile for tile in tiles if numbers[tile] not in done]
    for tile, logits in tile_logits(network, search.volume, left):
        peaks = find_points(
            (to_probability(channel) for channel in logits),
            settings,
            start=_output_box(tile.keep_start, tile.read_start, stride),
            stop=_output_box(tile.keep_stop, tile.read_start, stride),
        )
        peaks = to_volume(peaks, tile.read_start, stride)
        yield numbers[tile], tile, peaks, logits


def find_points(
    probability: Iterable[Tensor],
    settings: PeakSettings,
    *,
    start: tuple[int, ...],
    stop: tuple[int, ...],
) -> Peaks:
    """Find what each channel's kind is picked by: maxima, ridges of lines, of sheets.

    Parameters
    ----------
    probability
        Channels ``(Z, Y, X)`` float32, one after the other.
    start, stop
        Box (voxels of ``probability``) in which a point must lie.
    """
    parts = []
    wanted = zip(probability, settings.kernels, settings.kinds, strict=True)
    for number, (channel, kernel, kind) in enumerate(wanted):
        found = FINDERS[kind](
            channel, kernel, min_score=settings.min_score, start=start, stop=stop
        )
        parts.append(replace(found, channels=np.full(len(found), number, np.intp)))
    return join_peaks(parts)


def to_probability(logits: Tensor) -> Tensor:
    """Return the probability as float32."""
    return torch.sigmoid(logits.float()).contiguous()


def to_volume(peaks: Peaks, start: tuple[int, ...], stride: Shape) -> Peaks:
    """Convert positions from a tile's output voxels to the volume's voxels."""
    offset = (np.array(stride) - 1) / 2 + start
    return replace(peaks, positions_zyx=peaks.positions_zyx * np.array(stride) + offset)


def _output_box(
    corner: tuple[int, ...], origin: tuple[int, ...], stride: Shape
) -> tuple[int, ...]:
    steps = zip(corner, origin, stride, strict=True)
    return tuple(-(-(c - o) // step) for c, o, step in steps)
