"""One phantom micrograph and its truth."""

import dataclasses
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np

from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.simulation.filaments import filament_species
from etpicker_plugin.engine.simulation.imaging import (
    AMPLITUDE_CONTRAST,
    KILOVOLT,
    SPHERICAL_ABERRATION_MM,
)
from etpicker_plugin.engine.simulation.micrograph_canvas import (
    Canvas,
    Image,
    at_pixels,
    empty_canvas,
)
from etpicker_plugin.engine.simulation.micrograph_clutter import (
    Hole,
    add_aggregates,
    add_carbon,
    add_crystals,
    add_hot_pixels,
    draw_hole,
)
from etpicker_plugin.engine.simulation.micrograph_curves import (
    place_filaments,
    place_vesicles,
)
from etpicker_plugin.engine.simulation.micrograph_imaging import (
    Exposure,
    draw_ice,
    expose,
)
from etpicker_plugin.engine.simulation.micrograph_particles import (
    cloud_of,
    place_particles,
)
from etpicker_plugin.engine.simulation.species import Species
from etpicker_plugin.engine.simulation.truth import Truth

logger = logging.getLogger(__name__)

CheckPlaced = Callable[[str, int, int], None]
"""Told what was placed, how many, and how many were wanted."""


def make_micrograph(
    species: list[Species],
    config: SimulateConfig,
    *,
    generator: np.random.Generator,
    check_placed: CheckPlaced,
) -> tuple[Image, Truth, dict[str, Any]]:
    """Return a micrograph ``(Y, X)``, its truth, and how it was taken, for JSON.

    Parameters
    ----------
    species
        With voxels as large as the canvas' pixels.

    Raises
    ------
    InputDataError
        If not one of a species fits (``check_placed`` raises it).
    """
    nx, ny = config.shape
    canvas = empty_canvas((ny, nx), config.pixel_size)
    hole = draw_hole(canvas, generator) if generator.random() < config.carbon else None
    if hole is not None:
        add_carbon(canvas, hole)
    add_crystals(canvas, config.crystals, generator)
    add_aggregates(canvas, config.aggregates, generator)
    truth = _place(canvas, species, config, generator, check_placed)
    low, high = config.defocus_range
    exposure = Exposure(
        pixel_size=config.pixel_size,
        defocus_um=float(generator.uniform(low, high)),
        dose=config.dose,
    )
    ice = draw_ice((ny, nx), generator)
    image = expose(
        at_pixels(canvas, (ny, nx), config.pixel_size),
        ice,
        None if hole is None else _at_pixels(hole, canvas, config),
        exposure=exposure,
        generator=generator,
    )
    add_hot_pixels(image, config.hot_pixels, generator)
    taken = {
        "defocus_um": round(exposure.defocus_um, 4),
        "voltage_kv": KILOVOLT,
        "spherical_aberration_mm": SPHERICAL_ABERRATION_MM,
        "amplitude_contrast": AMPLITUDE_CONTRAST,
        "ice_ang": round(float(ice.mean()), 1),
        "has_carbon": hole is not None,
    }
    return image, _in_pixels(truth, canvas, config.pixel_size), taken


def write_micrograph(path: Path, image: Image, pixel_size: float) -> None:
    """Write an image ``(Y, X)`` as MRC of one plane, not of a volume."""
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(image)
        mrc.voxel_size = pixel_size


def _place(
    canvas: Canvas,
    species: list[Species],
    config: SimulateConfig,
    generator: np.random.Generator,
    check_placed: CheckPlaced,
) -> Truth:
    """Place vesicles, filaments and particles, on the canvas."""
    truth = Truth()
    how: Mapping[str, Any] = {"overlap": config.overlap, "generator": generator}
    for name, count in config.vesicle_species.items():
        vesicles = place_vesicles(canvas, name, count, **how)
        check_placed(f"{name} vesicles", len(vesicles), count)
        truth.vesicles.extend(vesicles)
    for name, count in config.filament_species.items():
        filaments = place_filaments(canvas, filament_species(name), count, **how)
        check_placed(f"{name} filaments", len(filaments), count)
        truth.filaments.extend(filaments)
    for kind in species:
        cloud = cloud_of(kind, canvas.spacing)
        particles = place_particles(canvas, cloud, config.particles, **how)
        size = f"{kind.name} ({kind.diameter_ang:g} Å)"
        check_placed(size, len(particles), config.particles)
        truth.particles.extend(particles)
    return truth


def _at_pixels(hole: Hole, canvas: Canvas, config: SimulateConfig) -> Image:
    """Return how much of each pixel of the micrograph is carbon."""
    nx, ny = config.shape
    centre = canvas.in_pixels(np.array([[0.0, *hole.centre_yx]]), config.pixel_size)
    there = dataclasses.replace(hole, centre_yx=centre[0, 1:])
    return there.carbon((ny, nx), config.pixel_size)


def _in_pixels(truth: Truth, canvas: Canvas, pixel_size: float) -> Truth:
    """Return a truth on the canvas in pixels of the micrograph."""

    def moved(item: Any, name: str) -> Any:
        places = np.atleast_2d(getattr(item, name))
        found = canvas.in_pixels(places, pixel_size).reshape(getattr(item, name).shape)
        return dataclasses.replace(item, **{name: found})

    return Truth(
        particles=[moved(p, "position_zyx") for p in truth.particles],
        filaments=[moved(f, "points_zyx") for f in truth.filaments],
        vesicles=[moved(v, "centre_zyx") for v in truth.vesicles],
    )
