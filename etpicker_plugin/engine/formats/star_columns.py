"""Columns that the STAR files of RELION, Warp and M have in common."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.columns import ROTATION, Column, Values, declared
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.names import check_names, name_class
from etpicker_plugin.engine.particles import Particles

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

CLASS_NAME = "etpickerClassName"
CLASS_NUMBER = "rlnClassNumber"
SCORE = "rlnAutopickFigureOfMerit"
ANGLES = ROTATION.star_labels
SUBTOMOGRAM_ANGLES = tuple(f"rlnTomoSubtomogram{a}" for a in ("Rot", "Tilt", "Psi"))
TEXT_COLUMNS = ["rlnTomoName", "rlnMicrographName", CLASS_NAME]
FLOAT_FORMAT = "%#.9g"
"""Nine digits, always with a point: emtable takes a type from a column's first row."""


def particle_columns(
    particles: Particles, *, class_numbers: Mapping[str, int]
) -> dict[str, Any]:
    """Return optional columns, score, class number and name, one value per particle.

    What is unknown is NaN or ``None`` (see ``drop_unknown``).

    Raises
    ------
    InputDataError
        If a text cannot stand in a STAR file.
    """
    numbers = [class_numbers[str(name)] for name in particles.class_names]
    optional = [_star_cells(column, particles) for column in declared()]
    return {
        **{label: cells for found in optional for label, cells in found.items()},
        SCORE: particles.scores,
        CLASS_NUMBER: np.array(numbers, dtype=np.int64),
        CLASS_NAME: particles.class_names.astype(object),
    }


def _star_cells(column: Column, particles: Particles) -> dict[str, Values]:
    """Return label -> ``(N,)`` cells of an optional column, as RELION types them."""
    values = particles.optional.get(column.name, column.unknown(len(particles)))
    cells = column.cells(values)
    if column.dtype is str:
        check_names(np.unique(cells[column.known(values)]).tolist())
    if column.dtype is float:
        return dict(zip(column.star_labels, cells.T, strict=True))
    # As texts, because pandas makes floats of whole numbers beside an unknown one.
    texts = [[t or None for t in column.to_texts(under)] for under in cells.T]
    return dict(
        zip(column.star_labels, (np.array(t, dtype=object) for t in texts), strict=True)
    )


def drop_unknown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table without scores or optional columns of which none is known.

    RELION knows no unknown angle: beside known ones it is 0, unturned.
    """
    optional = [list(column.star_labels) for column in declared()]
    empty = [
        label
        for labels in ([SCORE], *optional)
        if table[labels].isna().all(axis=None)
        for label in labels
    ]
    angles = [label for label in ANGLES if label not in empty]
    return table.drop(columns=empty).fillna(dict.fromkeys(angles, 0.0))


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

    texts = [n for c in declared() if c.dtype is not float for n in c.star_labels]
    try:
        blocks = starfile.read(
            path, always_dict=True, parse_as_string=[*TEXT_COLUMNS, *texts]
        )
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


def read_optional(rows: pd.DataFrame, *, path: Path) -> dict[str, Values | None]:
    """Return the optional columns of a table, ``None`` for one that is not used.

    Angles that stand on ``rlnTomoSubtomogramRot`` and the like are left out: RELION
    multiplies the two, and etpicker does not.

    Raises
    ------
    InputDataError
        If a cell holds something else than its column.
    """
    there = [c for c in declared() if set(c.star_labels) <= set(rows.columns)]
    return {
        column.name: None
        if column is ROTATION and _stand_on_others(rows, path=path)
        else column.of_cells(_read_cells(column, rows, path=path))
        for column in there
    }


def _stand_on_others(rows: pd.DataFrame, *, path: Path) -> bool:
    """Tell whether angles are given upon others, and log it."""
    others = [angle for angle in SUBTOMOGRAM_ANGLES if angle in rows.columns]
    given = bool(read_columns(rows, others, path=path).any())
    if given:
        logger.warning(
            "%s: orientations are left out: they are given upon "
            "rlnTomoSubtomogramRot, Tilt and Psi.",
            path,
        )
    return given


def _read_cells(column: Column, rows: pd.DataFrame, *, path: Path) -> Values:
    """Return ``(N, cells)`` of a column; RELION's angles are all known."""
    labels = list(column.star_labels)
    if column is ROTATION:
        return read_columns(rows, labels, path=path)
    if column.dtype is float:
        return np.stack([_read_known(rows, n, path=path) for n in labels], axis=1)
    texts = rows[labels].fillna("").replace("nan", "")
    try:
        return np.array(
            [[column.of_text(text) for text in row] for row in texts.to_numpy()],
            dtype=column.dtype,
        ).reshape(len(rows), len(labels))
    except ValueError as error:
        raise InputDataError(
            f"{path}: {', '.join(labels)}: {error}; expected {column.expected()}."
        ) from error


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
    return _read_known(rows, SCORE, path=path)


def _read_known(rows: pd.DataFrame, label: str, *, path: Path) -> FloatArray:
    """Return ``(N,)`` numbers of a column, NaN where the table says so."""
    known = rows[label].notna().to_numpy()
    values = np.full(len(rows), np.nan)
    values[known] = read_columns(rows[known], (label,), path=path)[:, 0]
    return values


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
