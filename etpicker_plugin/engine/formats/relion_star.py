"""RELION STAR particle files, read and written (versions 3.1, 4 and 5)."""

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
    short_name,
)
from etpicker_plugin.engine.formats.relion_versions import (
    check_pixel_size,
    coordinate_columns,
    from_relion,
    pixel_size_column,
    pixel_size_of,
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
from etpicker_plugin.engine.geometry import TomogramFrame
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
    and optional columns are left out if none is known.

    Raises
    ------
    InputDataError
        If a name cannot stand in a STAR file.
    """
    import pandas as pd
    import starfile

    names = [str(n) for particles, _ in items for n in particles.class_names]
    numbers = number_classes(names, order=class_order)
    check_names([*numbers, *(frame.tomogram_id for _, frame in items)])
    groups = _number_optics([frame for _, frame in items])
    tables = [
        _particle_table(
            particles,
            frame,
            version=version,
            positions_xyz=to_relion(
                particles.positions_zyx, frame, version=version, centre=relion5_centre
            ),
            optics_group=groups[(frame.voxel_size, frame.binning)],
            class_numbers=numbers,
        )
        for particles, frame in items
    ]
    table = drop_unknown(pd.concat(tables, ignore_index=True))
    optics = _optics_table([frame for _, frame in items], version=version)
    with write_whole(path) as temporary:
        starfile.write(
            {"optics": optics, "particles": table},
            temporary,
            float_format=FLOAT_FORMAT,
            na_rep="nan",
        )


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
    match = match_names(sorted(set(names)), list(frames))
    if match.unmatched:
        raise InputDataError(
            f"{path}: tomogram names do not match; {match.describe()}. Give the "
            "tomograms that the file names, under those names."
        )
    # RELION 5 with the usual centre needs no pixel size: its positions are in Å.
    pixel_size_matters = version != "relion5" or relion5_centre != "half"
    owners = names.map(match.pairs)
    score = find_score(list(table.columns), wanted=score_column, path=path)
    used = (tomogram_column(version), *coordinate_columns(version), score)
    warn_left_out(table, used=used, path=path)
    records = []
    for name, frame in frames.items():
        rows = table[owners == name]
        if len(rows) and pixel_size_matters:
            check_pixel_size(rows, optics, frame, version=version, path=path)
        positions_zyx = from_relion(
            rows, frame, version=version, centre=relion5_centre, path=path
        )
        records.append(
            read_rows(
                rows,
                name,
                positions_zyx,
                class_order=class_order,
                score_label=score,
                path=path,
            )
        )
    return records


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


def _number_optics(frames: Sequence[TomogramFrame]) -> dict[tuple[float, float], int]:
    """Number the different pairs of voxel size and binning from 1."""
    pairs = dict.fromkeys((f.voxel_size, f.binning) for f in frames)
    return {pair: n for n, pair in enumerate(pairs, 1)}


def _optics_table(frames: Sequence[TomogramFrame], *, version: str) -> pd.DataFrame:
    """Return one row per optics group."""
    import pandas as pd

    numbers = _number_optics(frames)
    groups = {numbers[(frame.voxel_size, frame.binning)]: frame for frame in frames}
    sizes = [pixel_size_of(frame, version=version) for frame in groups.values()]
    return pd.DataFrame(
        {
            OPTICS_GROUP: np.array(list(groups), dtype=np.int64),
            "rlnOpticsGroupName": [f"opticsGroup{number}" for number in groups],
            pixel_size_column(version): np.array(sizes, dtype=np.float64),
        }
    )


def _particle_table(
    particles: Particles,
    frame: TomogramFrame,
    *,
    version: str,
    positions_xyz: FloatArray,
    optics_group: int,
    class_numbers: Mapping[str, int],
) -> pd.DataFrame:
    """Return one tomogram's rows, each column with its number type."""
    import pandas as pd

    tomogram = frame.tomogram_id + (".mrc" if version == "relion3" else "")
    columns = dict(zip(coordinate_columns(version), positions_xyz.T, strict=True))
    return pd.DataFrame(
        {
            tomogram_column(version): np.full(len(particles), tomogram, dtype=object),
            **columns,
            **particle_columns(particles, class_numbers=class_numbers),
            OPTICS_GROUP: np.full(len(particles), optics_group, dtype=np.int64),
        }
    )


def _read(
    path: Path, frames: Frames, options: FormatOptions, *, version: str
) -> list[Particles]:
    return read_star(
        path,
        frames=frames,
        version=version,
        relion5_centre=options.relion5_centre,
        class_order=options.class_names,
        score_column=options.score_column,
    )


def _write(
    items: Sequence[Item],
    path: Path,
    options: FormatOptions,
    numbers: Numbers,
    *,
    version: str,
) -> None:
    write_star(
        items,
        path,
        version=version,
        relion5_centre=options.relion5_centre,
        class_order=tuple(numbers),
    )


def _format(version: str, *, positions: str) -> Format:
    return Format(
        name=version,
        file="particles.star",
        positions=positions,
        holds_every_column=True,
        glob="*.star",
        names_columns=True,
        tomograms_in=partial(read_star_names, version=version),
        read=partial(_read, version=version),
        write=partial(_write, version=version),
    )


RELION3 = _format("relion3", positions="x y z, voxels of the tomogram from 0")
RELION4 = replace(
    _format("relion4", positions="x y z, unbinned tilt-series pixels from 0"),
    needs_binning="RELION 4 coordinates are in unbinned pixels",
)
RELION5 = replace(
    _format("relion5", positions="x y z, Å from the tomogram's centre"),
    heeded=("relion5_centre",),
    without_binning="RELION 5 positions in Å do not depend on it.",
)
