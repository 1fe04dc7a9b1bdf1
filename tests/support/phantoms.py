"""Small tomograms with dark spheres at known places, of three different odd sizes."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np

VOXEL_SIZE = 10.0
DIAMETERS = {"large": 140.0, "small": 90.0}
SHAPES_ZYX = {"TS_a": (41, 63, 75), "TS_b": (43, 67, 71), "TS_c": (45, 61, 73)}
PARTICLES = {"large": 6, "small": 8}


def make_phantoms(folder: Path) -> dict[str, np.ndarray]:
    """Write NAME.mrc and NAME.csv (truth) for every shape; return the truth by name.

    The truth is a structured array of class, x, y, z; centres are no whole voxels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    truth = {}
    for seed, (name, shape_zyx) in enumerate(SHAPES_ZYX.items()):
        generator = np.random.default_rng(seed)
        particles = place_particles(shape_zyx, generator)
        write_tomogram(
            folder / f"{name}.mrc", draw(shape_zyx, particles, generator=generator)
        )
        write_truth(folder / f"{name}.csv", particles)
        truth[name] = np.array(
            particles, dtype=[("class", "U8"), ("x", float), ("y", float), ("z", float)]
        )
    return truth


def make_phantom(
    path: Path, shape_zyx: tuple[int, int, int], counts: dict[str, int], *, seed: int
) -> list[tuple[str, float, float, float]]:
    """Write one tomogram with so many spheres of each class; return the truth."""
    generator = np.random.default_rng(seed)
    particles = place_particles(shape_zyx, generator, counts)
    write_tomogram(path, draw(shape_zyx, particles, generator=generator))
    write_truth(path.with_suffix(".csv"), particles)
    return particles


def place_particles(
    shape_zyx: tuple[int, int, int],
    generator: np.random.Generator,
    counts: dict[str, int] = PARTICLES,
) -> list[tuple[str, float, float, float]]:
    """Return class, x, y, z of spheres that do not touch."""
    placed: list[tuple[str, float, float, float]] = []
    for name, count in counts.items():
        wanted = len(placed) + count
        margin = DIAMETERS[name] / VOXEL_SIZE / 2
        for _ in range(20000):
            high = np.asarray(shape_zyx[::-1]) - 1 - margin
            position = np.round(generator.uniform(margin, high), 3)
            if all(is_apart(position, name, other) for other in placed):
                placed.append((name, *(float(p) for p in position)))
            if len(placed) == wanted:
                break
    return placed


def is_apart(
    position_xyz: np.ndarray, name: str, other: tuple[str, float, float, float]
) -> bool:
    """Return whether two spheres are at least a voxel apart."""
    least = (DIAMETERS[name] + DIAMETERS[other[0]]) / VOXEL_SIZE / 2 + 1
    return float(np.linalg.norm(position_xyz - np.asarray(other[1:]))) > least


def draw(
    shape_zyx: tuple[int, int, int],
    particles: list[tuple[str, float, float, float]],
    *,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return noise of standard deviation 1 with dark spheres."""
    volume = generator.normal(0, 1, shape_zyx)
    z, y, x = np.ogrid[tuple(slice(0, n) for n in shape_zyx)]
    for name, px, py, pz in particles:
        distance = np.sqrt((x - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2)
        radius = DIAMETERS[name] / VOXEL_SIZE / 2
        depth = 2.5 if name == "large" else 4.0
        volume -= depth * np.clip(radius - distance + 0.5, 0, 1)
    return volume.astype(np.float32)


def write_tomogram(path: Path, volume: np.ndarray) -> None:
    """Write a volume with its voxel size."""
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(volume)
        mrc.set_volume()
        mrc.voxel_size = VOXEL_SIZE


def write_truth(path: Path, particles: list[tuple[str, float, float, float]]) -> None:
    """Write class,x,y,z."""
    lines = [f"{name},{x:.3f},{y:.3f},{z:.3f}" for name, x, y, z in particles]
    path.write_text("class,x,y,z\n" + "\n".join(lines) + "\n", encoding="utf-8")
