"""What ``convert`` makes of vesicles: points on their membranes, and masks."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.format import Item
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.vesicles.axes import known_surfaces
from etpicker_plugin.engine.vesicles.clicked import with_fitted_vesicles
from etpicker_plugin.engine.vesicles.instances import mask_name, write_labels
from etpicker_plugin.engine.vesicles.marks import known_radii
from etpicker_plugin.engine.vesicles.surface import surface_of_vesicles

logger = logging.getLogger(__name__)


def on_membranes(items: Sequence[Item], *, step_ang: float) -> list[Item]:
    """Return points on the membranes of the vesicles, in their place.

    Raises
    ------
    InputDataError
        If no row has a radius, or one is not above 0.
    """
    made = []
    for vesicles, frame in _vesicles_in(items):
        points = surface_of_vesicles(
            vesicles,
            known_surfaces(vesicles, voxel_size=frame.voxel_size),
            spacing_vox=step_ang / frame.voxel_size,
            shape_zyx=frame.shape_zyx,
        )
        made.append((points, frame))
    return made


def mask_path(out_dir: Path, frame: TomogramFrame) -> Path:
    """Return where a tomogram's mask of instances is written."""
    return out_dir / mask_name(frame.tomogram_id)


def write_masks(items: Sequence[Item], out_dir: Path) -> None:
    """Write a volume of labels for each tomogram: *i* in its *i*-th vesicle.

    Raises
    ------
    InputDataError
        If no row has a radius, or one is not above 0.
    ResourceError
        If a file cannot be written.
    """
    for vesicles, frame in _vesicles_in(items):
        with write_whole(mask_path(out_dir, frame)) as temporary:
            write_labels(
                known_surfaces(vesicles, voxel_size=frame.voxel_size),
                temporary,
                shape_zyx=frame.shape_zyx,
                voxel_size=frame.voxel_size,
            )


def _vesicles_in(items: Sequence[Item]) -> list[Item]:
    """Return the rows that have a radius, or are given one by points on a membrane.

    Others are counted in the log.
    """
    items = [(_with_centres(particles, frame), frame) for particles, frame in items]
    known = [np.isfinite(known_radii(particles)) for particles, _ in items]
    total, found = sum(map(len, known)), sum(map(np.count_nonzero, known))
    if not found:
        raise InputDataError(
            "No row has a radius, so there are no vesicles. Give picks of vesicles, "
            "with the column 'radius' in Å, or points on membranes with 'vesicle'."
        )
    if found < total:
        logger.warning(
            "%d of %d rows have no radius, and are left out: only vesicles have a "
            "membrane.",
            total - found,
            total,
        )
    return [
        (particles.select(own), frame)
        for (particles, frame), own in zip(items, known, strict=True)
    ]


def _with_centres(particles: Particles, frame: TomogramFrame) -> Particles:
    classes = set(particles.class_names.tolist())
    return with_fitted_vesicles(particles, classes, voxel_size=frame.voxel_size)
