"""What is averaged: a checked table of boxes, and the map to start from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from etpicker_plugin.engine.averaging.records import LEAST_BOXES
from etpicker_plugin.engine.config.average import AverageConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.relion_helices import TUBE
from etpicker_plugin.engine.json_checks import JsonFault, map_of, number
from etpicker_plugin.engine.relion.read import IMAGE, read_particles
from etpicker_plugin.engine.result_files import read_record
from etpicker_plugin.engine.subtomograms.records import RECORD, STAR
from etpicker_plugin.engine.volumes.mrc_cell import VOXEL_SIZE_TOLERANCE
from etpicker_plugin.engine.volumes.tomogram import (
    Tomogram,
    read_map,
    read_whole,
)

WEDGE = "rlnCtfImage"
DIAMETERS = map_of(number(0))
FEW_BOXES = 50
TUBE_MASK_EDGES = 0.9
"""Of a box's edge: the round mask of boxes along filaments."""

SIZES = ("rlnImagePixelSize", "rlnImageSize", "rlnImageDimensionality")
OPTICS = ("rlnOpticsGroup", *SIZES)


@dataclass(frozen=True)
class Boxes:
    """A table of boxes with their paths made absolute.

    Attributes
    ----------
    record
        What ``extract`` noted beside the table; empty for tables of others.
    box, voxel_size
        Edge in voxels and voxel size in Å, the same for all.
    """

    star: Path
    particles: pd.DataFrame
    optics: pd.DataFrame
    record: dict[str, Any]
    box: int
    voxel_size: float

    def __len__(self) -> int:
        """Return the number of boxes."""
        return len(self.particles)


def read_boxes(given: Path | str) -> Boxes:
    """Read a table of boxes and see that every file is there.

    Image names count from the table's folder or, as RELION has it, from the working
    folder.

    Raises
    ------
    InputDataError
        If the table, its optics or its files cannot be used.
    """
    star = Path(given)
    if star.is_dir():
        star = star / STAR
    particles, optics = read_particles(star)
    missing = [c for c in (WEDGE, "rlnOpticsGroup") if c not in particles.columns]
    if missing:
        raise InputDataError(
            f"{star}: no column {', '.join(missing)}. Every box needs its wedge "
            f"({WEDGE}) and optics group: make the boxes with 'etpicker extract'."
        )
    if particles[IMAGE].duplicated().any():
        repeated = particles[IMAGE][particles[IMAGE].duplicated()].iloc[0]
        raise InputDataError(
            f"{star}: {repeated} stands in it twice. Keep one row for each box: a "
            "particle in both half sets makes the resolution worthless."
        )
    box, voxel_size = _common_optics(particles, optics, star)
    return Boxes(
        star=star,
        particles=_with_found_files(particles, star),
        optics=optics,
        record=read_record(star.with_name(RECORD)),
        box=box,
        voxel_size=voxel_size,
    )


def check_count(boxes: Boxes, task: str) -> None:
    """Refuse fewer boxes than half sets and an average need.

    Raises
    ------
    InputDataError
        If there are too few.
    """
    if len(boxes) < LEAST_BOXES[task]:
        raise InputDataError(
            f"{boxes.star}: {len(boxes)} box(es), too few to {task}. Expected at least "
            f"{LEAST_BOXES[task]}, better hundreds: give more picks, or a smaller box "
            "if many were left out at the edges."
        )


def check_reference(path: str, boxes: Boxes) -> None:
    """Refuse a map of another size, voxel size or contrast than the boxes.

    Raises
    ------
    InputDataError
        If it does not fit.
    """
    try:
        volume = read_map(path)
    except InputDataError as error:
        raise InputDataError(f"Reference: {error}") from error
    refuse_other_axes(volume, f"Reference {path}")
    data = np.asarray(read_whole(volume), dtype=np.float32)
    wanted = (boxes.box,) * 3
    if volume.shape_zyx != wanted or (
        abs(volume.voxel_size - boxes.voxel_size)
        > VOXEL_SIZE_TOLERANCE * boxes.voxel_size
    ):
        raise InputDataError(
            f"Reference {path}: size {volume.shape_zyx} at {volume.voxel_size:g} Å; "
            f"the boxes have {wanted} at {boxes.voxel_size:g} Å. Rescale it: "
            f"relion_image_handler --i {path} --o NEW.mrc --rescale_angpix "
            f"{boxes.voxel_size:g} --new_box {boxes.box}"
        )
    if not np.isfinite(data).all() or data.std() == 0:
        raise InputDataError(
            f"Reference {path}: all voxels are equal, or some are NaN. Give a map."
        )


def refuse_other_axes(volume: Tomogram, what: str) -> None:
    """Refuse a map that RELION would read with axes exchanged.

    Raises
    ------
    InputDataError
        If columns, rows and sections are not x, y and z.
    """
    if volume.stored_axes != (0, 1, 2):
        raise InputDataError(
            f"{what}: its file holds the axes in another order (MAPC, MAPR, MAPS in "
            "the header), which RELION does not heed. Write it with x, y, z in order."
        )


def choose_diameter(config: AverageConfig, boxes: Boxes) -> float:
    """Return the mask's diameter in Å, given or that of the extraction.

    Filaments go on beyond their width: RELION's mask of these fills most of the box.

    Raises
    ------
    ConfigError
        If none is known, or it does not fit into the box.
    """
    edge = boxes.box * boxes.voxel_size
    diameter = config.diameter or noted_diameter(boxes.record)
    if config.diameter is None and TUBE in boxes.particles:
        diameter = max(diameter or 0.0, TUBE_MASK_EDGES * edge)
    if diameter is None:
        raise ConfigError(
            f"The particle's diameter is not known: {boxes.star} has no {RECORD} "
            "beside it. Give --diameter in Å."
        )
    if diameter > edge or diameter < 4 * boxes.voxel_size:
        raise ConfigError(
            f"--diameter: got {diameter:g} Å, expected between four voxels "
            f"({4 * boxes.voxel_size:g} Å) and the box's edge ({edge:g} Å)."
        )
    return float(diameter)


def noted_diameter(noted: dict[str, Any]) -> float | None:
    """Return the largest diameter, Å, that the boxes were made for, if it is noted."""
    try:
        known = DIAMETERS(noted.get("diameters_ang", {}), "diameters_ang")
    except JsonFault:
        return None
    return max(known.values(), default=None)


def _common_optics(
    particles: pd.DataFrame, optics: pd.DataFrame, star: Path
) -> tuple[int, float]:
    missing = [c for c in OPTICS if c not in optics.columns]
    if missing:
        raise InputDataError(
            f"{star}: its optics table has no {', '.join(missing)}. Make the boxes "
            "with 'etpicker extract'."
        )
    used = optics[optics["rlnOpticsGroup"].isin(particles["rlnOpticsGroup"])]
    try:
        values = {tuple(row) for row in used[list(SIZES)].to_numpy(float)}
    except (TypeError, ValueError) as error:
        raise InputDataError(
            f"{star}: its optics table holds what is no number: {error}."
        ) from error
    if len(values) != 1:
        raise InputDataError(
            f"{star}: boxes of several sizes, voxel sizes or dimensions: "
            f"{sorted(values)}. Extract them again with one --box-voxel-size."
        )
    voxel_size, box, dimensions = values.pop()
    if dimensions != 3 or box % 2 or not (2 <= box < 10**5 and 0 < voxel_size < 10**6):
        raise InputDataError(
            f"{star}: images of {dimensions:g} dimensions, edge {box:g}, voxel size "
            f"{voxel_size:g} Å; expected 3, an even edge and more than 0 Å."
        )
    return int(box), float(voxel_size)


def _with_found_files(particles: pd.DataFrame, star: Path) -> pd.DataFrame:
    folders = (star.parent.resolve(), Path.cwd())
    first = str(particles[IMAGE].iloc[0]) if len(particles) else ""
    folder = next((f for f in folders if (f / first).is_file()), folders[0])
    found = particles.copy()
    for column in (IMAGE, WEDGE):
        found[column] = [os.path.join(folder, name) for name in particles[column]]
    names = [*found[IMAGE], *dict.fromkeys(found[WEDGE])]
    absent = [name for name in names if not os.path.isfile(name)]
    if absent:
        raise InputDataError(
            f"{star}: {len(absent)} of {len(names)} files are not there, the first is "
            f"{absent[0]}. Keep the STAR file beside its boxes, or extract them again."
        )
    return found
