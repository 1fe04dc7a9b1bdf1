"""Filaments with a truth: what they look like, and where they go.

Microtubules and actin look the same both ways; arrowheads point along their truth.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.geometry import lies_outside
from etpicker_plugin.engine.simulation.curves import (
    STEP_ANG,
    Curve,
    cut_to_volume,
    draw_curve,
)
from etpicker_plugin.engine.simulation.placement import ATTEMPTS, Scene

DENSITIES = (0.5, 1.0)
TRUTH_STEP_ANG = 50.0
SHORTEST_ANG = 300.0
PIECE = 10
"""Points of the curve that are painted at once."""
RESOLVED_VOX = 4.0
"""A repeat of fewer voxels is left out."""

WALL_ANG, WALL_SIGMA_ANG = 108.0, 13.0
PROTOFILAMENTS, MONOMER_ANG, STARTS = 13, 41.0, 3
STRAND_ANG, STRAND_SIGMA_ANG = 18.0, 14.0
CROSSOVER_ANG, SUBUNIT_ANG = 360.0, 55.0
ROD_SIGMA_ANG = 15.0
SLEEVE_ANG, SLEEVE_SIGMA_ANG, SLEEVE_DENSITY = 45.0, 22.0, 0.7
CONE_ANG, CONE_SLOPE = 90.0, 0.9
"""From cone to cone along the axis, and how far a cone falls behind off it."""

Profile = Callable[[FloatArray, FloatArray, FloatArray, float], FloatArray]
"""Density, 0 to about 1, from distance to the axis, angle about it, and way along it
(Å, radians, Å) and the voxel size."""


@dataclass(frozen=True, kw_only=True)
class FilamentSpecies:
    """A kind of filament.

    Attributes
    ----------
    diameter_ang
        Outer diameter.
    reach_ang
        How far its density reaches from the axis.
    lengths_ang, persistence_ang
        Lowest and highest of what is drawn; of the second, its logarithm.
    """

    name: str
    diameter_ang: float
    reach_ang: float
    lengths_ang: tuple[float, float]
    persistence_ang: tuple[float, float]
    profile: Profile


@dataclass(frozen=True, kw_only=True)
class PlacedFilament:
    """A placed filament: its centreline inside the volume, ``(N, 3)`` voxels zyx."""

    name: str
    identifier: str
    points_zyx: FloatArray
    length_ang: float
    persistence_ang: float


def microtubule(
    distance: FloatArray, angle: FloatArray, way: FloatArray, voxel_size: float
) -> FloatArray:
    """Return a hollow wall of protofilaments, with the lattice of their monomers."""
    wall = np.exp(-((distance - WALL_ANG) ** 2) / (2 * WALL_SIGMA_ANG**2))
    ridges = 1.0 + 0.3 * np.cos(PROTOFILAMENTS * angle)
    lattice = 0.3 * np.cos(2 * np.pi * way / MONOMER_ANG - STARTS * angle)
    return np.asarray(wall * (ridges + lattice * _resolved(MONOMER_ANG, voxel_size)))


def actin(
    distance: FloatArray, angle: FloatArray, way: FloatArray, voxel_size: float
) -> FloatArray:
    """Return two strands that cross over, each a row of subunits."""
    density = np.zeros_like(distance)
    for strand in (0, 1):
        turn = angle - np.pi * (way / CROSSOVER_ANG + strand)
        squared = distance**2 + STRAND_ANG**2 - 2 * distance * STRAND_ANG * np.cos(turn)
        beads = 0.5 * np.cos(2 * np.pi * way / SUBUNIT_ANG + np.pi * strand)
        density += np.exp(-squared / (2 * STRAND_SIGMA_ANG**2)) * (
            1.0 + beads * _resolved(SUBUNIT_ANG, voxel_size)
        )
    return density


def arrowheads(
    distance: FloatArray, angle: FloatArray, way: FloatArray, voxel_size: float
) -> FloatArray:
    """Return a rod in a sleeve of cones that point along it, as decorated actin has."""
    rod = np.exp(-(distance**2) / (2 * ROD_SIGMA_ANG**2))
    sleeve = np.exp(-((distance - SLEEVE_ANG) ** 2) / (2 * SLEEVE_SIGMA_ANG**2))
    cones = np.cos(2 * np.pi * (way - CONE_SLOPE * distance) / CONE_ANG)
    ripple = 0.5 * cones * _resolved(CONE_ANG, voxel_size)
    return np.asarray(rod + SLEEVE_DENSITY * sleeve * (0.5 + ripple))


FILAMENTS = {
    "mt": FilamentSpecies(
        name="mt",
        diameter_ang=250.0,
        reach_ang=150.0,
        lengths_ang=(1500.0, 8000.0),
        persistence_ang=(1e5, 1e6),
        profile=microtubule,
    ),
    "actin": FilamentSpecies(
        name="actin",
        diameter_ang=70.0,
        reach_ang=65.0,
        lengths_ang=(800.0, 5000.0),
        persistence_ang=(3e4, 3e5),
        profile=actin,
    ),
    "arrowheads": FilamentSpecies(
        name="arrowheads",
        diameter_ang=140.0,
        reach_ang=110.0,
        lengths_ang=(1000.0, 5000.0),
        persistence_ang=(1e5, 1e6),
        profile=arrowheads,
    ),
}


def filament_species(name: str) -> FilamentSpecies:
    """Return a kind of filament.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    if name not in FILAMENTS:
        raise ConfigError(
            f"--filament-species {name}: not built in; expected some of: "
            f"{', '.join(FILAMENTS)}."
        )
    return FILAMENTS[name]


def place_filaments(
    scene: Scene,
    species: FilamentSpecies,
    count: int,
    *,
    voxel_size: float,
    generator: np.random.Generator,
) -> list[PlacedFilament]:
    """Add up to ``count`` filaments to a scene; return those that found room."""
    placed: list[PlacedFilament] = []
    for _ in range(count):
        found = _place_one(scene, species, voxel_size, generator)
        if found is not None:
            points, persistence = found
            length = np.linalg.norm(np.diff(points, axis=0), axis=1).sum() * voxel_size
            placed.append(
                PlacedFilament(
                    name=species.name,
                    identifier=f"{species.name}_{len(placed) + 1}",
                    points_zyx=points,
                    length_ang=float(length),
                    persistence_ang=persistence,
                )
            )
    return placed


def _place_one(
    scene: Scene,
    species: FilamentSpecies,
    voxel_size: float,
    generator: np.random.Generator,
) -> tuple[FloatArray, float] | None:
    """Return the truth's points and the persistence length of one that found room."""
    nz, ny, nx = scene.density.shape
    for _ in range(ATTEMPTS):
        rise = generator.uniform(0.0, 1.0) ** 2  # Few stand upright in a thin volume.
        direction = generator.normal(size=3) * (rise, 1.0, 1.0)
        persistence = float(np.exp(generator.uniform(*np.log(species.persistence_ang))))
        whole = draw_curve(
            generator.uniform(-0.5, np.array([nz, ny, nx]) - 0.5),
            direction / np.linalg.norm(direction),
            length_ang=generator.uniform(*species.lengths_ang),
            persistence_ang=persistence,
            voxel_size=voxel_size,
            generator=generator,
        )
        curve, inside = cut_to_volume(
            whole, (nz, ny, nx), margin_ang=species.diameter_ang
        )
        if (inside.stop - inside.start - 1) * STEP_ANG < SHORTEST_ANG:
            continue
        weight = generator.uniform(*DENSITIES)
        if _add_tube(scene, curve, species, weight=weight, voxel_size=voxel_size):
            every = round(TRUTH_STEP_ANG / STEP_ANG)
            return curve.points_zyx[inside][::every], persistence
    return None


def _add_tube(
    scene: Scene,
    curve: Curve,
    species: FilamentSpecies,
    *,
    weight: float,
    voxel_size: float,
) -> bool:
    """Paint a filament if nothing stands where it goes; tell whether it was."""
    if _is_crossed(scene, curve):
        return False
    body = np.zeros_like(scene.occupied)
    painted: list[tuple[tuple[slice, ...], NDArray[np.float32]]] = []
    for first in range(0, len(curve.points_zyx), PIECE):
        box = _box_about(
            curve.points_zyx[first : first + PIECE],
            species.reach_ang / voxel_size,
            scene.density.shape,
        )
        if any(s.start >= s.stop for s in box):
            continue
        distance, density = _tube_in(box, curve, first, species, voxel_size)
        inside = distance < 0.5 * species.diameter_ang
        if (scene.occupied[box] & inside).any():
            return False
        body[box] |= inside
        painted.append((box, weight * density))
    for box, density in painted:
        part = scene.density[box]
        np.maximum(part, density, out=part)
    scene.occupied |= body
    return True


def _is_crossed(scene: Scene, curve: Curve) -> bool:
    """Tell whether something stands on the centreline: quick, before all is painted."""
    nz, ny, nx = scene.occupied.shape
    points = curve.points_zyx[~lies_outside(curve.points_zyx, (nz, ny, nx))]
    return bool(scene.occupied[tuple(np.round(points).astype(int).T)].any())


def _tube_in(
    box: tuple[slice, ...],
    curve: Curve,
    first: int,
    species: FilamentSpecies,
    voxel_size: float,
) -> tuple[FloatArray, NDArray[np.float32]]:
    """Return distance to the axis (Å) and density of one piece in a box.

    A piece is so short that the way along its middle tells which of its points a voxel
    belongs to. Beyond its ends, where other pieces are or nothing is, the distance is
    infinite.
    """
    piece = slice(first, first + PIECE)
    points = curve.points_zyx[piece]
    grid = np.moveaxis(np.mgrid[box], 0, -1).astype(np.float64)
    shape = grid.shape[:3]
    grid = grid.reshape(-1, 3)
    middle = len(points) // 2
    steps = (grid - points[middle]) @ curve.tangents[piece][middle]
    nearest = np.round(steps * voxel_size / STEP_ANG).astype(int) + middle
    nearest = np.clip(nearest, 0, len(points) - 1)
    offset = (grid - points[nearest]) * voxel_size
    tangent = curve.tangents[piece][nearest]
    normal = curve.normals[piece][nearest]
    along = (offset * tangent).sum(axis=1)
    across = offset - along[:, None] * tangent
    distance = np.linalg.norm(across, axis=1)
    angle = np.arctan2(
        (across * np.cross(tangent, normal)).sum(axis=1), (across * normal).sum(axis=1)
    )
    way = (first + nearest) * STEP_ANG + along
    density = species.profile(distance, angle, way, voxel_size)
    # Half a voxel beyond, so that no voxel falls between two pieces.
    beyond = np.abs(along) > 0.5 * (STEP_ANG + voxel_size)
    distance[beyond], density[beyond] = np.inf, 0.0
    return distance.reshape(shape), density.reshape(shape).astype(np.float32)


def _box_about(
    points: FloatArray, reach: float, shape: tuple[int, ...]
) -> tuple[slice, ...]:
    low = np.maximum(np.floor(points.min(axis=0) - reach).astype(int), 0)
    high = np.minimum(np.ceil(points.max(axis=0) + reach).astype(int) + 1, shape)
    return tuple(slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True))


def _resolved(period_ang: float, voxel_size: float) -> float:
    return float(period_ang >= RESOLVED_VOX * voxel_size)
