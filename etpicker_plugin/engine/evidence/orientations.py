"""A map in many orientations, as matrices to be multiplied with voxels."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from etpicker_plugin.engine.maps.density import DensityMap
from etpicker_plugin.engine.maps.matching import even_rotations

ROTATIONS = 900
"""About 18° apart: finer ones find no more at the 30 to 40 Å that tomograms show."""

COMPONENTS = 256
"""Of all orientations together: what they leave out of a density is a hundredth."""

VOXELS_ACROSS = 20
"""A larger particle is looked at in voxels as many times as long."""

MARGIN_VOX = 1


@dataclass(frozen=True, kw_only=True)
class TurnedMap:
    """A class's density in many orientations, in a ball about its centre of mass.

    Attributes
    ----------
    step
        Working voxels that a voxel of the ball is long.
    ball_zyx
        ``(P, 3)`` whole offsets of the ball's voxels from its centre.
    basis
        ``(P, K)`` orthonormal components of all orientations.
    turned
        ``(K, R)``: each orientation in them.
    """

    name: str
    step: int
    ball_zyx: NDArray[np.intp]
    basis: Tensor
    turned: Tensor

    @property
    def radius(self) -> int:
        """Of the ball, in its voxels."""
        return int(self.ball_zyx.max())

    @cached_property
    def densities(self) -> Tensor:
        """Return ``(R, B, B, B)``: every orientation, in a cube."""
        edge = 2 * self.radius + 1
        cubes = torch.zeros(self.turned.shape[1], edge, edge, edge)
        z, y, x = torch.from_numpy((self.ball_zyx + self.radius).T)
        cubes[:, z, y, x] = (self.basis @ self.turned).T.cpu()
        return cubes


def turn_every_way(one: DensityMap, voxel_size: float) -> TurnedMap:
    """Return a map in orientations that cover all evenly.

    Parameters
    ----------
    voxel_size
        Working voxel size, Å.
    """
    step = max(1, round(one.extent_ang / voxel_size / VOXELS_ACROSS))
    species = one.species_at(voxel_size * step)
    # A contrast is that of the density at the working voxel size itself.
    fine = one.species_at(voxel_size).density.sum()
    dense = float(fine / (species.density.sum() * step**3))
    centre = species.centre_of_mass_zyx
    corners = np.argwhere(species.density > 0) - centre
    radius = int(np.ceil(np.linalg.norm(corners, axis=1).max())) + MARGIN_VOX
    radius = min(radius, VOXELS_ACROSS // 2 + 2)
    axis = np.arange(-radius, radius + 1)
    cube = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    ball = cube[(cube**2).sum(axis=-1) <= radius**2]
    views = dense * _turn(species.density, centre, ball)
    basis = _components(views, COMPONENTS)
    return TurnedMap(
        name=one.name, step=step, ball_zyx=ball, basis=basis, turned=(views @ basis).T
    )


def _turn(
    density: NDArray[np.float32],
    centre: NDArray[np.float64],
    ball: NDArray[np.intp],
) -> Tensor:
    """Return ``(R, P)``: the density in a ball, in every orientation."""
    matrices = even_rotations(ROTATIONS).as_matrix()[:, ::-1, ::-1]
    # The inverse of a rotation takes a place in the ball to one in the map.
    sources = np.einsum("rji,pj->rpi", matrices, ball) + centre
    scaled = 2 * sources / (np.array(density.shape) - 1) - 1
    grid = torch.from_numpy(scaled[..., ::-1].astype(np.float32))[None, None]
    sampled = nn.functional.grid_sample(
        torch.from_numpy(density)[None, None],
        grid,
        mode="bilinear",
        padding_mode="zeros",
        align_corners=True,
    )
    return sampled[0, 0, 0]


def _components(views: Tensor, number: int) -> Tensor:
    """Return ``(P, K)`` orthonormal directions that hold most of views ``(R, P)``."""
    number = min(number, *views.shape)
    strengths, mixed = torch.linalg.eigh((views @ views.T).double())
    strongest = slice(len(strengths) - number, None)
    found = views.T @ mixed[:, strongest].float()
    return found / strengths[strongest].clamp(min=1e-12).sqrt().float()
