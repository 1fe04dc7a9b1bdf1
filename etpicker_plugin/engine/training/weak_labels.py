"""Weak labels: simple shapes painted at clicked centres (Liu et al. 2024, eqs 1-4).

A label of diameter *d* has the radius r = (d - 1) / 2 of the paper, so an odd
diameter spans exactly *d* voxels when it is centred on one. Even and fractional
diameters and centres between voxels are as good: distances are measured from the
centre as it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import Shape, along_axes
from etpicker_plugin.engine.species import SizeVox

Offsets = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class LabelSettings:
    """How labels are painted.

    Attributes
    ----------
    shape
        ``ball``, ``truncated-ball`` or ``cubic``.
    sizes
        Of each class's particle and label, working voxels.
    stride
        Working voxels per voxel of the target (the network's output stride).
    """

    shape: str
    sizes: tuple[SizeVox, ...]
    stride: int


def inside_label(offsets: Offsets, diameter: float, *, shape: str) -> NDArray[np.bool_]:
    """Tell which offsets from a centre belong to its label.

    Parameters
    ----------
    offsets
        Along z, y and x, in voxels from the centre; they broadcast to ``(Z, Y, X)``.
    diameter
        Voxels.
    shape
        ``ball``: distance at most r. ``cubic``: each offset at most r.
        ``truncated-ball``: within √2·r, cut by the cube.

    Returns
    -------
    ndarray
        ``(Z, Y, X)`` bool.
    """
    radius = max((diameter - 1) / 2, 0.5) + 1e-6
    z, y, x = offsets
    distance2 = z**2 + y**2 + x**2
    if shape == "ball":
        return np.asarray(distance2 <= radius**2)
    cube = (abs(z) <= radius) & (abs(y) <= radius) & (abs(x) <= radius)
    if shape == "cubic":
        return np.asarray(cube)
    return np.asarray(cube & (distance2 <= 2 * radius**2))


def paint_labels(
    shape_zyx: tuple[int, int, int],
    positions_zyx: NDArray[np.float64],
    channels: NDArray[np.intp],
    *,
    settings: LabelSettings,
    unmarked_weights: Sequence[float],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Paint a patch's target and the weight of each of its voxels.

    Where labels of one class overlap they join; labels of different classes keep
    their own channels. Around a marked centre, out to the particle's radius, no
    other particle can be centred: there the weight is 1 even when the annotation is
    sparse.

    Parameters
    ----------
    shape_zyx
        Size of the patch in working voxels.
    positions_zyx
        ``(N, 3)`` centres in working voxels of the patch; they may lie outside it.
    channels
        ``(N,)`` class indices.
    unmarked_weights
        ``(C,)`` weight of the voxels that nobody marked: 1 where the annotation of a
        class is complete, less where it is not.

    Returns
    -------
    target
        ``(C, z, y, x)`` float32, 0 or 1, at the network's output voxels.
    weight
        ``(C, z, y, x)`` float32.
    """
    strides = along_axes(settings.stride, shape_zyx)
    grid = tuple(n // step for n, step in zip(shape_zyx, strides, strict=True))
    target = np.zeros((len(settings.sizes), *grid), dtype=np.float32)
    weight = np.empty_like(target)
    weight[:] = np.asarray(unmarked_weights, dtype=np.float32)[:, None, None, None]
    incomplete = bool(np.any(weight < 1.0))
    reaches = np.array([max(s.diameter, s.label_diameter) for s in settings.sizes])
    reach = reaches[channels, None]
    near = (positions_zyx > -reach) & (positions_zyx < np.add(shape_zyx, reach))
    for i in np.flatnonzero(near.all(axis=1)):
        channel = int(channels[i])
        box, offsets = _around(
            positions_zyx[i], float(reaches[channel]), grid=grid, strides=strides
        )
        size = settings.sizes[channel]
        label = inside_label(offsets, size.label_diameter, shape=settings.shape)
        target[channel][box][label] = 1.0
        if incomplete:
            radius = size.diameter / 2
            body = sum(o**2 for o in offsets) <= radius**2
            for of_class in weight:
                of_class[box][body | label] = 1.0
    return target, weight


def weigh_negatives(
    weight: NDArray[np.float32],
    negatives_zyx: NDArray[np.float64],
    *,
    settings: LabelSettings,
    channels: Sequence[int],
) -> None:
    """Give full weight, in place, to what surrounds the places without a particle.

    No particle is centred within its own radius of such a place: a pick there would
    be judged false. Its voxels are as surely background as if all were annotated. A
    particle that is marked there all the same keeps its label.

    Parameters
    ----------
    weight
        ``(C, z, y, x)`` of a patch, at the network's output voxels.
    negatives_zyx
        ``(M, 3)`` in working voxels of the patch; they may lie outside it.
    channels
        The classes that a person looked for.
    """
    grid = weight.shape[1:]
    strides = along_axes(settings.stride, grid)
    size = np.multiply(grid, strides)
    for channel in channels:
        radius = settings.sizes[channel].diameter / 2
        near = (negatives_zyx > -radius) & (negatives_zyx < size + radius)
        for position in negatives_zyx[near.all(axis=1)]:
            box, offsets = _around(position, radius, grid=grid, strides=strides)
            weight[channel][box][sum(o**2 for o in offsets) <= radius**2] = 1.0


def _around(
    position: NDArray[np.float64],
    reach: float,
    *,
    grid: tuple[int, ...],
    strides: Shape,
) -> tuple[tuple[slice, ...], Offsets]:
    """Return the box of output voxels near a centre, and their offsets from it."""
    axes, box = [], []
    along = zip(position, grid, strides, strict=True)
    for axis, (centre, length, stride) in enumerate(along):
        first = min(max(int((centre - reach) // stride), 0), length)
        last = min(max(int((centre + reach) // stride) + 2, first), length)
        box.append(slice(first, last))
        offsets = np.arange(first, last) * stride + (stride - 1) / 2 - centre
        axes.append(offsets.reshape([-1 if i == axis else 1 for i in range(3)]))
    return tuple(box), (axes[0], axes[1], axes[2])
