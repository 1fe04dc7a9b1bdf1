"""Filaments and vesicles in a micrograph: projections that bend, cross and are cut."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.geometry import lies_outside
from etpicker_plugin.engine.simulation.bilayer import BILAYER_REACH_ANG, bilayer
from etpicker_plugin.engine.simulation.curves import STEP_ANG, Curve, cut_to_volume
from etpicker_plugin.engine.simulation.filaments import (
    DENSITIES,
    SHORTEST_ANG,
    TRUTH_STEP_ANG,
    FilamentSpecies,
    PlacedFilament,
)
from etpicker_plugin.engine.simulation.micrograph_canvas import Canvas, Image, Mask
from etpicker_plugin.engine.simulation.placement import ATTEMPTS
from etpicker_plugin.engine.simulation.vesicles import (
    LEAST_INSIDE,
    MOST_FLATTENED,
    RADII_ANG,
    SHARE_OF_SPHERES,
    PlacedVesicle,
)

DEPTH_STEP_ANG = 4.0
PIECE = 20
"""Points of a curve that are painted at once."""
REFINED = 2
PROBES = 720
"""Points of an outline that tell how much of it lies in the image."""


# ------------------------------- filaments -------------------------------------
def place_filaments(
    canvas: Canvas,
    species: FilamentSpecies,
    count: int,
    *,
    overlap: float,
    generator: np.random.Generator,
) -> list[PlacedFilament]:
    """Add up to ``count`` filaments; return those that found room, on the canvas."""
    placed: list[PlacedFilament] = []
    for _ in range(count):
        for _ in range(ATTEMPTS):
            persistence = float(
                np.exp(generator.uniform(*np.log(species.persistence_ang)))
            )
            whole = draw_flat_curve(canvas, species, persistence, generator)
            curve, inside = cut_to_volume(
                whole, canvas.shape_zyx, margin_ang=species.diameter_ang
            )
            length = (inside.stop - inside.start - 1) * STEP_ANG
            if length < SHORTEST_ANG or _share_crossed(canvas, curve) > overlap:
                continue
            image, body = paint_filament(canvas, curve, species, generator)
            corner = np.zeros(2, dtype=np.int64)
            if canvas.claim(image, body, corner, overlap=overlap):
                every = round(TRUTH_STEP_ANG / STEP_ANG)
                points = curve.points_zyx[inside][::every]
                placed.append(
                    PlacedFilament(
                        name=species.name,
                        identifier=f"{species.name}_{len(placed) + 1}",
                        points_zyx=points,
                        length_ang=(len(points) - 1) * every * STEP_ANG,
                        persistence_ang=persistence,
                    )
                )
                break
    return placed


def _share_crossed(canvas: Canvas, curve: Curve) -> float:
    """Return on how much of a centreline something stands: quick, before painting."""
    points = curve.points_zyx[~lies_outside(curve.points_zyx, canvas.shape_zyx)]
    index = np.round(points[:, 1:]).astype(int)
    return float(canvas.occupied[tuple(index.T)].mean())


def draw_flat_curve(
    canvas: Canvas,
    species: FilamentSpecies,
    persistence_ang: float,
    generator: np.random.Generator,
) -> Curve:
    """Draw a worm-like chain that lies in the plane, through a place of the canvas."""
    length = generator.uniform(*species.lengths_ang)
    count = max(4, round(length / STEP_ANG))
    turns = generator.normal(0, np.sqrt(STEP_ANG / persistence_ang), count)
    angles = generator.uniform(0, 2 * np.pi) + np.cumsum(turns)
    flat = np.zeros(count)
    tangents = np.stack([flat, np.sin(angles), np.cos(angles)], axis=1)
    points = np.cumsum(tangents, axis=0) * (STEP_ANG / canvas.spacing)
    middle = generator.uniform(-0.5, np.array(canvas.thickness.shape) - 0.5)
    points += np.array([0.0, *middle]) - points[count // 2]
    normals = np.stack([flat, np.cos(angles), -np.sin(angles)], axis=1)
    return Curve(points_zyx=points, tangents=tangents, normals=normals)


def paint_filament(
    canvas: Canvas,
    curve: Curve,
    species: FilamentSpecies,
    generator: np.random.Generator,
) -> tuple[Image, Mask]:
    """Return a filament's projection and body, each of the canvas' size."""
    image = np.zeros_like(canvas.thickness)
    body = np.zeros_like(canvas.occupied)
    table = generator.uniform(*DENSITIES) * project_straight(
        species,
        len(curve.points_zyx),
        roll=generator.uniform(0, 2 * np.pi),
        spacing=canvas.spacing,
    )
    reach = species.reach_ang / canvas.spacing
    for first in range(0, len(curve.points_zyx), PIECE):
        points = curve.points_zyx[first : first + PIECE, 1:]
        low = np.maximum(np.floor(points.min(axis=0) - reach).astype(int), 0)
        high = np.ceil(points.max(axis=0) + reach).astype(int) + 1
        high = np.minimum(high, canvas.thickness.shape)
        if (low >= high).any():
            continue
        box = (slice(low[0], high[0]), slice(low[1], high[1]))
        across, way, own = _on_curve(box, curve, first, canvas.spacing)
        places = [across / canvas.spacing + table.shape[0] // 2, way / STEP_ANG]
        found = ndimage.map_coordinates(table, places, order=1, cval=0.0)
        image[box][own] = found[own]
        body[box] |= own & (np.abs(across) < 0.5 * species.diameter_ang)
    return image, body


def project_straight(
    species: FilamentSpecies, points: int, *, roll: float, spacing: float
) -> FloatArray:
    """Return the projection of a straight filament: ``(across, along)``, Å of matter.

    Across there is a row every ``spacing``, the middle one on the axis; along, a column
    for each of so many points of a curve.
    """
    half = int(np.ceil(species.reach_ang / spacing))
    across = np.arange(-half, half + 1)[:, None] * spacing
    way = np.arange(points)[None] * STEP_ANG
    table = np.zeros((2 * half + 1, points))
    for depth in np.arange(-species.reach_ang, species.reach_ang, DEPTH_STEP_ANG):
        distance = np.hypot(across, depth) + 0 * way
        angle = np.arctan2(depth, across) + roll
        table += species.profile(distance, angle, way, spacing) * DEPTH_STEP_ANG
    return table


def _on_curve(
    box: tuple[slice, slice], curve: Curve, first: int, spacing: float
) -> tuple[FloatArray, FloatArray, Mask]:
    """Return how far off one piece of a curve, and how far along it, pixels lie (Å).

    And which are its own: the others lie before or beyond it.
    """
    piece = slice(first, first + PIECE)
    points, tangents = curve.points_zyx[piece, 1:], curve.tangents[piece, 1:]
    normals = curve.normals[piece, 1:]
    grid = np.moveaxis(np.mgrid[box], 0, -1).astype(np.float64)
    nearest = np.full(grid.shape[:2], len(points) // 2)
    for _ in range(REFINED):  # By the tangent at a nearer and nearer one.
        offset = (grid - points[nearest]) * spacing
        along = (offset * tangents[nearest]).sum(axis=-1)
        nearest += np.round(along / STEP_ANG).astype(int)
        nearest = np.clip(nearest, 0, len(points) - 1)
    offset = (grid - points[nearest]) * spacing
    along = (offset * tangents[nearest]).sum(axis=-1)
    across = (offset * normals[nearest]).sum(axis=-1)
    # A little beyond, so that no pixel falls between two pieces where they bend.
    own = np.abs(along) < STEP_ANG + 0.5 * spacing
    return across, (first + nearest) * STEP_ANG + along, own


# ------------------------------- vesicles --------------------------------------
def place_vesicles(
    canvas: Canvas,
    name: str,
    count: int,
    *,
    overlap: float,
    generator: np.random.Generator,
) -> list[PlacedVesicle]:
    """Add up to ``count`` vesicles; return those that found room, on the canvas.

    Some are round, the others ellipses; many are cut by an edge of the image, and one
    may hold another, or particles.
    """
    placed = []
    for _ in range(count):
        for _ in range(ATTEMPTS):
            vesicle = _draw_vesicle(canvas, name, generator)
            if vesicle.share_inside < LEAST_INSIDE:
                continue
            image, body, low = paint_vesicle(vesicle, canvas.spacing)
            if canvas.claim(image, body, low, overlap=overlap):
                placed.append(vesicle)
                break
    return placed


def _draw_vesicle(
    canvas: Canvas, name: str, generator: np.random.Generator
) -> PlacedVesicle:
    shape = np.array(canvas.thickness.shape)
    flattened = 0.0 if generator.random() < SHARE_OF_SPHERES else MOST_FLATTENED
    radius = generator.uniform(*RADII_ANG)
    stretch = generator.uniform(-flattened, flattened)
    half_axes = radius * np.array([1 + stretch, 1 - stretch, 1.0])
    rotation = Rotation.from_euler("z", generator.uniform(0, 180), degrees=True)
    centre = generator.uniform(-0.5, shape - 0.5)
    angle = np.linspace(0, 2 * np.pi, PROBES, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    outline = centre + rotation.apply(half_axes * circle)[:, 1::-1] / canvas.spacing
    inside = ((outline >= -0.5) & (outline <= shape - 0.5)).all(axis=1)
    return PlacedVesicle(
        name=name,
        centre_zyx=np.array([0.0, *centre]),
        half_axes_ang=half_axes,
        rotation=rotation,
        share_inside=float(inside.mean()),
        weight=generator.uniform(0.8, 1.2),
    )


def paint_vesicle(
    vesicle: PlacedVesicle, spacing: float
) -> tuple[Image, Mask, NDArray[np.int64]]:
    """Return a vesicle's projection, its rim, and where their first pixel goes.

    The rim is what it claims of the room.
    """
    reach = vesicle.half_axes_ang.max() + BILAYER_REACH_ANG
    low = np.floor(vesicle.centre_zyx[1:] - reach / spacing).astype(np.int64)
    size = 2 * int(np.ceil(reach / spacing)) + 2
    y, x = np.mgrid[:size, :size] + (low - vesicle.centre_zyx[1:])[:, None, None]
    across = np.stack([x, y, 0 * x], axis=-1) * spacing
    own = across @ vesicle.rotation.as_matrix() / vesicle.half_axes_ang
    # An ellipse is taken for a circle of its mean radius that was stretched.
    distance = np.linalg.norm(own, axis=-1) * vesicle.radius_ang
    table = _shell_profile(vesicle.radius_ang, spacing)
    image = vesicle.weight * np.interp(distance / spacing, np.arange(len(table)), table)
    rim = np.abs(distance - vesicle.radius_ang) < BILAYER_REACH_ANG
    return image.astype(np.float32), rim, low


def _shell_profile(radius_ang: float, spacing: float) -> FloatArray:
    """Return the matter (Å) above a place at 0, 1, 2 … pixels from a shell's centre."""
    reach = radius_ang + BILAYER_REACH_ANG
    distance = np.arange(0, reach + 2 * spacing, spacing)[:, None]
    depth = np.arange(0, reach, DEPTH_STEP_ANG)[None] + 0.5 * DEPTH_STEP_ANG
    shell = bilayer(np.hypot(distance, depth) - radius_ang)
    profile = 2 * DEPTH_STEP_ANG * shell.sum(axis=1)
    return np.asarray(profile)
