"""What a network sees around places of a volume: the features below its head.

Around a place a box is read that is wide enough for nothing outside it to matter, so
that time and memory do not grow with the volume.
"""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from etpicker_plugin.engine.arrays import FloatArray, Shape
from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.model.network import LAYOUT
from etpicker_plugin.engine.volumes.array_volume import Readable

BALL_RADIUS = 1.0
"""Output voxels. Features of a click are the mean within this: a click is not exact."""

BOXES = 8
BOX_EDGE = 32
"""Of the volume's usual features: so many boxes of so many working voxels."""


def features_at(
    network: FastNetwork, volume: Readable, positions_zyx: FloatArray
) -> FloatArray:
    """Return the features of each place, ``(N, F)``.

    Parameters
    ----------
    network
        In evaluation mode.
    positions_zyx
        ``(N, 3)``, voxels of ``volume``.
    """
    found = [_at(network, volume, place) for place in np.asarray(positions_zyx)]
    return np.array(found).reshape(len(found), network.head.in_channels)


def usual_features(
    network: FastNetwork,
    volume: Readable,
    *,
    allowed: NDArray[np.bool_],
    generator: np.random.Generator,
) -> FloatArray:
    """Return the features of many voxels, ``(N, F)``, from boxes drawn at random.

    Parameters
    ----------
    allowed
        ``(Z, Y, X)``: where a box's voxels may count.
    """
    grid, stride = network.alignment, network.output_stride
    edges = [max(min(BOX_EDGE, n // grid * grid), grid) for n in volume.shape_zyx]
    found = []
    for _ in range(BOXES):
        start = _shape(
            [
                generator.integers(max((n - edge) // grid, 0) + 1) * grid
                for n, edge in zip(volume.shape_zyx, edges, strict=True)
            ]
        )
        stop = _shape(np.add(start, edges))
        box = tuple(slice(a, b, stride) for a, b in zip(start, stop, strict=True))
        counts = allowed[box]
        z, y, x = counts.shape
        features = _box(network, volume, start, stop)
        found.append(features[:, :z, :y, :x][:, counts].T)
    return np.concatenate(found)


def _at(network: FastNetwork, volume: Readable, place: FloatArray) -> FloatArray:
    grid, stride = network.alignment, network.output_stride
    start = _shape(np.floor(place / grid - 0.5) * grid)
    stop = _shape(np.add(start, 2 * grid))
    features = _box(network, volume, start, stop)
    # Output voxel j is centred at input voxel stride * j + (stride - 1) / 2.
    middle = (place - np.array(start) - (stride - 1) / 2) / stride
    offsets = np.stack(
        [*np.meshgrid(*(np.arange(n) for n in features.shape[1:]), indexing="ij")]
    ) - np.round(middle).reshape(3, 1, 1, 1)
    near = (offsets**2).sum(axis=0) <= BALL_RADIUS**2
    return np.asarray(features[:, near].mean(axis=1))


def _box(
    network: FastNetwork, volume: Readable, start: Shape, stop: Shape
) -> FloatArray:
    """Return the features ``(F, z, y, x)`` of a box on the network's grid."""
    halo, stride = network.halo, network.output_stride
    image = torch.from_numpy(
        volume.read(tuple(a - halo for a in start), tuple(b + halo for b in stop))
    ).to(network.head.weight.device)
    batch = image[None, None].contiguous(memory_format=LAYOUT)
    with torch.inference_mode():
        features = network.forward_with_features(batch)[2][0]
    edge = halo // stride
    inner = features[:, edge:-edge, edge:-edge, edge:-edge]
    found: FloatArray = inner.double().cpu().numpy()
    return found


def _shape(values: ArrayLike) -> Shape:
    z, y, x = (int(value) for value in np.asarray(values))
    return z, y, x
