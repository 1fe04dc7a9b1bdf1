"""What is written of vesicles beside their picks: points on membranes, and masks."""

import logging
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.formats.relion_star import write_star
from etpicker_plugin.engine.formats.star_words import in_star_words
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.names import star_word
from etpicker_plugin.engine.particles import Particles, join_particles
from etpicker_plugin.engine.picking.loaded_model import surface_steps
from etpicker_plugin.engine.result_files import keeping_former
from etpicker_plugin.engine.vesicles.axes import known_surfaces
from etpicker_plugin.engine.vesicles.instances import mask_name, write_labels
from etpicker_plugin.engine.vesicles.marks import known_radii
from etpicker_plugin.engine.vesicles.surface import surface_of_vesicles

logger = logging.getLogger(__name__)

FOLDER = "surface"
"""So that the files have their tomogram's name, by which every command finds them."""


def surface_files(name: str, config: PickConfig, *, is_flat: bool) -> list[str]:
    """Return the files of a tomogram's vesicles, in the output folder.

    Of a micrograph there is no table of subtomograms.
    """
    points = [f"{FOLDER}/{name}.csv", f"{FOLDER}/{name}.star"]
    return [
        *(points[: 1 if is_flat else 2] if config.surface_step else []),
        *([mask_name(name)] if config.instance_masks else []),
    ]


def write_surfaces(
    picks: Particles,
    frame: TomogramFrame,
    card: ModelCard,
    *,
    config: PickConfig,
    out_dir: Path,
) -> list[str]:
    """Write what is asked for of vesicles; return the files' names (``surface_files``).

    Files that stand there and hold something else are set aside.
    """
    vesicles = picks.select(np.isfinite(known_radii(picks)))
    written = surface_files(picks.tomogram_id, config, is_flat=card.is_flat)
    if config.surface_step:
        points = _points(vesicles, frame, surface_steps(card, config))
        (out_dir / FOLDER).mkdir(exist_ok=True)
        with keeping_former(out_dir / written[0]) as path:
            write_csv(points, path, flat=card.is_flat)
    if config.surface_step and not card.is_flat:
        with keeping_former(out_dir / written[1]) as path:
            write_star(
                [in_star_words(points, frame)],
                path,
                version="relion5",
                class_order=[star_word(n) for n in card.class_names()],
            )
    if config.instance_masks:
        with keeping_former(out_dir / written[-1]) as path:
            write_labels(
                known_surfaces(vesicles, voxel_size=frame.voxel_size),
                path,
                shape_zyx=frame.shape_zyx,
                voxel_size=frame.voxel_size,
            )
    return written


def _points(
    vesicles: Particles, frame: TomogramFrame, steps_ang: dict[str, float]
) -> Particles:
    parts = [
        surface_of_vesicles(
            own := vesicles.of_class(name),
            known_surfaces(own, voxel_size=frame.voxel_size),
            spacing_vox=step / frame.voxel_size,
            shape_zyx=frame.shape_zyx,
        )
        for name, step in steps_ang.items()
    ]
    points = join_particles(vesicles.tomogram_id, parts)
    logger.info("%s: %d points on membranes", vesicles.tomogram_id, len(points))
    return points
