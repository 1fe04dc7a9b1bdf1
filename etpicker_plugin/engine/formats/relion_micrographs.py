"""RELION's coordinates in micrographs: a file for each, or particles of all.

``rlnCoordinateX`` and ``rlnCoordinateY`` are pixels from 0, y from the first row
stored, of TIFF from the last. Segments of filaments have the columns with which RELION
begins a helical run; it counts psi, the turn in the plane, against y, and takes both
directions for likely.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import FILAMENT
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.format import (
    PIXELS,
    Format,
    FormatOptions,
    Frames,
    Item,
    Numbers,
    frame_in,
)
from etpicker_plugin.engine.formats.names import check_names, match_names, short_name
from etpicker_plugin.engine.formats.relion_helices import (
    FLIP_RATIO,
    LABELS,
    POLARITY_UNKNOWN,
    PRIORS,
    TRACK,
    TUBE,
    are_helical,
    filament_ids,
    in_order_along_tubes,
    knows_polarity,
    track_lengths,
    tube_numbers,
)
from etpicker_plugin.engine.formats.relion_versions import check_pixel_size
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
from etpicker_plugin.engine.geometry import (
    TomogramFrame,
    from_image_xy,
    reverse_axes,
    to_image_xy,
)
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles

if TYPE_CHECKING:
    import pandas as pd

MICROGRAPH = "rlnMicrographName"
X_AND_Y = ("rlnCoordinateX", "rlnCoordinateY")
DEPTH = "rlnCoordinateZ"
TILT_DEG = 90.0
ENDINGS = ("_autopick", "_manualpick", "_pick")


def micrograph_of(path: Path) -> list[str]:
    """Return the micrograph of a file of one: its name without RELION's ending."""
    for ending in ENDINGS:
        if path.stem.endswith(ending):
            return [path.stem[: -len(ending)]]
    return [path.stem]


def read_xy_table(
    path: Path, *, needed: Sequence[str] = X_AND_Y
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of a STAR file with places in micrographs, and its optics table.

    Raises
    ------
    InputDataError
        If it has none, or places in tomograms.
    """
    table, optics = read_tables(path, needed=needed, version="micrographs")
    if DEPTH in table.columns:
        raise InputDataError(
            f"{path}: {DEPTH} stands beside x and y: these are places in tomograms, "
            "not in micrographs. Choose the format of the RELION version that wrote it."
        )
    return table, optics


def _read_one(path: Path, frames: Frames, options: FormatOptions) -> list[Particles]:
    """Read the coordinates of one micrograph."""
    table, optics = read_xy_table(path)
    score = _score_of(table, options, path)
    return [_particles(table, optics, frame_in(frames), score, options, path)]


def _read_all(path: Path, frames: Frames, options: FormatOptions) -> list[Particles]:
    """Read a table of particles into one record for each micrograph."""
    table, optics = read_xy_table(path, needed=(MICROGRAPH, *X_AND_Y))
    names = table[MICROGRAPH].astype(str)
    match = match_names(sorted(set(names)), list(frames))
    if match.unmatched:
        raise InputDataError(
            f"{path}: names of micrographs do not match; {match.describe()}. Give the "
            "micrographs that the file names, under those names."
        )
    owners = names.map(match.pairs)
    score = _score_of(table, options, path)
    return [
        _particles(table[owners == name], optics, frame, score, options, path)
        for name, frame in frames.items()
    ]


def _score_of(table: pd.DataFrame, options: FormatOptions, path: Path) -> str | None:
    score = find_score(list(table.columns), wanted=options.score_column, path=path)
    warn_left_out(table, used=(MICROGRAPH, *X_AND_Y, score, *LABELS), path=path)
    return score


def _particles(
    rows: pd.DataFrame,
    optics: pd.DataFrame,
    frame: TomogramFrame,
    score: str | None,
    options: FormatOptions,
    path: Path,
) -> Particles:
    rows = in_order_along_tubes(rows, path=path)
    if len(rows):
        check_pixel_size(rows, optics, frame, version="relion3", path=path)
    shifts = read_shifts_vox(rows, voxel_size=frame.voxel_size, path=path)
    shifts[:, 2] = 0.0
    particles = read_rows(
        rows,
        frame.tomogram_id,
        from_image_xy(read_columns(rows, X_AND_Y, path=path)) - reverse_axes(shifts),
        class_order=options.class_names,
        score_label=score,
        path=path,
    )
    return particles.having({FILAMENT.name: filament_ids(rows, path=path)})


def _names_in(path: Path) -> list[str]:
    table, _ = read_xy_table(path, needed=(MICROGRAPH, *X_AND_Y))
    names = table[MICROGRAPH].astype(str)
    return list(dict.fromkeys(short_name(name) for name in names))


def _write_one(
    items: Sequence[Item], path: Path, _: FormatOptions, numbers: Numbers
) -> None:
    _write_table(items, path, numbers, block="", with_names=False)


def _write_all(
    items: Sequence[Item], path: Path, _: FormatOptions, numbers: Numbers
) -> None:
    _write_table(items, path, numbers, block="particles", with_names=True)


def _write_table(
    items: Sequence[Item],
    path: Path,
    numbers: Numbers,
    *,
    block: str,
    with_names: bool,
) -> None:
    """Write particles as one table, with the helical columns if all are on filaments.

    RELION calls the block of one micrograph's coordinates nothing.
    """
    import pandas as pd
    import starfile

    check_names([*numbers, *(frame.tomogram_id for _, frame in items)])
    are_tubes = are_helical([particles for particles, _ in items])
    tables = []
    for particles, frame in items:
        named = [f"{frame.tomogram_id}{frame.suffix}"] * len(particles)
        columns: dict[str, Any] = {
            **({MICROGRAPH: named} if with_names else {}),
            **dict(zip_strict(X_AND_Y, to_image_xy(particles.positions_zyx).T)),
            **particle_columns(particles, class_numbers=numbers),
            **(_helical(particles, frame) if are_tubes else {}),
        }
        tables.append(pd.DataFrame(columns))
    filled = [table for table in tables if len(table)] or tables[:1]
    joint = drop_unknown(pd.concat(filled, ignore_index=True))
    with write_whole(path) as temporary:
        starfile.write(
            {block: joint}, temporary, float_format=FLOAT_FORMAT, na_rep="nan"
        )


def _helical(particles: Particles, frame: TomogramFrame) -> dict[str, Any]:
    """Return RELION's helical columns of segments in a micrograph."""
    count = len(particles)
    return {
        TUBE: tube_numbers(particles),
        TRACK: track_lengths(particles) * frame.voxel_size,
        PRIORS[0]: np.full(count, TILT_DEG),
        PRIORS[1]: psi_along(particles),
        FLIP_RATIO: np.where(knows_polarity(particles), 0.0, POLARITY_UNKNOWN),
    }


def psi_along(particles: Particles) -> FloatArray:
    """Return ``(N,)`` RELION's psi of each segment: - atan2(dy, dx) along its tube."""
    psi = np.zeros(len(particles))
    numbers = tube_numbers(particles)
    for number in np.unique(numbers):
        rows = np.flatnonzero(numbers == number)
        if len(rows) > 1:
            xy = to_image_xy(particles.positions_zyx[rows])
            order: Literal[1, 2] = 1 if len(xy) == 2 else 2
            along = np.gradient(xy, *_places_along(xy), axis=0, edge_order=order)
            psi[rows] = -np.degrees(np.arctan2(along[:, 1], along[:, 0]))
    return psi


def _places_along(xy: FloatArray) -> list[FloatArray]:
    """Return how far along a tube its points are; nothing if two are in one place."""
    steps = np.linalg.norm(np.diff(xy, axis=0), axis=1)
    return [np.concatenate([[0.0], np.cumsum(steps)])] if steps.all() else []


RELION_COORDINATES = Format(
    name="relion-coordinates",
    program="RELION coordinates of a micrograph (_autopick.star)",
    file="{tomogram}_autopick.star",
    positions=PIXELS,
    dimensions=(2,),
    holds_every_column=True,
    holds_words=True,
    glob="*.star",
    names_columns=True,
    tomograms_in=micrograph_of,
    read=_read_one,
    write=_write_one,
)
RELION_MICROGRAPHS = Format(
    name="relion-micrographs",
    program="RELION particles of micrographs (.star)",
    file="particles.star",
    positions=PIXELS,
    dimensions=(2,),
    holds_every_column=True,
    holds_words=True,
    glob="*.star",
    names_columns=True,
    tomograms_in=_names_in,
    read=_read_all,
    write=_write_all,
)
