"""Columns that the STAR files of RELION, Warp and M have in common, as written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from etpicker_plugin.engine.columns import ROTATION, Column, Values, declared
from etpicker_plugin.engine.formats.names import check_names
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles

if TYPE_CHECKING:
    import pandas as pd

CLASS_NAME = "etpickerClassName"
CLASS_NUMBER = "rlnClassNumber"
SCORE = "rlnAutopickFigureOfMerit"
ANGLES = ROTATION.star_labels
OPTICS_GROUP = "rlnOpticsGroup"
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
        return dict(zip_strict(column.star_labels, cells.T))
    # As texts, because pandas makes floats of whole numbers beside an unknown one.
    texts = [[t or None for t in column.to_texts(under)] for under in cells.T]
    return dict(
        zip_strict(column.star_labels, (np.array(t, dtype=object) for t in texts))
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
