"""What RELION calls helical: tubes, the length along them, and angles with priors.

The angles are those of ``relion_priors``, whose z axis lies along the filament.
A psi of which the polarity is not known may be turned by 180°: RELION's flip ratio is
0.5, as it takes it to be where the column is missing; 0 where it is known.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.columns import FILAMENT, POLARITY, Values
from etpicker_plugin.engine.formats.groups import numbers_of, texts_of
from etpicker_plugin.engine.formats.relion_priors import (
    PRIORS,
    names_of_numbers,
    prior_columns,
)
from etpicker_plugin.engine.formats.star_numbers import read_columns
from etpicker_plugin.engine.particles import Particles

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

TUBE = "rlnHelicalTubeID"
TRACK = "rlnHelicalTrackLengthAngst"
FLIP_RATIO = "rlnAnglePsiFlipRatio"
POLARITY_UNKNOWN = 0.5

LABELS = (TUBE, TRACK, *PRIORS, FLIP_RATIO)


def are_helical(sets: Sequence[Particles]) -> bool:
    """Tell whether all particles lie on filaments; a mixture is told in the log.

    RELION has one kind of particle in a table.
    """
    counts = [np.count_nonzero(texts_of(FILAMENT, p) != FILAMENT.missing) for p in sets]
    on_filaments, total = sum(counts), sum(map(len, sets))
    if 0 < on_filaments < total:
        logger.info(
            "%d of %d particles lie on filaments: the table is written without the "
            "columns that RELION calls helical. Write the classes of filaments alone.",
            on_filaments,
            total,
        )
    return 0 < on_filaments == total


def helical_columns(
    particles: Particles, *, voxel_size: float, version: str
) -> dict[str, Values]:
    """Return label -> ``(N,)`` for points on filaments; angles where they are known."""
    return {
        TUBE: tube_numbers(particles),
        TRACK: track_lengths(particles) * voxel_size,
        FLIP_RATIO: np.where(knows_polarity(particles), 0.0, POLARITY_UNKNOWN),
        **prior_columns(particles, version=version),
    }


def knows_polarity(particles: Particles) -> NDArray[np.bool_]:
    """Tell of each point ``(N,)`` whether the way of its filament is known."""
    unknown = POLARITY.unknown(len(particles))
    return POLARITY.known(particles.optional.get(POLARITY.name, unknown))


def tube_numbers(particles: Particles) -> NDArray[np.int64]:
    """Return ``(N,)`` the number of each point's filament, from 1 by first point."""
    return numbers_of(texts_of(FILAMENT, particles))


def track_lengths(particles: Particles) -> FloatArray:
    """Return ``(N,)`` how far each point is along its filament, voxels."""
    lengths = np.zeros(len(particles))
    numbers = tube_numbers(particles)
    for number in np.unique(numbers):
        rows = np.flatnonzero(numbers == number)
        steps = np.diff(particles.positions_zyx[rows], axis=0)
        lengths[rows[1:]] = np.cumsum(np.linalg.norm(steps, axis=1))
    return lengths


def in_order_along_tubes(rows: pd.DataFrame, *, path: Path) -> pd.DataFrame:
    """Return the rows of a table by tube, and along it, if it says both.

    Raises
    ------
    InputDataError
        If one of them is no number.
    """
    if not {TUBE, TRACK} <= set(rows.columns):
        return rows
    along = read_columns(rows, (TUBE, TRACK), path=path)
    return rows.iloc[np.lexsort((along[:, 1], along[:, 0]))]


def filament_ids(rows: pd.DataFrame, *, path: Path) -> NDArray[np.str_] | None:
    """Return ``(N,)`` ids made of RELION's tube numbers; ``None`` without them."""
    return names_of_numbers(rows, TUBE, FILAMENT, path=path)
