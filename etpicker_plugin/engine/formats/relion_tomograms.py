"""RELION's ``tomograms.star``: what RELION itself says of each tomogram.

Its table ``global`` names the tilt series (``rlnTomoName``), the size of the unbinned
tomogram (``rlnTomoSizeX/Y/Z``) and the pixel size (``rlnTomoTiltSeriesPixelSize``);
RELION 5 also binning and file of the reconstructed tomogram. Positions count from that
unbinned size: RELION rounds n = size / binning in x and y and cuts it in z, so half of
n is up to half a voxel away from its centre.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.names import match_names
from etpicker_plugin.engine.formats.star_numbers import read_columns
from etpicker_plugin.engine.formats.star_tables import read_tables
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.newer_python import zip_strict

if TYPE_CHECKING:
    import pandas as pd

NAME = "rlnTomoName"
SIZES = tuple(f"rlnTomoSize{axis}" for axis in "XYZ")
PIXEL_SIZE = "rlnTomoTiltSeriesPixelSize"
BINNING = "rlnTomoTomogramBinning"
FILES = "rlnTomoReconstructedTomogram"
"""What the columns of files begin with: whole, Half1, Half2, Denoised."""
BINNING_TOLERANCE = 0.01
SIZE_TOLERANCE_VOX = 1.0


@dataclass(frozen=True)
class RelionTomogram:
    """A tilt series and its tomogram, as RELION has them.

    Attributes
    ----------
    name
        Of the tilt series.
    size_xyz, pixel_size
        Size in pixels and pixel size in Å of the unbinned tomogram.
    binning
        Of the reconstructed tomogram; ``None`` if it is not stated.
    files
        Names of the reconstructed tomogram and its halves, without folders.
    """

    name: str
    size_xyz: tuple[float, float, float]
    pixel_size: float
    binning: float | None = None
    files: tuple[str, ...] = ()


def read_tomograms_star(path: Path) -> dict[str, RelionTomogram]:
    """Read a ``tomograms.star`` of RELION 4 or 5; return its rows by name.

    Raises
    ------
    InputDataError
        If the file or a column is missing, a number is none or not above 0, or a name
        stands there twice.
    """
    table, _ = read_tables(
        path,
        needed=(NAME, *SIZES, PIXEL_SIZE),
        tomogram=NAME,
        version="RELION's tomograms.star",
    )
    numbers = read_columns(table, (*SIZES, PIXEL_SIZE), path=path)
    if not (numbers > 0).all():
        raise InputDataError(
            f"{path}: {', '.join((*SIZES, PIXEL_SIZE))} hold {numbers.min():g}, "
            "expected sizes above 0. Give the tomograms.star of 'Reconstruct "
            "tomograms'."
        )
    names = table[NAME].astype(str).tolist()
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise InputDataError(
            f"{path}: {NAME} {', '.join(double)} stands there twice. Expected each "
            "tilt series once."
        )
    binnings = _binnings(table, path=path)
    files = _files(table)
    return {
        name: RelionTomogram(
            name=name,
            size_xyz=(row[0], row[1], row[2]),
            pixel_size=row[3],
            binning=binnings[i],
            files=files[i],
        )
        for i, (name, row) in enumerate(zip_strict(names, numbers.tolist()))
    }


def find_tomogram(
    tomogram_id: str,
    path: Path,
    known: Mapping[str, RelionTomogram],
    *,
    series: str,
    source: Path,
) -> RelionTomogram:
    """Return what RELION says of a tomogram.

    It is the tilt series that the user named (``series``), or the one whose
    reconstructed tomogram has the name of the file at ``path``, or the one of its
    own name.

    Raises
    ------
    InputDataError
        If there is none.
    """
    if series:
        found = [known[series]] if series in known else []
    else:
        names = {path.name, path.resolve().name}
        found = [t for t in known.values() if names & set(t.files)]
        if len(found) != 1:
            pairs = match_names([tomogram_id], list(known)).pairs
            found = [known[name] for name in pairs.values()]
    if len(found) != 1:
        wanted = series or f"the tilt series of {tomogram_id}"
        raise InputDataError(
            f"{source} does not hold {wanted}. It holds: "
            f"{', '.join(known) or 'none'}. Give the tomograms.star that belongs to "
            "these tomograms, or say the names with --tilt-series-name or "
            "--tilt-series-table."
        )
    return found[0]


def as_relion_has_it(
    frame: TomogramFrame, tomogram: RelionTomogram, *, source: Path
) -> TomogramFrame:
    """Return a frame with RELION's name, unbinned size, pixel size and binning.

    Raises
    ------
    InputDataError
        If RELION's binning, or the size that follows from it, is not the frame's.
    """
    found = frame.voxel_size / tomogram.pixel_size
    binning = tomogram.binning or found
    if abs(binning - found) > BINNING_TOLERANCE * found:
        raise InputDataError(
            f"Tomogram {frame.tomogram_id}: its voxel size of {frame.voxel_size:g} Å "
            f"is {found:.4g} times {PIXEL_SIZE} {tomogram.pixel_size:g} Å, but "
            f"{BINNING} is {binning:g} in {source}. Give the tomogram that RELION "
            "reconstructed, or correct --voxel-size."
        )
    expected = np.array(tomogram.size_xyz) / binning
    shape_xyz = frame.shape_zyx[::-1]
    if (np.abs(expected - shape_xyz) > SIZE_TOLERANCE_VOX).any():
        unbinned = " x ".join(f"{n:g}" for n in tomogram.size_xyz)
        raise InputDataError(
            f"Tomogram {frame.tomogram_id}: its size (x, y, z) is {shape_xyz} voxels, "
            f"but {source} has {unbinned} pixels for {tomogram.name}, which are "
            f"{' x '.join(f'{n:.1f}' for n in expected)} at binning {binning:g}. It is "
            "of another tilt series, or was cut: its positions are not RELION's."
        )
    return replace(
        frame,
        binning=binning,
        tilt_series=tomogram.name,
        unbinned_size_xyz=tomogram.size_xyz,
        unbinned_pixel_size=tomogram.pixel_size,
    )


def _binnings(table: pd.DataFrame, *, path: Path) -> list[float | None]:
    """Return each row's binning; ``None`` where RELION states none, or 0."""
    if BINNING not in table.columns:
        return [None] * len(table)
    known = table[BINNING].notna().to_numpy()
    values = np.zeros(len(table))
    values[known] = read_columns(table[known], (BINNING,), path=path)[:, 0]
    return [value if value > 0 else None for value in values.tolist()]


def _files(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the names of each row's tomograms."""
    columns = [c for c in table.columns if str(c).startswith(FILES)]
    rows = table[columns].astype(str).to_numpy().tolist()
    return [tuple(Path(cell).name for cell in row) for row in rows]
