"""What RELION calls helical: tubes, the length along them, and angles with priors.

RELION 3.1 and 4 take the priors of tilt and psi from each segment's own angles. RELION
5 keeps a segment's geometry in ``rlnTomoSubtomogramRot/Tilt/Psi`` and lets the angles
that it refines start at (0, 90, 0), which are the priors, for all segments: with S the
matrix of the former and P = Ry(-90) that of the latter, S P is the orientation, whose z
axis lies along the filament (``star_poses``, which reads them so).

A psi of which the polarity is not known may be turned by 180°: RELION's flip ratio is
0.5, as it takes it to be where the column is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.columns import FILAMENT, ROTATION, Values
from etpicker_plugin.engine.formats.star_columns import ANGLES
from etpicker_plugin.engine.formats.star_numbers import read_columns
from etpicker_plugin.engine.formats.star_poses import SUBTOMOGRAM_ANGLES
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.orientation import (
    from_relion_angles,
    known_or_unturned,
    to_relion_angles,
)
from etpicker_plugin.engine.particles import Particles

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

TUBE = "rlnHelicalTubeID"
TRACK = "rlnHelicalTrackLengthAngst"
PRIORS = ("rlnAngleTiltPrior", "rlnAnglePsiPrior")
FLIP_RATIO = "rlnAnglePsiFlipRatio"
POLARITY_UNKNOWN = 0.5
START_DEG = (0.0, 90.0, 0.0)
"""Rot, tilt and psi of every segment, in RELION 5."""

LABELS = (TUBE, TRACK, *PRIORS, FLIP_RATIO)


def are_helical(sets: Sequence[Particles]) -> bool:
    """Tell whether all particles lie on filaments; a mixture is told in the log.

    RELION has one kind of particle in a table.
    """
    counts = [np.count_nonzero(_ids(p) != FILAMENT.missing) for p in sets]
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
    columns = {
        TUBE: tube_numbers(particles),
        TRACK: track_lengths(particles) * voxel_size,
        FLIP_RATIO: np.full(len(particles), POLARITY_UNKNOWN),
    }
    known = particles.optional.get(ROTATION.name)
    if known is None:
        return columns
    turned = known_or_unturned(np.asarray(known))
    angles = to_relion_angles(turned)
    if version == "relion5":
        start = np.tile(START_DEG, (len(particles), 1))
        geometry = to_relion_angles(turned @ from_relion_angles(-start[:, ::-1]))
        columns.update(zip_strict(SUBTOMOGRAM_ANGLES, geometry.T))
        columns.update(zip_strict(ANGLES, start.T))
        angles = start
    return {**columns, **dict(zip_strict(PRIORS, angles[:, 1:].T))}


def tube_numbers(particles: Particles) -> NDArray[np.int64]:
    """Return ``(N,)`` the number of each point's filament, from 1 by first point."""
    ids = _ids(particles)
    _, first, number = np.unique(ids, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return np.asarray(rank[number] + 1, dtype=np.int64)


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
    if TUBE not in rows.columns or FILAMENT.star_labels[0] in rows.columns:
        return None
    numbers = read_columns(rows, (TUBE,), path=path)[:, 0]
    return np.array([str(int(n)) if n > 0 else "" for n in numbers], dtype=str)


def _ids(particles: Particles) -> NDArray[np.str_]:
    missing = FILAMENT.unknown(len(particles))
    return np.asarray(particles.optional.get(FILAMENT.name, missing))
