"""The records of RELION's particle files, one for each version (see relion_star.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from etpicker_plugin.engine.formats.format import (
    Format,
    FormatOptions,
    Frames,
    Item,
    Numbers,
)
from etpicker_plugin.engine.formats.names import order_of
from etpicker_plugin.engine.formats.relion_star import (
    read_star,
    read_star_names,
    write_star,
)
from etpicker_plugin.engine.particles import Particles


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
        class_order=order_of(numbers),
    )


def _format(version: str, *, program: str, positions: str) -> Format:
    return Format(
        name=version,
        program=program,
        file="particles.star",
        positions=positions,
        holds_every_column=True,
        holds_words=True,
        glob="*.star",
        names_columns=True,
        tomograms_in=partial(read_star_names, version=version),
        read=partial(_read, version=version),
        write=partial(_write, version=version),
    )


RELION3 = _format(
    "relion3",
    program="RELION 3.1 particles (.star)",
    positions="x y z, voxels of the tomogram from 0",
)
RELION4 = replace(
    _format(
        "relion4",
        program="RELION 4 particles (.star)",
        positions="x y z, unbinned tilt-series pixels from 0",
    ),
    needs_binning="RELION 4 coordinates are in unbinned pixels",
    heeds_tomograms=True,
)
RELION5 = replace(
    _format(
        "relion5",
        program="RELION 5 particles (.star)",
        positions="x y z, Å from the tomogram's centre",
    ),
    heeded=("relion5_centre",),
    heeds_tomograms=True,
    without_tomograms="RELION 5 counts from the centre of its unbinned tomogram. "
    "Without --tomograms that is taken to be half the binned size, times the binning; "
    "RELION's own may lie up to half a voxel away in z, and a quarter in x and y.",
)
