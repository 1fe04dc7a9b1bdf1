"""Where picks lie beside the density of their particles; no alignment is needed.

Picks that lie to one side do so in the tomogram's frame. There particles lie in all
orientations, so the mean of their boxes is a ball of density about their centre,
whatever their shape. The ball is found by its own radial profile, which is round and
so has no centre that could be wrong; picks of nothing add noise and no place.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.comparison.joining import IndexArray
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.subtomograms.normalise import normalise
from etpicker_plugin.engine.verdict.alignment.likelihood import soft_sphere
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.cutting import Box, cut_box
from etpicker_plugin.engine.verdict.places.geometry import BoxGeometry
from etpicker_plugin.engine.volumes.tomogram import TomogramBoxes

DIAMETER_VOX = 12.0
"""Coarser than the boxes that are aligned: a centre needs no details."""
EDGE_VOX = 2.0
CLIP = 4.0
"""Standard deviations; gold would outweigh all particles."""


@dataclass(frozen=True, kw_only=True)
class DensityGeometry:
    """Boxes so large that a centre is found a radius away from its pick.

    Attributes
    ----------
    scale
        Box voxel size over the tomograms'.
    radius_vox
        Of the particle, box voxels.
    """

    scale: float
    radius_vox: float

    @property
    def reach_vox(self) -> int:
        """How far from a pick a centre is looked for, box voxels."""
        return math.ceil(self.radius_vox)

    @property
    def box(self) -> int:
        """Edge, even: the profile moved by the reach stays within."""
        return 2 * math.ceil(2 * self.radius_vox + EDGE_VOX + 1)


def density_geometry(
    geometry: BoxGeometry, *, diameter_ang: float | None = None
) -> DensityGeometry:
    """Return the boxes' sizes for a run's particle, or what has another diameter."""
    diameter_vox = (diameter_ang or geometry.diameter_ang) / geometry.voxel_size
    scale = max(1.0, geometry.scale, diameter_vox / DIAMETER_VOX)
    return DensityGeometry(scale=scale, radius_vox=diameter_vox / 2 / scale)


def cut_boxes(
    sets: PickSets,
    candidates: Candidates,
    rows: IndexArray,
    size: DensityGeometry,
    *,
    invert: bool,
) -> list[Box]:
    """Return some candidates' boxes ``(B, B, B)``, protein bright, mean 0, clipped."""
    boxes = []
    for row in rows:
        tomogram = sets.tomograms[str(candidates.tomogram_ids[row])]
        position = candidates.positions_zyx[row]
        box = cut_box(TomogramBoxes(tomogram), position, box=size.box, scale=size.scale)
        signed = -box[None] if invert else box[None]
        normal = normalise(signed, mode="box", radius_vox=size.radius_vox)[0]
        boxes.append(np.clip(normal, -CLIP, CLIP))
    return boxes


def radial_template(volume: NDArray[np.floating], *, radius_vox: float) -> FloatArray:
    """Return ``(B, B, B)``: the radial profile of a map, in a sphere, of sum 0."""
    size = volume.shape[-1]
    distances = _distances(size)
    profile = _profile(volume, distances)
    sphere = soft_sphere(size, radius_vox=radius_vox, edge_vox=EDGE_VOX)
    template = np.interp(distances, np.arange(len(profile)), profile)
    mean = (template * sphere).sum() / sphere.sum()
    return np.asarray((template - mean) * sphere)


def _distances(size: int) -> FloatArray:
    """Return ``(size, size, size)``: how far each voxel is from the middle."""
    squares = (np.arange(size) - float(size // 2)) ** 2
    return np.asarray(np.sqrt(squares[:, None, None] + squares[:, None] + squares))


def _profile(volume: NDArray[np.floating], distances: FloatArray) -> FloatArray:
    """Return the mean over shells of one voxel, out to the nearest face."""
    shells = np.round(distances).astype(int).ravel()
    sums = np.bincount(shells, weights=volume.ravel().astype(float))
    return np.asarray((sums / np.bincount(shells))[: volume.shape[-1] // 2])


def correlation_maps(
    boxes: Sequence[NDArray[np.floating]],
    template: FloatArray,
    *,
    reach_vox: int,
) -> NDArray[np.float32]:
    """Return ``(N, K, K, K)``, K = 2 reach + 1: each box's correlation over shifts.

    The middle is no shift; a peak at +1 means that the density stands one voxel above
    the box's centre on that axis.
    """
    size = template.shape[-1]
    spectrum = np.conj(np.fft.rfftn(template))
    near = slice(size // 2 - reach_vox, size // 2 + reach_vox + 1)
    maps = np.empty((len(boxes), *(2 * reach_vox + 1,) * 3), np.float32)
    for number, box in enumerate(boxes):
        product = np.fft.rfftn(box) * spectrum
        whole = np.fft.fftshift(np.fft.irfftn(product, s=(size,) * 3, axes=(0, 1, 2)))
        maps[number] = whole[near, near, near]
    return maps


def find_peak(volume: NDArray[np.floating]) -> FloatArray:
    """Return ``(D,)``: the highest place from the middle, between voxels.

    Parabolas through the highest voxel and its neighbours; at an edge, the voxel.
    """
    middle = volume.shape[-1] // 2
    top = np.array(np.unravel_index(int(volume.argmax()), volume.shape))
    place = top - float(middle)
    for axis in range(volume.ndim):
        if 0 < top[axis] < volume.shape[axis] - 1:
            step = np.eye(volume.ndim, dtype=int)[axis]
            below, at, above = (
                float(volume[tuple(top + k * step)]) for k in (-1, 0, 1)
            )
            bend = below - 2 * at + above
            place[axis] += 0.5 * (below - above) / bend if bend else 0.0
    return np.asarray(place)
