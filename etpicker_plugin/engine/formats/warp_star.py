"""Particle STAR files of Warp and M: one table, RELION's labels, Warp's names.

Positions are voxels of the tomogram, "starting from zero at the center of the first
voxel" (WarpTools' documentation of particle files), or, normalised, fractions of the
tomogram's size as ``ts_template_match`` writes them. Centred Å are not read by Warp. A
tomogram is named by its tilt series, ``TS_01.tomostar``; angles are RELION's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.format import (
    VOXELS,
    Format,
    FormatOptions,
    Frames,
    Item,
    Numbers,
)
from etpicker_plugin.engine.formats.names import (
    check_names,
    match_names,
    number_classes,
    order_of,
    short_name,
)
from etpicker_plugin.engine.formats.star_columns import (
    FLOAT_FORMAT,
    drop_unknown,
    particle_columns,
)
from etpicker_plugin.engine.formats.star_numbers import read_columns
from etpicker_plugin.engine.formats.star_poses import read_shifts_vox
from etpicker_plugin.engine.formats.star_tables import read_tables
from etpicker_plugin.engine.formats.star_values import (
    find_score,
    read_rows,
    warn_left_out,
)
from etpicker_plugin.engine.formats.tilt_series_names import (
    check_series,
    series_of,
)
from etpicker_plugin.engine.geometry import (
    TomogramFrame,
    from_fraction_xyz,
    reverse_axes,
    to_fraction_xyz,
)
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles

if TYPE_CHECKING:
    import pandas as pd

COORDINATES = tuple(f"rlnCoordinate{axis}" for axis in "XYZ")
TOMOGRAM = "rlnMicrographName"


def write_warp(
    items: Sequence[Item],
    path: Path,
    *,
    normalised: bool = False,
    class_order: Sequence[str] = (),
) -> None:
    """Write the particles of one or more tomograms as one table.

    Raises
    ------
    ConfigError
        If two tomograms are of one tilt series.
    InputDataError
        If a name cannot stand in a STAR file.
    """
    import pandas as pd
    import starfile

    names = [str(n) for particles, _ in items for n in particles.class_names]
    numbers = number_classes(names, order=class_order)
    check_series([frame for _, frame in items])
    check_names([*numbers, *(series_of(frame) for _, frame in items)])
    tables = [
        _particle_table(particles, frame, normalised=normalised, class_numbers=numbers)
        for particles, frame in items
    ]
    table = drop_unknown(pd.concat(tables, ignore_index=True))
    with write_whole(path) as temporary:
        starfile.write(table, temporary, float_format=FLOAT_FORMAT, na_rep="nan")


def read_warp(
    path: Path,
    *,
    frames: Mapping[str, TomogramFrame],
    normalised: bool = False,
    class_order: Sequence[str] = ("particle",),
    score_column: str = "",
) -> list[Particles]:
    """Read a file into one record per frame, in the frames' order.

    Refined particles stand at their coordinate minus their origin (see
    ``star_poses``). Scores are those of ``score_column`` (see ``find_score``).

    Raises
    ------
    InputDataError
        If the file, its columns or its numbers do not fit, or it names a tomogram
        that ``frames`` does not.
    """
    table = read_warp_table(path)
    _check_unit(table, normalised=normalised, path=path)
    owners = _owners(table, frames, path=path)
    score = find_score(list(table.columns), wanted=score_column, path=path)
    warn_left_out(table, used=(TOMOGRAM, *COORDINATES, score), path=path)
    return [
        read_rows(
            rows,
            frame.tomogram_id,
            _positions_zyx(rows, frame, normalised=normalised, path=path),
            class_order=class_order,
            score_label=score,
            path=path,
        )
        for rows, frame in ((table[owners == n], f) for n, f in frames.items())
    ]


def read_warp_names(path: Path) -> list[str]:
    """Return the tilt series that a file names, or the file's own name if none."""
    table = read_warp_table(path)
    if TOMOGRAM not in table.columns:
        return [path.stem]
    return list(dict.fromkeys(short_name(name) for name in table[TOMOGRAM].astype(str)))


def read_warp_table(path: Path) -> pd.DataFrame:
    """Return the particle table (see ``read_tables``)."""
    return read_tables(path, needed=COORDINATES, tomogram=TOMOGRAM, version="warp")[0]


def _particle_table(
    particles: Particles,
    frame: TomogramFrame,
    *,
    normalised: bool,
    class_numbers: Mapping[str, int],
) -> pd.DataFrame:
    import pandas as pd

    positions = particles.positions_zyx
    xyz = to_fraction_xyz(positions, frame) if normalised else reverse_axes(positions)
    name = series_of(frame) + ".tomostar"
    return pd.DataFrame(
        {
            **dict(zip_strict(COORDINATES, xyz.T)),
            **particle_columns(particles, class_numbers=class_numbers),
            TOMOGRAM: np.full(len(particles), name, dtype=object),
        }
    )


def _check_unit(table: pd.DataFrame, *, normalised: bool, path: Path) -> None:
    """Refuse fractions read as voxels, and voxels read as fractions."""
    xyz = read_columns(table, COORDINATES, path=path)
    are_fractions = bool(len(xyz)) and bool((np.abs(xyz) <= 1).all())
    if normalised and len(xyz) and not are_fractions:
        raise InputDataError(
            f"{path}: positions up to {xyz.max():g}, expected fractions of the "
            "tomogram's size, 0 to 1. They may be voxels: choose the format 'warp'."
        )
    if are_fractions and not normalised:
        raise InputDataError(
            f"{path}: all positions are at most 1, expected voxels. They may be "
            "fractions of the tomogram's size: choose the format 'warp-normalised'."
        )


def _owners(table: pd.DataFrame, frames: Frames, *, path: Path) -> pd.Series:
    """Return each row's tomogram; a file that names none is of the only one."""
    import pandas as pd

    if TOMOGRAM not in table.columns and len(frames) == 1:
        return pd.Series(next(iter(frames)), index=table.index)
    if TOMOGRAM not in table.columns:
        raise InputDataError(
            f"{path}: no column {TOMOGRAM}, but {len(frames)} tomograms are given. "
            "Give the one that the file belongs to."
        )
    names = table[TOMOGRAM].astype(str)
    said = {name: frame.tilt_series for name, frame in frames.items()}
    match = match_names(sorted(set(names)), list(frames), series=said)
    if match.unmatched:
        raise InputDataError(
            f"{path}: tomogram names do not match; {match.describe()}. Give the "
            "tomograms that the file names, under those names."
        )
    return names.map(match.pairs)


def _positions_zyx(
    rows: pd.DataFrame, frame: TomogramFrame, *, normalised: bool, path: Path
) -> FloatArray:
    """Return ``(N, 3)`` voxels, refinement shifts applied."""
    xyz = read_columns(rows, COORDINATES, path=path)
    shifts = read_shifts_vox(rows, voxel_size=frame.voxel_size, path=path)
    zyx = from_fraction_xyz(xyz, frame) if normalised else reverse_axes(xyz)
    return zyx - reverse_axes(shifts)


def _read(
    path: Path, frames: Frames, options: FormatOptions, *, normalised: bool
) -> list[Particles]:
    return read_warp(
        path,
        frames=frames,
        normalised=normalised,
        class_order=options.class_names,
        score_column=options.score_column,
    )


def _write(
    items: Sequence[Item],
    path: Path,
    options: FormatOptions,
    numbers: Numbers,
    *,
    normalised: bool,
) -> None:
    write_warp(items, path, normalised=normalised, class_order=order_of(numbers))


def _format(name: str, *, program: str, positions: str, normalised: bool) -> Format:
    return Format(
        name=name,
        program=program,
        file="particles.star",
        positions=positions,
        holds_every_column=True,
        holds_words=True,
        glob="*.star",
        names_columns=True,
        tomograms_in=read_warp_names,
        read=partial(_read, normalised=normalised),
        write=partial(_write, normalised=normalised),
    )


WARP = replace(
    _format(
        "warp",
        program="Warp and M particles (.star)",
        positions=VOXELS,
        normalised=False,
    ),
    one_voxel_size="Warp reads a table's voxels with one pixel size",
)
WARP_NORMALISED = _format(
    "warp-normalised",
    program="Warp template matching (.star)",
    positions="x y z, fractions of the tomogram's size",
    normalised=True,
)
