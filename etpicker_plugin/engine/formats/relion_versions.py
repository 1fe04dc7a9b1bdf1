"""What differs between the particle tables of RELION 3.1, 4 and 5.

======= ================= ========================================================
version tomogram in       positions
======= ================= ========================================================
relion3 rlnMicrographName rlnCoordinateX/Y/Z: voxels of the tomogram, from 0
relion4 rlnTomoName       rlnCoordinateX/Y/Z: unbinned tilt-series pixels, from 0
relion5 rlnTomoName       rlnCenteredCoordinateX/Y/ZAngst: Å from the centre
======= ================= ========================================================

A refined particle stands at its coordinate minus its origin (see ``star_poses``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.star_columns import OPTICS_GROUP
from etpicker_plugin.engine.formats.star_numbers import read_columns
from etpicker_plugin.engine.formats.star_poses import read_shifts_vox
from etpicker_plugin.engine.geometry import (
    TomogramFrame,
    from_centred_ang_xyz,
    from_unbinned_xyz,
    reverse_axes,
    to_centred_ang_xyz,
    to_unbinned_xyz,
)

if TYPE_CHECKING:
    import pandas as pd

CORNER = tuple(f"rlnCoordinate{axis}" for axis in "XYZ")
CENTRED = tuple(f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ")
PIXEL_SIZE_TOLERANCE = 0.01
"""A file's and a given pixel size may differ by this share."""


def tomogram_column(version: str) -> str:
    """Return the column that names the tomogram."""
    return "rlnMicrographName" if version == "relion3" else "rlnTomoName"


def coordinate_columns(version: str) -> tuple[str, ...]:
    """Return the columns of x, y and z."""
    return CENTRED if version == "relion5" else CORNER


def pixel_size_column(version: str) -> str:
    """Return the optics table's column of the pixel size that positions refer to."""
    if version == "relion3":
        return "rlnMicrographPixelSize"
    return "rlnTomoTiltSeriesPixelSize"


def pixel_size_of(frame: TomogramFrame, *, version: str) -> float:
    """Return that pixel size in Å."""
    if version == "relion3":
        return frame.voxel_size
    return frame.tilt_series_pixel_size


def to_relion(
    positions_zyx: FloatArray, frame: TomogramFrame, *, version: str, centre: str
) -> FloatArray:
    """Return ``(N, 3)`` xyz as the version's coordinate columns hold it."""
    if version == "relion5":
        return to_centred_ang_xyz(positions_zyx, frame, centre=centre)
    if version == "relion4":
        return to_unbinned_xyz(positions_zyx, frame)
    return reverse_axes(positions_zyx)


def from_relion(
    rows: pd.DataFrame, frame: TomogramFrame, *, version: str, centre: str, path: Path
) -> FloatArray:
    """Return ``(N, 3)`` zyx voxels of a table's rows, refinement shifts applied.

    Raises
    ------
    InputDataError
        If a number is missing.
    """
    xyz = read_columns(rows, coordinate_columns(version), path=path)
    if version == "relion5":
        positions_zyx = from_centred_ang_xyz(xyz, frame, centre=centre)
    elif version == "relion4":
        positions_zyx = from_unbinned_xyz(xyz, frame)
    else:
        positions_zyx = reverse_axes(xyz)
    shifts = read_shifts_vox(rows, voxel_size=frame.voxel_size, path=path)
    return positions_zyx - reverse_axes(shifts)


def counted_from(
    rows: pd.DataFrame, frame: TomogramFrame, *, path: Path
) -> TomogramFrame:
    """Return the frame from whose centre a file's rows count (RELION 5).

    RELION states pixel sizes in tables of their own. Rows that state the tomogram's
    voxel size themselves, as pytom-match-pick's do, count from half of the tomogram
    as it is, whatever RELION's unbinned size.

    Raises
    ------
    InputDataError
        If a pixel size is no number.
    """
    column = pixel_size_column("relion5")
    if frame.unbinned_pixel_size is None or column not in rows.columns or rows.empty:
        return frame
    stated = read_columns(rows, (column,), path=path)
    binned, unbinned = (
        np.abs(stated - size) <= PIXEL_SIZE_TOLERANCE * stated
        for size in (frame.voxel_size, frame.unbinned_pixel_size)
    )
    if unbinned.any() or not binned.all():
        return frame
    return replace(frame, unbinned_size_xyz=None, unbinned_pixel_size=None)


def number_optics(frames: Sequence[TomogramFrame]) -> dict[float, int]:
    """Number the different voxel sizes from 1."""
    sizes = dict.fromkeys(frame.voxel_size for frame in frames)
    return {size: n for n, size in enumerate(sizes, 1)}


def optics_table(frames: Sequence[TomogramFrame]) -> pd.DataFrame:
    """Return RELION 3.1's table of one row per optics group."""
    import pandas as pd

    groups = number_optics(frames)
    return pd.DataFrame(
        {
            OPTICS_GROUP: np.array(list(groups.values()), dtype=np.int64),
            "rlnOpticsGroupName": [f"opticsGroup{n}" for n in groups.values()],
            pixel_size_column("relion3"): np.array(list(groups), dtype=np.float64),
        }
    )


def check_pixel_size(
    rows: pd.DataFrame,
    optics: pd.DataFrame,
    frame: TomogramFrame,
    *,
    version: str,
    path: Path,
) -> None:
    """Refuse a file whose optics table states another pixel size than the frame.

    Raises
    ------
    InputDataError
        If they differ by more than 1 %.
    """
    column = pixel_size_column(version)
    if column not in optics.columns:
        return
    if OPTICS_GROUP in rows.columns and OPTICS_GROUP in optics.columns:
        optics = optics[optics[OPTICS_GROUP].isin(rows[OPTICS_GROUP])]
    expected = pixel_size_of(frame, version=version)
    stated = read_columns(optics, (column,), path=path)[:, 0]
    wrong = stated[np.abs(stated - expected) > PIXEL_SIZE_TOLERANCE * expected]
    if len(wrong):
        raise InputDataError(
            f"{path}: {column} is {wrong[0]:g} Å, but tomogram {frame.tomogram_id} "
            f"with voxel size {frame.voxel_size:g} Å and binning {frame.binning:g} "
            f"asks for {expected:g} Å. Correct --voxel-size or --binning."
        )
