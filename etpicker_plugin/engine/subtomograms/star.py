"""The table of boxes that RELION 3.1 to 5 read: 3D images, each with its wedge."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import VESICLE
from etpicker_plugin.engine.formats.groups import texts_of
from etpicker_plugin.engine.formats.names import check_names
from etpicker_plugin.engine.formats.relion_kinds import columns_of_kind, kind_of
from etpicker_plugin.engine.formats.star_columns import (
    ANGLES,
    CLASS_NAME,
    FLOAT_FORMAT,
    SCORE,
)
from etpicker_plugin.engine.formats.star_poses import ORIGIN_ANG
from etpicker_plugin.engine.geometry import reverse_axes
from etpicker_plugin.engine.kinds import VESICLE as VESICLE_KIND
from etpicker_plugin.engine.names import star_word
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.orientation import to_relion_angles
from etpicker_plugin.engine.particles import Particles

if TYPE_CHECKING:
    import pandas as pd

ON_VESICLE = VESICLE.star_labels[0]
"""Of points on membranes: RELION 3.1 has no number of these, but keeps the column."""

VERSION_LINE = "# version 30001"


@dataclass(frozen=True)
class BoxSet:
    """The boxes of one tomogram.

    Attributes
    ----------
    particles
        Centres, voxels of the tomogram.
    images
        ``(N,)`` names of the boxes' files, as the table is to hold them.
    wedge
        Name of the wedge's file, likewise.
    voxel_size
        That of the tomogram, Å.
    """

    particles: Particles
    images: Sequence[str]
    wedge: str
    voxel_size: float


@dataclass(frozen=True)
class Optics:
    """What all boxes share: edge (voxels), voxel size (Å), and the microscope."""

    box: int
    voxel_size: float
    voltage: float = 300.0
    spherical_aberration: float = 2.7


def write_particles_star(sets: Sequence[BoxSet], path: Path, *, optics: Optics) -> None:
    """Write boxes as one STAR file of RELION 3.1.

    A group is a tomogram (``rlnMicrographName``), an optics group a voxel size of
    tomograms. RELION looks for the images from the folder in which it is started. If
    all boxes are of filaments, or on membranes, RELION's columns of these are added;
    and the vesicles' names.

    Raises
    ------
    InputDataError
        If a name cannot stand in a STAR file.
    """
    import pandas as pd

    sizes = list(dict.fromkeys(item.voxel_size for item in sets))
    kind = kind_of([item.particles for item in sets])
    tables = [
        _particle_table(item, group=sizes.index(item.voxel_size) + 1, kind=kind)
        for item in sets
    ]
    table = pd.concat(tables, ignore_index=True)
    for column in ("rlnMicrographName", CLASS_NAME, ON_VESICLE):
        if column in table:
            table[column] = table[column].map(star_word)
    for column in ("rlnImageName", "rlnCtfImage"):
        check_names(list(dict.fromkeys(table[column])))
    if table[SCORE].isna().all():
        table = table.drop(columns=SCORE)
    write_tables({"optics": _optics_table(sizes, optics), "particles": table}, path)


def write_tables(tables: dict[str, pd.DataFrame], path: Path) -> None:
    """Write tables with RELION 3.1's version above each, whole or not at all."""
    with write_whole(path) as temporary:
        text = "\n".join(_loop_text(name, table) for name, table in tables.items())
        temporary.write_text(text, encoding="utf-8")


def _loop_text(name: str, table: pd.DataFrame) -> str:
    """Return a table as a loop; Scipion writes it too, where there is no starfile."""
    labels = [f"_{label} #{n}" for n, label in enumerate(table.columns, 1)]
    head = [VERSION_LINE, "", f"data_{name}", "", "loop_", *labels]
    rows = table.apply(lambda column: column.map(_quoted)).to_csv(
        sep="\t",
        header=False,
        index=False,
        float_format=FLOAT_FORMAT,
        na_rep="nan",
        lineterminator="\n",
        quoting=csv.QUOTE_NONE,
    )
    return "\n".join([*head, rows])


def _quoted(value: object) -> object:
    """Return a text of several words, or of none, in quotes."""
    return f'"{value}"' if isinstance(value, str) and len(value.split()) != 1 else value


def _optics_table(sizes: Sequence[float], optics: Optics) -> pd.DataFrame:
    import pandas as pd

    count = len(sizes)
    return pd.DataFrame(
        {
            "rlnOpticsGroupName": [f"opticsGroup{n}" for n in range(1, count + 1)],
            "rlnOpticsGroup": np.arange(1, count + 1),
            "rlnSphericalAberration": np.full(count, optics.spherical_aberration),
            "rlnVoltage": np.full(count, optics.voltage),
            "rlnMicrographPixelSize": np.array(sizes, dtype=np.float64),
            "rlnImagePixelSize": np.full(count, optics.voxel_size),
            "rlnImageSize": np.full(count, optics.box),
            "rlnImageDimensionality": np.full(count, 3),
        }
    )


def _particle_table(item: BoxSet, *, group: int, kind: str) -> pd.DataFrame:
    """Return one tomogram's rows, each column with its number type."""
    import pandas as pd

    particles = item.particles
    count = len(particles)
    x, y, z = reverse_axes(particles.positions_zyx).T
    angles = np.zeros((count, 3))
    if particles.rotations is not None:
        angles = to_relion_angles(particles.rotations)
    poses = dict(zip_strict(ANGLES, angles.T))
    poses.update((name, np.zeros(count)) for name in ORIGIN_ANG)
    poses.update(
        columns_of_kind(
            particles, kind=kind, voxel_size=item.voxel_size, version="relion3"
        )
    )
    if kind == VESICLE_KIND:
        poses[ON_VESICLE] = texts_of(VESICLE, particles).astype(object)
    return pd.DataFrame(
        {
            "rlnMicrographName": np.full(
                count, f"{particles.tomogram_id}.mrc", dtype=object
            ),
            "rlnCoordinateX": x,
            "rlnCoordinateY": y,
            "rlnCoordinateZ": z,
            "rlnImageName": np.array(item.images, dtype=object),
            "rlnCtfImage": np.full(count, item.wedge, dtype=object),
            "rlnOpticsGroup": np.full(count, group),
            **poses,
            SCORE: particles.scores,
            CLASS_NAME: particles.class_names.astype(object),
        }
    )
