"""Columns that the STAR files of RELION, Warp and M have in common."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.names import name_class
from etpicker_plugin.engine.geometry import FloatArray
from etpicker_plugin.engine.orientation import from_relion_angles, to_relion_angles
from etpicker_plugin.engine.particles import Particles

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

CLASS_NAME = "etpickerClassName"
CLASS_NUMBER = "rlnClassNumber"
SCORE = "rlnAutopickFigureOfMerit"
ANGLES = tuple(f"rlnAngle{angle}" for angle in ("Rot", "Tilt", "Psi"))
SUBTOMOGRAM_ANGLES = tuple(f"rlnTomoSubtomogram{a}" for a in ("Rot", "Tilt", "Psi"))
TEXT_COLUMNS = ["rlnTomoName", "rlnMicrographName", CLASS_NAME]
FLOAT_FORMAT = "%#.9g"
"""Nine digits, always with a point: emtable takes a type from a column's first row."""


def particle_columns(
    particles: Particles, *, class_numbers: Mapping[str, int]
) -> dict[str, Any]:
    """Return angles, score, class number and class name, one value per particle.

    Without any orientation the angles are NaN; one that is unknown among others is
    written unturned.
    """
    numbers = [class_numbers[str(name)] for name in particles.class_names]
    angles = np.full((len(particles), 3), np.nan)
    if particles.rotations is not None:
        angles = to_relion_angles(particles.rotations)
    return {
        **dict(zip(ANGLES, angles.T, strict=True)),
        SCORE: particles.scores,
        CLASS_NUMBER: np.array(numbers, dtype=np.int64),
        CLASS_NAME: particles.class_names.astype(object),
    }


def drop_unknown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table without scores or angles of which none is known.

    Angles of tomograms without orientations are 0 beside others.
    """
    if table[SCORE].isna().all():
        table = table.drop(columns=SCORE)
    angles = list(ANGLES)
    if table[angles].isna().all(axis=None):
        return table.drop(columns=angles)
    return table.fillna(dict.fromkeys(angles, 0.0))


def read_tables(
    path: Path, *, needed: Sequence[str], version: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the particle table and the optics table (empty if there is none).

    The particle table is the first with the ``needed`` columns of a ``version``.

    Raises
    ------
    InputDataError
        If the file is missing, is no STAR file, or lacks the columns.
    """
    if not path.is_file():
        raise InputDataError(f"{path}: no such file. Check the path.")
    # Not above: whoever asks for help or converts CSV need not wait for them.
    import pandas as pd
    import starfile

    try:
        blocks = starfile.read(path, always_dict=True, parse_as_string=TEXT_COLUMNS)
    except (OSError, ValueError, IndexError) as error:
        raise InputDataError(
            f"{path} cannot be read as a STAR file: {error}."
        ) from error
    tables = {k: b for k, b in blocks.items() if isinstance(b, pd.DataFrame)}
    for table in tables.values():
        if set(needed) <= set(table.columns):
            return table, tables.get("optics", pd.DataFrame())
    found = sorted({c for table in tables.values() for c in table.columns})
    raise InputDataError(
        f"{path}: no table with {', '.join(needed)} ({version}). It holds: "
        f"{', '.join(found) or 'no table'}. It may be of another RELION version or "
        "program."
    )


def read_rotations(rows: pd.DataFrame, *, path: Path) -> FloatArray | None:
    """Return ``(N, 3, 3)`` orientations, or ``None`` if the table holds none.

    Those that stand on ``rlnTomoSubtomogramRot`` and the like are left out: RELION
    multiplies the two, and etpicker does not.
    """
    if not set(ANGLES) <= set(rows.columns):
        return None
    subtomogram = [angle for angle in SUBTOMOGRAM_ANGLES if angle in rows.columns]
    if read_columns(rows, subtomogram, path=path).any():
        logger.warning(
            "%s: orientations are left out: they are given upon "
            "rlnTomoSubtomogramRot, Tilt and Psi.",
            path,
        )
        return None
    return from_relion_angles(read_columns(rows, ANGLES, path=path))


def read_columns(
    rows: pd.DataFrame, columns: Sequence[str], *, path: Path
) -> FloatArray:
    """Return columns as ``(N, len(columns))`` finite floats.

    Raises
    ------
    InputDataError
        If a cell holds something else.
    """
    try:
        values = rows[list(columns)].to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputDataError(
            f"{path}: {', '.join(columns)} hold something else than numbers: {error}."
        ) from error
    if not np.isfinite(values).all():
        raise InputDataError(
            f"{path}: {', '.join(columns)} hold missing or infinite numbers. Correct "
            "or remove those rows."
        )
    return values


def read_scores(rows: pd.DataFrame, *, path: Path) -> FloatArray:
    """Return ``(N,)`` scores, NaN where the table holds none."""
    if SCORE not in rows.columns:
        return np.full(len(rows), np.nan)
    known = rows[SCORE].notna().to_numpy()
    scores = np.full(len(rows), np.nan)
    scores[known] = read_columns(rows[known], (SCORE,), path=path)[:, 0]
    return scores


def read_classes(
    rows: pd.DataFrame, order: Sequence[str], *, path: Path
) -> NDArray[np.str_]:
    """Return ``(N,)`` class names: stated, or made from the class numbers."""
    if CLASS_NAME in rows.columns:
        return rows[CLASS_NAME].to_numpy(dtype=str)
    if CLASS_NUMBER in rows.columns:
        numbers = read_columns(rows, (CLASS_NUMBER,), path=path)[:, 0]
        names = [name_class(int(number), order=order) for number in numbers]
        return np.array(names, dtype=str)
    return np.full(len(rows), order[0])
