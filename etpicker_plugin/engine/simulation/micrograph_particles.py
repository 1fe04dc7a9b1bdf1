"""Particles in a micrograph: projections in random orientations."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.simulation.micrograph_canvas import Canvas, Image
from etpicker_plugin.engine.simulation.placement import (
    ATTEMPTS,
    Placed,
    random_quaternion,
)
from etpicker_plugin.engine.simulation.species import Species

BODY_SHARE = 0.15
"""A particle claims the room where it has this share of its greatest thickness."""


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """A species as points.

    Attributes
    ----------
    offsets_xyz
        ``(N, 3)`` from the centre of mass, in units of the canvas.
    heights
        ``(N,)`` Å of dense matter that each point adds to its pixel.
    """

    name: str
    offsets_xyz: FloatArray
    heights: FloatArray


def cloud_of(species: Species, spacing: float) -> Cloud:
    """Return a species' points; its voxels are as large as the canvas' pixels."""
    index = np.argwhere(species.density > 0)
    return Cloud(
        name=species.name,
        offsets_xyz=(index - species.centre_of_mass_zyx)[:, ::-1].copy(),
        heights=species.density[tuple(index.T)].astype(np.float64) * spacing,
    )


def project(cloud: Cloud, rotation: Rotation, fraction_yx: FloatArray) -> Image:
    """Project a turned species along z.

    Parameters
    ----------
    fraction_yx
        Where the centre of mass goes, pixels from the middle one of the image.

    Returns
    -------
    ndarray
        ``(B, B)`` Å of dense matter, B odd.
    """
    # Two rows of the matrix: where points are along z does not matter.
    places = cloud.offsets_xyz @ rotation.as_matrix()[:2].T
    places = places[:, ::-1] + fraction_yx
    half = int(np.ceil(np.abs(places).max())) + 1
    return splat(places + half, cloud.heights, 2 * half + 1)


def splat(places_yx: FloatArray, heights: FloatArray, size: int) -> Image:
    """Share each point between its four nearest pixels of a square image."""
    first = np.floor(places_yx).astype(np.int64)
    share = places_yx - first
    image = np.zeros(size * size)
    for dy in (0, 1):
        for dx in (0, 1):
            weight = np.abs(1 - dy - share[:, 0]) * np.abs(1 - dx - share[:, 1])
            index = (first[:, 0] + dy) * size + first[:, 1] + dx
            image += np.bincount(index, weight * heights, minlength=size * size)
    return image.reshape(size, size).astype(np.float32)


def place_particles(
    canvas: Canvas,
    cloud: Cloud,
    count: int,
    *,
    overlap: float,
    generator: np.random.Generator,
) -> list[Placed]:
    """Add up to ``count`` whole particles; return those that found room.

    Their positions are on the canvas, at z = 0.
    """
    placed = []
    for _ in range(count):
        rotation = Rotation.from_quat(random_quaternion(generator))
        fraction = generator.uniform(-0.5, 0.5, 2)
        image = project(cloud, rotation, fraction)
        centre = _find_room(canvas, image, overlap=overlap, generator=generator)
        if centre is not None:
            position = np.array([0.0, *(centre + fraction)])
            placed.append(
                Placed(name=cloud.name, position_zyx=position, rotation=rotation)
            )
    return placed


def _find_room(
    canvas: Canvas, image: Image, *, overlap: float, generator: np.random.Generator
) -> NDArray[np.int64] | None:
    """Paint an image where there is room, and return where its middle pixel went."""
    half = image.shape[0] // 2
    body = image > BODY_SHARE * image.max()
    extent = np.abs(np.argwhere(body) - half).max(axis=0)
    low, high = extent, np.asarray(canvas.thickness.shape) - extent
    if (low >= high).any():
        return None
    for _ in range(ATTEMPTS):
        centre = generator.integers(low, high)
        if canvas.claim(image, body, centre - half, overlap=overlap):
            return np.asarray(centre)
    return None
