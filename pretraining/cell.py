"""What surrounds the particles of a scene: membranes, filaments, gold and crowding."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.simulation.distractors import (
    add_density,
    add_distractors,
    draw_shell,
)
from etpicker_plugin.engine.simulation.placement import Scene, empty_scene

SHEET_RADIUS_ANG = (600.0, 5000.0)
SHEET_SHARE, DOUBLE_SHARE = 0.4, 0.4
DOUBLE_GAP_ANG = (160.0, 320.0)
GOLD_SHARE = 0.35
CROWD_SHARE = 0.6
CROWD_GRAIN_ANG = (14.0, 40.0)
CROWD_LEVEL_SD = (0.3, 1.3)
CROWD_DENSITY = (0.15, 0.7)
HALF_SHARE = 0.25
"""Of the crowded scenes: those of which a part is empty, as beside a cell."""


def draw_cell(
    shape_zyx: tuple[int, int, int], voxel_size: float, generator: np.random.Generator
) -> Scene:
    """Return a scene that holds all but particles."""
    scene = empty_scene(shape_zyx)
    add_distractors(
        scene,
        vesicles=int(generator.integers(0, 3)),
        filaments=int(generator.integers(0, 5)),
        gold=int(generator.integers(1, 7)) if generator.random() < GOLD_SHARE else 0,
        voxel_size=voxel_size,
        generator=generator,
    )
    if generator.random() < SHEET_SHARE:
        _add_sheets(scene, voxel_size, generator)
    if generator.random() < CROWD_SHARE:
        _add_crowd(scene, voxel_size, generator)
    return scene


def _add_sheets(
    scene: Scene, voxel_size: float, generator: np.random.Generator
) -> None:
    """Add a membrane that goes through the whole scene, or two side by side."""
    shape = np.asarray(scene.density.shape)
    radius = float(np.exp(generator.uniform(*np.log(SHEET_RADIUS_ANG))))
    direction = generator.normal(size=3) * (0.4, 1.0, 1.0)
    direction /= np.linalg.norm(direction)
    through = generator.uniform(0.15, 0.85, 3) * shape
    centre = through + direction * radius / voxel_size
    radii = [radius]
    if generator.random() < DOUBLE_SHARE:
        radii.append(radius + float(generator.uniform(*DOUBLE_GAP_ANG)))
    for one in radii:
        add_density(scene, draw_shell(shape, centre, one, voxel_size))


def _add_crowd(scene: Scene, voxel_size: float, generator: np.random.Generator) -> None:
    """Fill what is free with grains of no particular shape: small proteins.

    Particles are placed among them, over what is not counted as occupied.
    """
    shape = scene.density.shape
    grain = generator.uniform(*CROWD_GRAIN_ANG) / voxel_size
    noise = ndimage.gaussian_filter(
        generator.standard_normal(shape).astype(np.float32), grain
    )
    above = np.clip(noise / noise.std() - generator.uniform(*CROWD_LEVEL_SD), 0, None)
    crowd = np.minimum(above, 1.0) * generator.uniform(*CROWD_DENSITY)
    if generator.random() < HALF_SHARE:
        crowd *= _half(shape, generator)
    scene.density += np.where(scene.occupied, 0, crowd).astype(np.float32)


def _half(
    shape: tuple[int, ...], generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return 1 on one side of a plane through the middle and 0 on the other, soft."""
    direction = generator.normal(size=3)
    direction /= np.linalg.norm(direction)
    axes = [np.arange(n) - (n - 1) / 2 for n in shape]
    grid = np.meshgrid(*axes, indexing="ij", sparse=True)
    depth = sum(d * axis for d, axis in zip(direction, grid, strict=True))
    return np.asarray(1 / (1 + np.exp(-depth / 2)))
