"""Vesicles with a truth: spheres and ellipsoids of two leaflets, and where they go."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.geometry import lies_outside
from etpicker_plugin.engine.simulation.bilayer import (
    BILAYER_REACH_ANG,
    OCCUPIED_LEVEL,
    bilayer,
)
from etpicker_plugin.engine.simulation.placement import (
    ATTEMPTS,
    Scene,
    random_quaternion,
)
from etpicker_plugin.engine.vesicles.marks import sphere_directions

RADII_ANG = (180.0, 600.0)
MOST_FLATTENED = 0.18
"""Half axes of an ellipsoid differ from its mean radius by up to this share."""
SHARE_OF_SPHERES = 0.4
LEAST_INSIDE = 0.25
"""Share of the membrane that must lie in the volume."""
PROBES = 2000
WEIGHTS = (0.8, 1.6)
"""Of a vesicle's density: what lies in a membrane makes it darker or not."""


@dataclass(frozen=True, kw_only=True)
class PlacedVesicle:
    """A placed vesicle.

    Attributes
    ----------
    centre_zyx
        Voxels; always inside the volume.
    half_axes_ang
        ``(3,)`` of the middle of its membrane, along its own x, y and z.
    rotation
        Turns its own axes (xyz) into the tomogram's.
    share_inside
        Of the membrane, in the volume.
    weight
        Of its density.
    """

    name: str
    centre_zyx: FloatArray
    half_axes_ang: FloatArray
    rotation: Rotation
    share_inside: float
    weight: float

    @property
    def radius_ang(self) -> float:
        """Return the mean of the half axes."""
        return float(self.half_axes_ang.mean())


def place_vesicles(
    scene: Scene,
    name: str,
    count: int,
    *,
    voxel_size: float,
    generator: np.random.Generator,
) -> list[PlacedVesicle]:
    """Add up to ``count`` vesicles to a scene; return those that found room.

    Some are spheres. Many are cut by a face of the volume, and one may hold another.
    """
    placed = []
    for _ in range(count):
        for _ in range(ATTEMPTS):
            vesicle = _draw_one(scene, name, voxel_size, generator)
            if vesicle.share_inside >= LEAST_INSIDE and _add_shell(
                scene, vesicle, voxel_size
            ):
                placed.append(vesicle)
                break
    return placed


def ellipsoid_depth(
    offsets_xyz: FloatArray, half_axes: FloatArray, rotation: Rotation
) -> FloatArray:
    """Return how far points ``(N, 3)`` lie outside an ellipsoid about the origin.

    To first order: exact for a sphere, and near the surface of any.
    """
    own = offsets_xyz @ rotation.as_matrix() / half_axes
    level = np.linalg.norm(own, axis=1)
    slope = np.linalg.norm(own / half_axes, axis=1)
    return np.asarray(level * (level - 1.0) / np.maximum(slope, 1e-12))


def _draw_one(
    scene: Scene, name: str, voxel_size: float, generator: np.random.Generator
) -> PlacedVesicle:
    nz, ny, nx = scene.density.shape
    flattened = 0.0 if generator.random() < SHARE_OF_SPHERES else MOST_FLATTENED
    radius = generator.uniform(*RADII_ANG)
    half_axes = radius * (1.0 + generator.uniform(-flattened, flattened, 3))
    rotation = Rotation.from_quat(random_quaternion(generator))
    centre = generator.uniform(-0.5, np.array([nz, ny, nx]) - 0.5)
    surface = rotation.apply(half_axes * sphere_directions(PROBES))[:, ::-1]
    points = centre + surface / voxel_size
    return PlacedVesicle(
        name=name,
        centre_zyx=centre,
        half_axes_ang=half_axes,
        rotation=rotation,
        share_inside=float(1.0 - lies_outside(points, (nz, ny, nx)).mean()),
        weight=generator.uniform(*WEIGHTS),
    )


def _add_shell(scene: Scene, vesicle: PlacedVesicle, voxel_size: float) -> bool:
    """Paint a vesicle if nothing stands where its membrane goes; tell whether it was.

    It is painted plane by plane: large ones would need much memory.
    """
    reach = (vesicle.half_axes_ang.max() + BILAYER_REACH_ANG) / voxel_size
    low = np.maximum(np.floor(vesicle.centre_zyx - reach), 0).astype(int)
    high = np.minimum(
        np.ceil(vesicle.centre_zyx + reach).astype(int) + 1, scene.density.shape
    )
    rows, columns = slice(low[1], high[1]), slice(low[2], high[2])
    planes: list[NDArray[np.float32]] = []
    for z in range(low[0], high[0]):
        plane = _plane_of(vesicle, z, rows, columns, voxel_size)
        if (scene.occupied[z, rows, columns] & (plane > OCCUPIED_LEVEL)).any():
            return False
        planes.append(plane)
    for z, plane in enumerate(planes, start=low[0]):
        part = scene.density[z, rows, columns]
        np.maximum(part, plane, out=part)
        scene.occupied[z, rows, columns] |= plane > OCCUPIED_LEVEL
    return True


def _plane_of(
    vesicle: PlacedVesicle, z: int, rows: slice, columns: slice, voxel_size: float
) -> NDArray[np.float32]:
    """Return the density in a part of a section, ``(Y, X)``."""
    y, x = np.mgrid[rows, columns]
    grid = np.stack([x, y, np.full_like(x, z)], axis=-1).reshape(-1, 3)
    offsets = (grid - vesicle.centre_zyx[::-1]) * voxel_size
    depth = ellipsoid_depth(offsets, vesicle.half_axes_ang, vesicle.rotation)
    return (vesicle.weight * bilayer(depth)).reshape(y.shape).astype(np.float32)
