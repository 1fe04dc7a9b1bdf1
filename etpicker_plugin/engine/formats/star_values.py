"""Values under the labels that STAR files of RELION, Warp, M and others share."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.columns import ROTATION, Column, Values, declared
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.names import name_class
from etpicker_plugin.engine.formats.star_columns import (
    CLASS_NAME,
    CLASS_NUMBER,
    OPTICS_GROUP,
    SCORE,
)
from etpicker_plugin.engine.formats.star_numbers import read_columns, read_known
from etpicker_plugin.engine.formats.star_poses import pose_labels, read_rotations
from etpicker_plugin.engine.particles import Particles, make_particles

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

SCORES = (SCORE, "rlnLCCmax", "ptmLCCmax")
"""Labels of scores; the first that a table has is read."""
LIKE_A_SCORE = re.compile(
    r"(score|confidence|lccmax|(?<![A-Za-z])ccc?)$", re.IGNORECASE
)
"""After those, the one label that looks like a score."""
LAST_SCORE = "rlnMaxValueProbDistribution"
"""After that: how sure RELION is of a pose, not of a particle."""


def read_rows(
    rows: pd.DataFrame,
    tomogram_id: str,
    positions_zyx: FloatArray,
    *,
    class_order: Sequence[str],
    score_label: str | None,
    path: Path,
) -> Particles:
    """Return the particles of a table's rows, whose positions are ``(N, 3)`` voxels.

    Raises
    ------
    InputDataError
        If a value is not what its label says; it names the line.
    """
    optional: dict[str, Values | None] = {
        column.name: column.of_cells(_read_cells(column, rows, path=path))
        for column in _declared_in(rows)
    }
    return make_particles(
        tomogram_id,
        positions_zyx,
        class_names=read_classes(rows, class_order, path=path),
        scores=np.nan
        if score_label is None
        else read_known(rows, score_label, path=path),
        optional={ROTATION.name: read_rotations(rows, path=path), **optional},
    )


def find_score(labels: Sequence[str], *, wanted: str, path: Path) -> str | None:
    """Return the label of the scores, the ``wanted`` one if given, ``None`` if none.

    Raises
    ------
    InputDataError
        If the table does not have the wanted one.
    """
    if wanted:
        if wanted not in labels:
            raise InputDataError(
                f"{path}: no column {wanted}, which --score-column names. It has: "
                f"{', '.join(labels)}."
            )
        return wanted
    alike = [label for label in labels if LIKE_A_SCORE.search(label)]
    only = alike if len(alike) == 1 else []
    found = next((n for n in (*SCORES, *only, LAST_SCORE) if n in labels), None)
    if found not in (None, SCORE):
        logger.info("%s: scores are those of the column %s.", path, found)
    return found


def warn_left_out(
    rows: pd.DataFrame, *, used: Collection[str | None], path: Path
) -> None:
    """Name the columns that are not read, if any, beside the ``used`` ones."""
    columns = [label for c in _declared_in(rows) for label in c.star_labels]
    known = {*used, *columns, *pose_labels(rows), CLASS_NAME, CLASS_NUMBER}
    left_out = [n for n in rows.columns if n not in known and n != OPTICS_GROUP]
    if left_out:
        logger.warning(
            "%s: these columns are left out: %s. If one of them is the score, name it "
            "with --score-column.",
            path,
            ", ".join(left_out),
        )


def read_classes(
    rows: pd.DataFrame, order: Sequence[str], *, path: Path
) -> NDArray[np.str_]:
    """Return ``(N,)`` class names: stated, or made from the class numbers.

    Raises
    ------
    InputDataError
        If a name is empty, or a number no whole one from 0.
    """
    if CLASS_NAME in rows.columns:
        stated = rows[CLASS_NAME].to_numpy(dtype=str)
        _refuse_first(stated == "", rows, CLASS_NAME, "a name", path=path)
        return stated
    if CLASS_NUMBER in rows.columns:
        numbers = read_columns(rows, (CLASS_NUMBER,), path=path)[:, 0]
        wrong = (numbers < 0) | (numbers != np.rint(numbers))
        _refuse_first(wrong, rows, CLASS_NUMBER, "a whole number from 0", path=path)
        names = {n: name_class(int(n), order=order) for n in np.unique(numbers)}
        return np.array([names[number] for number in numbers], dtype=str)
    return np.full(len(rows), order[0])


def _declared_in(rows: pd.DataFrame) -> list[Column]:
    """Return the optional columns of a table, but orientations."""
    there = set(rows.columns)
    return [c for c in declared() if c is not ROTATION and set(c.star_labels) <= there]


def _read_cells(column: Column, rows: pd.DataFrame, *, path: Path) -> Values:
    """Return ``(N, cells)`` of a column."""
    labels = list(column.star_labels)
    if column.dtype is float:
        return np.stack([read_known(rows, n, path=path) for n in labels], axis=1)
    texts = rows[labels].replace("nan", "")
    try:
        return np.array(
            [[column.of_text(text) for text in row] for row in texts.to_numpy()],
            dtype=column.dtype,
        ).reshape(len(rows), len(labels))
    except ValueError as error:
        raise InputDataError(
            f"{path}: {', '.join(labels)}: {error}; expected {column.expected()}."
        ) from error


def _refuse_first(
    wrong: NDArray[np.bool_],
    rows: pd.DataFrame,
    label: str,
    expected: str,
    *,
    path: Path,
) -> None:
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise InputDataError(
            f"{path}, line {rows.index[at]}: {label} is '{rows[label].iloc[at]}', "
            f"expected {expected}."
        )
