"""RELION STAR particle files, read and written (versions 3.1, 4 and 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import FILAMENT, VESICLE
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.format import Item
from etpicker_plugin.engine.formats.names import (
    check_names,
    match_names,
    number_classes,
    short_name,
)
from etpicker_plugin.engine.formats.relion_helices import (
    LABELS,
    filament_ids,
    in_order_along_tubes,
)
from etpicker_plugin.engine.formats.relion_kinds import columns_of_kind, kind_of
from etpicker_plugin.engine.formats.relion_priors import MANIFOLD, vesicle_names
from etpicker_plugin.engine.formats.relion_versions import (
    check_pixel_size,
    coordinate_columns,
    counted_from,
    from_relion,
    number_optics,
    optics_table,
    to_relion,
    tomogram_column,
)
from etpicker_plugin.engine.formats.star_columns import (
    FLOAT_FORMAT,
    OPTICS_GROUP,
    drop_unknown,
    particle_columns,
)
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
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles

if TYPE_CHECKING:
    import pandas as pd


def write_star(
    items: Sequence[Item],
    path: Path,
    *,
    version: str,
    relion5_centre: str = "half",
    class_order: Sequence[str] = (),
) -> None:
    """Write the particles of one or more tomograms as one STAR file.

    The class goes to ``rlnClassNumber`` (see ``number_classes``) and, as RELION
    keeps labels that it does not know, its name to ``etpickerClassName``. Scores
    and optional columns are left out if none is known. If all particles lie on
    filaments, RELION's helical columns are added (see ``relion_helices``); if all are
    points on vesicles' membranes, priors (see ``relion_priors``).

    For RELION 4 and 5 the particles are the only table, without optics groups, as
    from RELION's own picker: its importers read the first table, and it divides Å by
    the pixel size of an optics table that it finds, else by that of tomograms.star.

    Raises
    ------
    ConfigError
        If two tomograms are of one tilt series (RELION 4 and 5).
    InputDataError
        If a name cannot stand in a STAR file.
    """
    import starfile

    frames = [frame for _, frame in items]
    table = joint_table(
        items, version=version, relion5_centre=relion5_centre, class_order=class_order
    )
    tables = {"particles": table}
    if version == "relion3":
        tables = {"optics": optics_table(frames), **tables}
    with write_whole(path) as temporary:
        starfile.write(tables, temporary, float_format=FLOAT_FORMAT, na_rep="nan")


def joint_table(
    items: Sequence[Item],
    *,
    version: str,
    relion5_centre: str,
    class_order: Sequence[str],
) -> pd.DataFrame:
    """Return the particles of all tomograms as one table (see ``write_star``)."""
    import pandas as pd

    classes = [str(n) for particles, _ in items for n in particles.class_names]
    numbers = number_classes(classes, order=class_order)
    frames = [frame for _, frame in items]
    if version != "relion3":
        check_series(frames)
    check_names([*numbers, *(name_in_star(f, version=version) for f in frames)])
    kind = kind_of([particles for particles, _ in items])
    tables = [
        _particle_table(
            particles,
            frame,
            version=version,
            positions_xyz=to_relion(
                particles.positions_zyx, frame, version=version, centre=relion5_centre
            ),
            class_numbers=numbers,
            kind=kind,
        )
        for particles, frame in items
    ]
    if version == "relion3":
        groups = number_optics(frames)
        for table, frame in zip_strict(tables, frames):
            table[OPTICS_GROUP] = groups[frame.voxel_size]
    return drop_unknown(pd.concat(tables, ignore_index=True))


def name_in_star(frame: TomogramFrame, *, version: str) -> str:
    """Return what a STAR file calls a tomogram: RELION 4 and 5, by its tilt series."""
    return f"{frame.tomogram_id}.mrc" if version == "relion3" else series_of(frame)


def read_star(
    path: Path,
    *,
    frames: Mapping[str, TomogramFrame],
    version: str,
    relion5_centre: str = "half",
    class_order: Sequence[str] = ("particle",),
    score_column: str = "",
) -> list[Particles]:
    """Read a STAR file into one record per frame, in the frames' order.

    Without ``etpickerClassName``, class number *n* is the *n*-th of ``class_order``
    or, beyond it, ``class_n``; without a class number every particle is of the first.
    Scores are those of ``score_column`` (see ``find_score``). Columns that are not
    read are named in a warning.

    Raises
    ------
    InputDataError
        If the file, its columns, its numbers or its pixel size do not fit, or it
        names a tomogram that ``frames`` does not.
    """
    table, optics = read_particle_table(path, version=version)
    names = table[tomogram_column(version)].astype(str)
    said = {name: frame.tilt_series for name, frame in frames.items()}
    match = match_names(sorted(set(names)), list(frames), series=said)
    if match.unmatched:
        raise InputDataError(
            f"{path}: tomogram names do not match; {match.describe()}. Give the "
            "tomograms that the file names, under those names."
        )
    owners = names.map(match.pairs)
    score = find_score(list(table.columns), wanted=score_column, path=path)
    used = (tomogram_column(version), *coordinate_columns(version), score, *LABELS)
    used = (*used, MANIFOLD)
    warn_left_out(table, used=used, path=path)
    records = []
    for name, frame in frames.items():
        rows = in_order_along_tubes(table[owners == name], path=path)
        if len(rows) and _pixel_size_matters(frame, version, relion5_centre):
            check_pixel_size(rows, optics, frame, version=version, path=path)
        positions_zyx = from_relion(
            rows,
            counted_from(rows, frame, path=path) if version == "relion5" else frame,
            version=version,
            centre=relion5_centre,
            path=path,
        )
        particles = read_rows(
            rows,
            name,
            positions_zyx,
            class_order=class_order,
            score_label=score,
            path=path,
        )
        tubes = filament_ids(rows, path=path)
        groups = {FILAMENT.name: tubes, VESICLE.name: vesicle_names(rows, path=path)}
        records.append(particles.having(groups))
    return records


def _pixel_size_matters(frame: TomogramFrame, version: str, centre: str) -> bool:
    """Tell whether positions depend on it: those of RELION 5 are in Å.

    But RELION divides them by what the file states, which must be its own.
    """
    in_ang = version == "relion5" and centre == "half"
    return not in_ang or frame.unbinned_pixel_size is not None


def read_particle_table(
    path: Path, *, version: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a version's particle table and the optics table (see ``read_tables``)."""
    needed = (tomogram_column(version), *coordinate_columns(version))
    return read_tables(path, needed=needed, version=version)


def read_star_names(path: Path, *, version: str) -> list[str]:
    """Return the tomograms that a file names."""
    table, _ = read_particle_table(path, version=version)
    column = table[tomogram_column(version)].astype(str)
    return list(dict.fromkeys(short_name(name) for name in column))


def _particle_table(
    particles: Particles,
    frame: TomogramFrame,
    *,
    version: str,
    positions_xyz: FloatArray,
    class_numbers: Mapping[str, int],
    kind: str,
) -> pd.DataFrame:
    """Return one tomogram's rows, each column with its number type."""
    import pandas as pd

    tomogram = name_in_star(frame, version=version)
    columns = dict(zip_strict(coordinate_columns(version), positions_xyz.T))
    return pd.DataFrame(
        {
            tomogram_column(version): np.full(len(particles), tomogram, dtype=object),
            **columns,
            **particle_columns(particles, class_numbers=class_numbers),
            **columns_of_kind(
                particles, kind=kind, voxel_size=frame.voxel_size, version=version
            ),
        }
    )
