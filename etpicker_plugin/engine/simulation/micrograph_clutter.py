"""What else is in a micrograph and is no particle: carbon, ice crystals, aggregates."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.simulation.micrograph_canvas import (
    Canvas,
    Image,
    distances,
)

HOLE_RADIUS_ANG = 6000.0
COVERED = (0.1, 0.35)
"""How far the edge of the carbon lies within, as a share of the shorter side."""
CARBON_EDGE_ANG = 15.0
CARBON_ANG = 170.0
"""What a carbon film adds, in Å of dense protein."""

CRYSTAL_RADIUS_ANG = (120.0, 450.0)
CRYSTAL_ANG = (80.0, 450.0)
CRYSTAL_EDGE_ANG = 22.0
FACETS = 7

BALLS = (8, 60)
BALL_RADIUS_ANG = (14.0, 34.0)
CLUMP_ANG = (60.0, 160.0)
BALL_DENSITY = 0.5
CLUMP_LEVEL_ANG = 6.0

HOT = (2.0, 30.0)
"""A hot pixel's value over the mean."""


@dataclass(frozen=True, kw_only=True)
class Hole:
    """The hole of a carbon film: its centre (pixels of the canvas) and radius (Å)."""

    centre_yx: FloatArray
    radius_ang: float

    def carbon(self, shape_yx: tuple[int, int], spacing: float) -> Image:
        """Return how much of each pixel is carbon, 0 to 1, ``(Y, X)``."""
        beyond = distances(shape_yx, self.centre_yx, spacing) - self.radius_ang
        return np.asarray(0.5 * (1 + np.tanh(beyond / CARBON_EDGE_ANG)))


def draw_hole(canvas: Canvas, generator: np.random.Generator) -> Hole:
    """Return a hole whose edge crosses the canvas on one side."""
    shape = np.array(canvas.thickness.shape)
    angle = generator.uniform(0, 2 * np.pi)
    towards = np.array([np.sin(angle), np.cos(angle)])
    # From the middle to the border in that direction, less what is covered.
    border = (0.5 * shape / np.maximum(np.abs(towards), 1e-9)).min()
    edge = border - generator.uniform(*COVERED) * shape.min()
    away = HOLE_RADIUS_ANG / canvas.spacing - edge
    return Hole(centre_yx=0.5 * shape - away * towards, radius_ang=HOLE_RADIUS_ANG)


def add_carbon(canvas: Canvas, hole: Hole) -> None:
    """Add the film about a hole, on which nothing is placed."""
    ny, nx = canvas.thickness.shape
    carbon = hole.carbon((ny, nx), canvas.spacing)
    canvas.thickness += CARBON_ANG * carbon
    canvas.occupied |= carbon > 0.02


def add_crystals(canvas: Canvas, count: int, generator: np.random.Generator) -> None:
    """Add ice crystals, dark and faceted, wherever they fall."""
    for _ in range(count):
        radius = generator.uniform(*CRYSTAL_RADIUS_ANG)
        angles = np.sort(generator.uniform(0, 2 * np.pi, FACETS))
        faces = radius * generator.uniform(0.6, 1.0, FACETS)
        half = int(np.ceil(1.6 * radius / canvas.spacing))
        y, x = np.mgrid[-half : half + 1, -half : half + 1] * canvas.spacing
        outside = np.full(x.shape, -np.inf)
        for angle, face in zip(angles, faces, strict=True):
            np.maximum(
                outside, x * np.cos(angle) + y * np.sin(angle) - face, out=outside
            )
        outside = np.maximum(outside, np.hypot(y, x) - 1.2 * radius)
        depth = np.clip(-outside / (0.5 * radius), 0, 1)
        image = generator.uniform(*CRYSTAL_ANG) * np.sqrt(depth).astype(np.float32)
        ndimage.gaussian_filter(image, CRYSTAL_EDGE_ANG / canvas.spacing, output=image)
        _drop(canvas, image, generator, level=CRYSTAL_ANG[0] / 10)


def add_aggregates(canvas: Canvas, count: int, generator: np.random.Generator) -> None:
    """Add clumps of denatured protein: many small balls on a heap."""
    for _ in range(count):
        balls = int(generator.integers(*BALLS))
        spread = generator.uniform(*CLUMP_ANG)
        half = int(np.ceil((3 * spread + BALL_RADIUS_ANG[1]) / canvas.spacing))
        image = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
        for _ in range(balls):
            place = np.clip(generator.normal(0, spread, 2), -3 * spread, 3 * spread)
            radius = generator.uniform(*BALL_RADIUS_ANG)
            away = distances(image.shape, half + place / canvas.spacing, canvas.spacing)
            image += 2 * BALL_DENSITY * np.sqrt(np.maximum(radius**2 - away**2, 0))
        _drop(canvas, image, generator, level=CLUMP_LEVEL_ANG)


def add_hot_pixels(image: Image, count: int, generator: np.random.Generator) -> None:
    """Set pixels of a micrograph to far too much, and every fourth to nothing."""
    values = image.mean() * generator.uniform(*HOT, count)
    values[::4] = 0.0
    image.ravel()[generator.integers(0, image.size, count)] = values


def _drop(
    canvas: Canvas, image: Image, generator: np.random.Generator, *, level: float
) -> None:
    """Paint an image anywhere, whatever stands there."""
    middle = generator.integers(0, canvas.thickness.shape)
    canvas.claim(image, image > level, middle - image.shape[0] // 2, overlap=1.0)
