"""Which way marked filaments go, learnt from their density where it shows that."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.filaments.curve import curve_through
from etpicker_plugin.engine.filaments.polarity import learn_section, windows_along
from etpicker_plugin.engine.kinds import FILAMENT
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.patches import TrainingVolume

logger = logging.getLogger(__name__)

EVERY = 5
"""Of the points that a filament is learnt at, one is enough for its curve."""


def with_ways(
    species: Sequence[Species], volumes: Sequence[TrainingVolume], *, voxel_size: float
) -> tuple[Species, ...]:
    """Return the species, filaments with the section that tells their way, if one does.

    What a species has already, as of an update's old model, it keeps.

    Parameters
    ----------
    species
        In the order of the channels.
    voxel_size
        Working voxel size, Å.
    """
    return tuple(
        _with_way(one, list(_windows(one, channel, volumes, voxel_size)))
        if one.kind == FILAMENT and not one.section
        else one
        for channel, one in enumerate(species)
    )


def _windows(
    one: Species, channel: int, volumes: Sequence[TrainingVolume], voxel_size: float
) -> Iterator[FloatArray]:
    for volume in volumes:
        if volume.marks is None or volume.image.shape_zyx[0] == 1:
            continue
        own = volume.channels == channel
        for mark in np.unique(volume.marks[own]):
            points = volume.positions_zyx[own & (volume.marks == mark)]
            if len(points) > EVERY:
                yield windows_along(
                    volume.image.read,
                    curve_through(points[::EVERY]),
                    width_vox=one.diameter_ang / voxel_size,
                )


def _with_way(one: Species, windows: list[FloatArray]) -> Species:
    section = learn_section(windows)
    if section is None:
        return one
    logger.info(
        "%s: of filaments that were held out the way was told, as their points go.",
        one.name,
    )
    return replace(one, section=section)
