"""Particles that do not exist: soft bodies of random shape, symmetry and size."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.simulation.species import (
    Ellipsoid,
    draw_ellipsoids,
    make_species,
)

SYMMETRIES = (1, 1, 1, 2, 3, 4, 6, 7)
TWO_LAYERS_SHARE = 0.35
DIAMETER_RANGE_ANG = (110.0, 390.0)
TEXTURE_ANG = (10.0, 20.0)
TEXTURE_SHARE = (0.2, 0.5)


def draw_density(
    generator: np.random.Generator, voxel_size: float
) -> NDArray[np.float32]:
    """Draw a particle's density: ``(Z, Y, X)``, protein positive.

    A union of ellipsoids, repeated around z for cyclic symmetry, some with their mirror
    image below them as a second layer, with an inner texture.
    """
    low, high = np.log(DIAMETER_RANGE_ANG)
    wanted = float(np.exp(generator.uniform(low, high)))
    bodies = _draw_bodies(generator)
    scale = wanted / 2
    for _ in range(4):  # what a body measures is not quite proportional to its scale
        body = draw_ellipsoids(
            [_scaled(centre, axes, scale) for centre, axes in bodies], voxel_size
        )
        scale *= wanted / make_species("", body, voxel_size).diameter_ang
    noise = generator.standard_normal(body.shape)
    texture = ndimage.gaussian_filter(
        noise, generator.uniform(*TEXTURE_ANG) / voxel_size
    )
    texture = np.clip(texture / texture.std(), -2.5, 2.5)
    textured = body * (1.0 + generator.uniform(*TEXTURE_SHARE) * texture)
    return np.clip(textured, 0.0, None).astype(np.float32)


def _draw_bodies(
    generator: np.random.Generator,
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Draw ellipsoids in a ball of radius about 1: centres and half axes, xyz."""
    fold = int(generator.choice(SYMMETRIES))
    number = int(generator.integers(3, 9) if fold == 1 else generator.integers(1, 4))
    bodies = []
    for _ in range(number):
        reach = np.sqrt(generator.random())
        direction = generator.normal(size=3)
        centre = direction / np.linalg.norm(direction) * reach
        centre[2] *= generator.uniform(0.4, 1.6)
        if fold > 1:
            centre[:2] *= generator.uniform(0.45, 1.0) / np.linalg.norm(centre[:2])
        axes = generator.uniform(0.22, 0.6 if fold < 3 else 0.45, 3)
        bodies += [(_about_z(2 * np.pi * k / fold) @ centre, axes) for k in range(fold)]
    if generator.random() < TWO_LAYERS_SHARE:
        below = _about_z(generator.uniform(0, np.pi)) @ np.diag([1.0, 1.0, -1.0])
        up = np.array([0.0, 0.0, generator.uniform(0.3, 0.7)])
        upper = [(centre + up, axes) for centre, axes in bodies]
        bodies = upper + [(below @ centre, axes) for centre, axes in upper]
    return bodies


def _about_z(angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _scaled(
    centre: NDArray[np.float64], axes: NDArray[np.float64], scale: float
) -> Ellipsoid:
    x, y, z = (centre * scale).tolist()
    rx, ry, rz = (axes * scale).tolist()
    return (x, y, z), (rx, ry, rz)
