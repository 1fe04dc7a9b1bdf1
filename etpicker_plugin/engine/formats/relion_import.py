"""The list that RELION 5's *Import coordinates* asks for, and the files that it names.

``relion_tomo_import_coordinates --i relion5_import.star`` reads a table of
``rlnTomoName`` and ``rlnTomoImportParticleFile``, and then each STAR file as it stands:
RELION 5's centred Å, which it neither scales nor centres. Paths count from where
RELION is started, so they are whole here. All files need the same columns.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.format import (
    Format,
    FormatOptions,
    Frames,
    Item,
    Numbers,
)
from etpicker_plugin.engine.formats.names import match_names, order_of, short_name
from etpicker_plugin.engine.formats.relion_formats import RELION5
from etpicker_plugin.engine.formats.relion_star import joint_table, read_star
from etpicker_plugin.engine.formats.star_columns import FLOAT_FORMAT
from etpicker_plugin.engine.formats.star_tables import read_tables
from etpicker_plugin.engine.formats.tilt_series_names import series_of
from etpicker_plugin.engine.names import printable
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles, join_particles, make_particles

if TYPE_CHECKING:
    import pandas as pd

NAME, FILE = "rlnTomoName", "rlnTomoImportParticleFile"


def write_import_list(
    items: Sequence[Item], path: Path, options: FormatOptions, numbers: Numbers
) -> None:
    """Write a file for each tilt series, into a folder named as the list, then that.

    A tilt series without particles is left out: RELION cannot read an empty table.

    Raises
    ------
    ConfigError
        If two tomograms are of one tilt series.
    InputDataError
        If a name, or the way to the files, cannot stand in a STAR file, or there are
        no particles.
    """
    table = joint_table(
        items,
        version="relion5",
        relion5_centre=options.relion5_centre,
        class_order=order_of(numbers),
    )
    folder = path.absolute().with_suffix("")
    _check_way(folder, [series_of(frame) for _, frame in items])
    files = {}
    for _, frame in items:
        series = series_of(frame)
        rows = table[table[NAME] == series]
        if len(rows):
            files[series] = folder / f"{series}.star"
            folder.mkdir(exist_ok=True)
            _write_table({"particles": rows}, files[series])
    if not files:
        raise InputDataError("There are no particles to write.")
    listed = {NAME: list(files), FILE: list(map(str, files.values()))}
    _write_table({"": _data_frame(listed)}, path)


def read_import_list(
    path: Path, frames: Frames, options: FormatOptions
) -> list[Particles]:
    """Read the files of a list into one record per frame, in the frames' order.

    Raises
    ------
    InputDataError
        If the list or a file cannot be read, or a name has no tomogram.
    """
    listed = _read_list(path)
    said = {name: frame.tilt_series for name, frame in frames.items()}
    match = match_names(list(listed), list(frames), series=said)
    if match.unmatched:
        raise InputDataError(
            f"{path}: tomogram names do not match; {match.describe()}. Give the "
            "tomograms that the file names, under those names."
        )
    found: dict[str, list[Particles]] = {name: [] for name in frames}
    for series, files in listed.items():
        name = match.pairs[series]
        for file in files:
            if not os.path.isfile(file):  # of any text: too long for a name, too
                raise InputDataError(
                    f"{path} lists '{printable(str(file))}', and there is no such "
                    "file. Put it there, or correct the line; paths count from the "
                    "folder in which one works, or from the list's own."
                )
            found[name] += read_star(
                file,
                frames={name: frames[name]},
                version="relion5",
                relion5_centre=options.relion5_centre,
                class_order=options.class_names,
                score_column=options.score_column,
            )
    return [_joined(name, parts) for name, parts in found.items()]


def read_import_names(path: Path) -> list[str]:
    """Return the tilt series that a list names."""
    return list(dict.fromkeys(map(short_name, _read_list(path))))


def _joined(name: str, parts: Sequence[Particles]) -> Particles:
    if len(parts) == 1:
        return parts[0]
    return join_particles(name, parts) if parts else make_particles(name, [])


def _read_list(path: Path) -> dict[str, list[Path]]:
    """Return the files of each tilt series; one may have several.

    As RELION has it, a path counts from the folder in which one works; one that is
    not there, from the list's own.

    Raises
    ------
    InputDataError
        If the list cannot be read, or names a file twice.
    """
    table, _ = read_tables(
        path, needed=(NAME, FILE), tomogram=NAME, version="relion5-import"
    )
    listed: dict[str, list[Path]] = {}
    for name, file in zip_strict(map(str, table[NAME]), map(str, table[FILE])):
        found = Path(file) if os.path.isfile(file) else path.parent / file
        if any(found in files for files in listed.values()):
            raise InputDataError(
                f"{path}: {file} is listed twice, and its particles would be read "
                "twice. Leave one of the lines out."
            )
        listed.setdefault(name, []).append(found)
    return listed


def _check_way(folder: Path, names: Sequence[str]) -> None:
    """Refuse a folder that cannot stand in the list, and names that leave it."""
    if any(c.isspace() or c in "'\"#" for c in str(folder)):
        raise InputDataError(
            f"The way to {folder} has blanks, quotes or '#' in it, so it cannot "
            "stand in RELION's list. Give another --out."
        )
    for name in names:
        if "/" in name:
            raise InputDataError(
                f"The tilt series '{name}' cannot name a file. Give it a name without "
                "'/'."
            )


def _data_frame(columns: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns)


def _write_table(tables: Mapping[str, pd.DataFrame], path: Path) -> None:
    import starfile

    with write_whole(path) as temporary:
        starfile.write(dict(tables), temporary, float_format=FLOAT_FORMAT, na_rep="nan")


RELION5_IMPORT = Format(
    name="relion5-import",
    program="RELION 5 import list (.star)",
    file="relion5_import.star",
    positions=RELION5.positions,
    holds_every_column=True,
    glob="*.star",
    tomograms_in=read_import_names,
    read=read_import_list,
    write=write_import_list,
    heeded=RELION5.heeded,
    holds_words=True,
    names_columns=True,
    heeds_tomograms=True,
    without_tomograms=RELION5.without_tomograms,
)
