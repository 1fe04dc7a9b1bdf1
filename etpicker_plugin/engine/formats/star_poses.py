"""Where a refined particle of a STAR file stands, and how it is turned.

As in RELION's ``ParticleSet``: with S the matrix of ``rlnTomoSubtomogramRot/Tilt/Psi``
(no turn without them) and A that of ``rlnAngleRot/Tilt/Psi``, a particle stands at its
coordinate minus S times its origin, and is turned by S A.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.formats.star_columns import ANGLES
from etpicker_plugin.engine.formats.star_numbers import read_columns
from etpicker_plugin.engine.orientation import from_relion_angles

if TYPE_CHECKING:
    import pandas as pd

SUBTOMOGRAM_ANGLES = tuple(f"rlnTomoSubtomogram{a}" for a in ("Rot", "Tilt", "Psi"))
ORIGIN_ANG = tuple(f"rlnOrigin{axis}Angst" for axis in "XYZ")
ORIGIN_PIXELS = tuple(f"rlnOrigin{axis}" for axis in "XYZ")


def pose_labels(rows: pd.DataFrame) -> list[str]:
    """Return the labels of a table that are read here."""
    there = set(rows.columns)
    angles = ANGLES if set(ANGLES) <= there else ()
    origins = ORIGIN_ANG if there & set(ORIGIN_ANG) else ORIGIN_PIXELS
    return [n for n in (*angles, *SUBTOMOGRAM_ANGLES, *origins) if n in there]


def read_shifts_vox(rows: pd.DataFrame, *, voxel_size: float, path: Path) -> FloatArray:
    """Return ``(N, 3)`` xyz in voxels, to be taken from the coordinates.

    An axis without origin is 0, as in RELION.

    Raises
    ------
    InputDataError
        If a number is missing.
    """
    there = set(rows.columns)
    in_ang = bool(there & set(ORIGIN_ANG))
    labels = ORIGIN_ANG if in_ang else ORIGIN_PIXELS
    shifts = _or_zero(rows, labels, path=path) / (voxel_size if in_ang else 1.0)
    if not shifts.any() or not there & set(SUBTOMOGRAM_ANGLES):
        return shifts
    return np.einsum("nij,nj->ni", _subtomogram_rotations(rows, path=path), shifts)


def read_rotations(rows: pd.DataFrame, *, path: Path) -> FloatArray | None:
    """Return ``(N, 3, 3)`` R of each particle, ``None`` if there are no angles.

    Raises
    ------
    InputDataError
        If an angle is missing.
    """
    there = set(rows.columns)
    if not set(ANGLES) <= there and there & set(ANGLES):
        return None
    if not there & set(SUBTOMOGRAM_ANGLES):
        return _own_rotations(rows, path=path) if set(ANGLES) <= there else None
    turned = bool(_or_zero(rows, SUBTOMOGRAM_ANGLES, path=path).any())
    if not set(ANGLES) <= there:
        return _subtomogram_rotations(rows, path=path) if turned else None
    own = _own_rotations(rows, path=path)
    return _subtomogram_rotations(rows, path=path) @ own if turned else own


def _own_rotations(rows: pd.DataFrame, *, path: Path) -> FloatArray:
    return from_relion_angles(read_columns(rows, ANGLES, path=path))


def _subtomogram_rotations(rows: pd.DataFrame, *, path: Path) -> FloatArray:
    return from_relion_angles(_or_zero(rows, SUBTOMOGRAM_ANGLES, path=path))


def _or_zero(rows: pd.DataFrame, labels: tuple[str, ...], *, path: Path) -> FloatArray:
    """Return ``(N, len(labels))``, 0 for a label that the table does not have."""
    values = np.zeros((len(rows), len(labels)))
    for i, label in enumerate(labels):
        if label in rows.columns:
            values[:, i] = read_columns(rows, (label,), path=path)[:, 0]
    return values
