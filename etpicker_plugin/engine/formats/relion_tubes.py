"""Tubes as RELION's own boxer marks them in a micrograph: pairs of start and end.

A tube is straight there: a bent filament is written as several, one behind the other.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

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
    particles_in,
)
from etpicker_plugin.engine.formats.relion_micrographs import (
    X_AND_Y,
    micrograph_of,
    read_xy_table,
)
from etpicker_plugin.engine.formats.star_columns import CLASS_NUMBER, FLOAT_FORMAT
from etpicker_plugin.engine.formats.star_numbers import read_columns
from etpicker_plugin.engine.formats.star_values import read_classes
from etpicker_plugin.engine.formats.straight_pieces import (
    STRAIGHT_ANG,
    straight_pieces,
)
from etpicker_plugin.engine.geometry import from_image_xy
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles, make_particles

logger = logging.getLogger(__name__)


def read_tubes(path: Path, frames: Frames, options: FormatOptions) -> list[Particles]:
    """Read pairs of rows as filaments of two points."""
    rows, _ = read_xy_table(path)
    if len(rows) % 2:
        raise InputDataError(
            f"{path}: {len(rows)} rows, expected an even number: a start and an end "
            "for each tube. If these are single particles or segments, choose the "
            "format relion-coordinates."
        )
    ids = np.array([str(n // 2 + 1) for n in range(len(rows))], dtype=str)
    particles = make_particles(
        frame_in(frames).tomogram_id,
        from_image_xy(read_columns(rows, X_AND_Y, path=path)),
        class_names=read_classes(rows, options.class_names, path=path),
        optional={FILAMENT.name: ids},
    )
    return [particles]


def write_tubes(
    items: Sequence[Item], path: Path, _: FormatOptions, numbers: Numbers
) -> None:
    """Write start and end of each straight piece of each filament.

    Raises
    ------
    InputDataError
        If a particle lies on no filament.
    """
    import pandas as pd
    import starfile

    particles, frame = particles_in(items), items[0][1]
    pairs = list(straight_pieces(particles, STRAIGHT_ANG / frame.voxel_size))
    ends = np.array([xy for xy, _ in pairs]).reshape(-1, 2)
    names = [name for _, name in pairs for _ in range(2)]
    logger.info(
        "%s: %d points of filaments became %d straight tubes; the points between "
        "their ends are left out. Segments are kept by relion-coordinates.",
        path,
        len(particles),
        len(pairs),
    )
    table = pd.DataFrame(
        {
            **dict(zip_strict(X_AND_Y, ends.T)),
            CLASS_NUMBER: np.array([numbers[name] for name in names], dtype=np.int64),
        }
    )
    with write_whole(path) as temporary:
        starfile.write({"": table}, temporary, float_format=FLOAT_FORMAT)


RELION_TUBES = Format(
    name="relion-tubes",
    program="RELION start and end of tubes in a micrograph (_manualpick.star)",
    file="{tomogram}_manualpick.star",
    positions=f"{PIXELS}; a start and an end in turn",
    dimensions=(2,),
    not_held=("class names", "scores", "orientations"),
    holds_columns=(FILAMENT.name,),
    glob="*.star",
    tomograms_in=micrograph_of,
    read=read_tubes,
    write=write_tubes,
)
