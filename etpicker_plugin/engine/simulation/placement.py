"""Placing particles: random orientations, no overlap, whole in the volume."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.simulation.species import BODY_LEVEL, Species

ATTEMPTS = 150


@dataclass(frozen=True, kw_only=True)
class Placed:
    """One placed particle.

    Attributes
    ----------
    position_zyx
        Centre of mass, 0-based voxels.
    rotation
        Turns the species' map (xyz) into the tomogram.
    """

    name: str
    position_zyx: NDArray[np.float64]
    rotation: Rotation


@dataclass
class Scene:
    """Density ``(Z, Y, X)`` float32 and what is occupied in it (bool)."""

    density: NDArray[np.float32]
    occupied: NDArray[np.bool_]


def empty_scene(shape_zyx: tuple[int, int, int]) -> Scene:
    """Return a scene without anything in it."""
    return Scene(np.zeros(shape_zyx, np.float32), np.zeros(shape_zyx, dtype=bool))


def place_species(
    scene: Scene, species: Species, count: int, *, generator: np.random.Generator
) -> list[Placed]:
    """Add up to ``count`` particles to a scene; return those that found room."""
    placed = []
    for _ in range(count):
        found = _place_one(scene, species, generator)
        if found is not None:
            placed.append(found)
    return placed


def turned_density(
    species: Species, rotation: Rotation, fraction_zyx: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Turn a species' density about its centre of mass.

    Parameters
    ----------
    fraction_zyx
        Where the centre of mass goes, voxels from the centre of the returned box.

    Returns
    -------
    ndarray
        ``(B, B, B)``, B odd.
    """
    half = int(np.ceil(np.linalg.norm(species.density.shape) / 2)) + 1
    # xyz matrix to zyx: both axes reversed. The inverse maps output to input.
    inverse = rotation.as_matrix()[::-1, ::-1].T
    centre = np.full(3, half) + fraction_zyx
    turned: NDArray[np.float32] = ndimage.affine_transform(
        species.density,
        inverse,
        offset=species.centre_of_mass_zyx - inverse @ centre,
        output_shape=(2 * half + 1,) * 3,
        order=1,
    )
    return _trim(turned)


def _trim(box: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut empty margins off, equally on all sides."""
    half = box.shape[0] // 2
    reach = int(np.abs(np.argwhere(box > 0) - half).max())
    inner = slice(half - reach, half + reach + 1)
    return box[inner, inner, inner]


def _place_one(
    scene: Scene, species: Species, generator: np.random.Generator
) -> Placed | None:
    rotation = Rotation.from_quat(random_quaternion(generator))
    fraction = generator.uniform(-0.5, 0.5, 3)
    box = turned_density(species, rotation, fraction)
    body = box > BODY_LEVEL
    half = box.shape[0] // 2
    extent = np.abs(np.argwhere(body) - half).max(axis=0)
    low, high = extent, np.asarray(scene.density.shape) - extent
    if (low >= high).any():
        return None
    claimed = ndimage.binary_dilation(body)
    for _ in range(ATTEMPTS):
        centre = generator.integers(low, high)
        inside, part = _overlap(centre, half, scene.density.shape)
        if not scene.occupied[inside][claimed[part]].any():
            scene.density[inside] += box[part]
            scene.occupied[inside] |= body[part]
            return Placed(
                name=species.name, position_zyx=centre + fraction, rotation=rotation
            )
    return None


def _overlap(
    centre: NDArray[np.int64], half: int, shape: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the part of a volume that a box covers, and that part of the box."""
    inside, part = [], []
    for c, n in zip(centre.tolist(), shape, strict=True):
        first, last = max(c - half, 0), min(c + half + 1, n)
        inside.append(slice(first, last))
        part.append(slice(first - c + half, last - c + half))
    return tuple(inside), tuple(part)


def random_quaternion(generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw a uniformly distributed rotation (four normals, normalised)."""
    quaternion = generator.standard_normal(4)
    return np.asarray(quaternion / np.linalg.norm(quaternion))
