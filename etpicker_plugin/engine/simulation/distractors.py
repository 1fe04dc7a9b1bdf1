"""What else is in a cell, without a truth: vesicles, filaments and gold beads."""

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.simulation.bilayer import OCCUPIED_LEVEL, bilayer
from etpicker_plugin.engine.simulation.placement import Scene

VESICLE_RADIUS_ANG = (180.0, 420.0)
FILAMENT_RADIUS_ANG = (30.0, 110.0)
FILAMENT_DENSITY = 0.6
GOLD_RADIUS_ANG = 50.0
GOLD_DENSITY = 6.0


def add_distractors(
    scene: Scene,
    *,
    vesicles: int,
    filaments: int,
    gold: int,
    voxel_size: float,
    generator: np.random.Generator,
) -> None:
    """Add vesicles, filaments and gold beads at random places."""
    shape = np.asarray(scene.density.shape)
    for _ in range(vesicles):
        radius = generator.uniform(*VESICLE_RADIUS_ANG)
        centre = generator.uniform(0, shape)
        add_density(scene, draw_shell(shape, centre, radius, voxel_size))
    for _ in range(filaments):
        radius = FILAMENT_RADIUS_ANG[int(generator.integers(2))]
        point = generator.uniform(0.2 * shape, 0.8 * shape)
        direction = generator.normal(size=3) * (0.3, 1.0, 1.0)
        direction /= np.linalg.norm(direction)
        add_density(scene, _tube(shape, point, direction, radius, voxel_size))
    for _ in range(gold):
        centre = generator.uniform(0, shape)
        add_density(scene, _bead(shape, centre, voxel_size))


def add_density(scene: Scene, density: NDArray[np.float64]) -> None:
    """Add a density where nothing denser stands, and mark it occupied."""
    np.maximum(scene.density, density, out=scene.density, casting="unsafe")
    scene.occupied |= density > OCCUPIED_LEVEL


def _distance_ang(
    shape: NDArray[np.int64], centre: NDArray[np.float64], voxel_size: float
) -> NDArray[np.float64]:
    z, y, x = np.ogrid[tuple(slice(0, n) for n in shape)]
    squared = (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
    return np.asarray(voxel_size * np.sqrt(squared))


def draw_shell(
    shape: NDArray[np.int64],
    centre: NDArray[np.float64],
    radius_ang: float,
    voxel_size: float,
) -> NDArray[np.float64]:
    """Return a vesicle that is a sphere."""
    return bilayer(_distance_ang(shape, centre, voxel_size) - radius_ang)


def _tube(
    shape: NDArray[np.int64],
    point: NDArray[np.float64],
    direction: NDArray[np.float64],
    radius_ang: float,
    voxel_size: float,
) -> NDArray[np.float64]:
    """Return a filament through a point: solid when thin, hollow when thick."""
    z, y, x = np.ogrid[tuple(slice(0, n) for n in shape)]
    dz, dy, dx = z - point[0], y - point[1], x - point[2]
    along = dz * direction[0] + dy * direction[1] + dx * direction[2]
    squared = dz**2 + dy**2 + dx**2 - along**2
    distance = voxel_size * np.sqrt(np.maximum(squared, 0.0))
    if radius_ang < 50.0:
        profile = np.exp(-(distance**2) / (2 * (radius_ang / 1.5) ** 2))
    else:
        profile = np.exp(-((distance - radius_ang) ** 2) / (2 * 14.0**2))
    return np.asarray(FILAMENT_DENSITY * profile)


def _bead(
    shape: NDArray[np.int64], centre: NDArray[np.float64], voxel_size: float
) -> NDArray[np.float64]:
    depth = GOLD_RADIUS_ANG - _distance_ang(shape, centre, voxel_size)
    return np.asarray(GOLD_DENSITY / (1.0 + np.exp(-depth / (0.4 * voxel_size))))
