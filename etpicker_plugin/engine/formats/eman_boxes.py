"""EMAN's boxes in micrographs: ``.box``, and ``boxes`` of EMAN2's info files.

``.box`` holds ``x y width height`` of each box, x and y its first corner, in whole
pixels; a fifth number of -1 and -2 marks the start and the end of a helix, which is
straight there. EMAN2's info file holds ``[x, y, method, score]``, x and y the centre.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import FILAMENT
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_txt import read_number_rows
from etpicker_plugin.engine.formats.eman2_json import eman2_name
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
from etpicker_plugin.engine.formats.json_files import read_object, shown, to_numbers
from etpicker_plugin.engine.formats.scores import unknown_if_all_zero, zero_if_unknown
from etpicker_plugin.engine.formats.straight_pieces import (
    STRAIGHT_ANG,
    straight_pieces,
)
from etpicker_plugin.engine.geometry import (
    from_corner_xy,
    from_image_xy,
    to_corner_xy,
    to_image_xy,
)
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles, make_particles

logger = logging.getLogger(__name__)

START, END = -1.0, -2.0


# ------------------------------ .box -------------------------------------------
def read_box(path: Path, frames: Frames, options: FormatOptions) -> list[Particles]:
    """Read the centres of boxes, each with its own size."""
    lines = read_number_rows(path, widths=(4, 5), separators="")
    for number, row in lines:
        if min(row[2:4]) <= 0:
            raise InputDataError(
                f"Coordinates {path}, line {number}: a box of {row[2]:g} x {row[3]:g} "
                "pixels, expected x, y, width and height, the last two above 0."
            )
    width = len(lines[0][1]) if lines else 4
    rows = np.array([row for _, row in lines]).reshape(-1, width)
    particles = make_particles(
        frame_in(frames).tomogram_id,
        from_corner_xy(rows[:, :2], rows[:, 2:4]),
        class_names=options.class_names[0],
        optional={FILAMENT.name: _helices(rows, [n for n, _ in lines], path)},
    )
    return [particles]


def _helices(
    rows: NDArray[np.float64], lines: Sequence[int], path: Path
) -> NDArray[np.str_] | None:
    """Return ``(N,)`` ids of boxes that are start and end; ``None`` if none is."""
    if rows.shape[-1] < 5 or not np.isin(rows[:, 4], (START, END)).any():
        return None
    ids = np.full(len(rows), "", dtype="U20")
    count, opened = 0, -1
    for at, mark in enumerate(rows[:, 4].tolist()):
        if (mark == END) != (opened >= 0):
            raise InputDataError(
                f"Coordinates {path}, line {lines[at]}: starts (-1) and ends (-2) of "
                "helices do not follow each other in turn. Correct the fifth column."
            )
        if mark == END:
            ids[[opened, at]], opened = str(count), -1
        elif mark == START:
            count, opened = count + 1, at
    if opened >= 0:
        raise InputDataError(
            f"Coordinates {path}, line {lines[opened]}: a helix starts (-1) and does "
            "not end (-2). Correct the fifth column."
        )
    return ids


def write_box(
    items: Sequence[Item], path: Path, options: FormatOptions, _: Numbers
) -> None:
    """Write corner and size of each box, rounded to whole pixels."""
    size = options.box_size
    corners = np.rint(to_corner_xy(particles_in(items).positions_zyx, size))
    lines = [f"{x:.0f}\t{y:.0f}\t{size}\t{size}\n" for x, y in corners.tolist()]
    with write_whole(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def write_helices(
    items: Sequence[Item], path: Path, options: FormatOptions, _: Numbers
) -> None:
    """Write start and end of each straight piece of each filament, in whole pixels.

    Raises
    ------
    InputDataError
        If a particle lies on no filament.
    """
    particles, frame = particles_in(items), items[0][1]
    size, lines = options.box_size, []
    for ends, _name in straight_pieces(particles, STRAIGHT_ANG / frame.voxel_size):
        corners = np.rint(to_corner_xy(from_image_xy(ends), size)).tolist()
        for (x, y), mark in zip_strict(corners, (START, END)):
            lines.append(f"{x:.0f}\t{y:.0f}\t{size}\t{size}\t{mark:.0f}\n")
    logger.info(
        "%s: %d points of filaments became %d straight helices; the points between "
        "their ends are left out.",
        path,
        len(particles),
        len(lines) // 2,
    )
    with write_whole(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


# --------------------------- info files ----------------------------------------
def read_info(path: Path, frames: Frames, options: FormatOptions) -> list[Particles]:
    """Read ``boxes`` of an info file; one without any is an empty record."""
    boxes = read_object(path).get("boxes", [])
    if not isinstance(boxes, list):
        raise InputDataError(f"Coordinates {path}: boxes is no list.")
    rows = np.array(
        [_numbers_of(box, f"{path}, box {n}") for n, box in enumerate(boxes)]
    ).reshape(-1, 3)
    particles = make_particles(
        frame_in(frames).tomogram_id,
        from_image_xy(rows[:, :2]),
        class_names=options.class_names[0],
        scores=unknown_if_all_zero(rows[:, 2]),
    )
    return [particles]


def _numbers_of(box: object, where: str) -> NDArray[np.float64]:
    """Return ``(3,)`` x, y and score of a box; the last may lack."""
    if (
        not isinstance(box, list)
        or len(box) < 2
        or (len(box) > 2 and not isinstance(box[2], str))
    ):
        raise InputDataError(
            f"Coordinates {where}: got {shown(box)}, expected [x, y, method, score]."
        )
    return to_numbers([*box[:2], box[3] if len(box) > 3 else 0], (3,), where)


def write_info(
    items: Sequence[Item], path: Path, _: FormatOptions, __: Numbers
) -> None:
    """Write ``boxes``; an unknown score is 0."""
    particles = particles_in(items)
    boxes = [
        [*np.round(xy, 4).tolist(), "etpicker", float(score)]
        for xy, score in zip_strict(
            to_image_xy(particles.positions_zyx), zero_if_unknown(particles.scores)
        )
    ]
    with write_whole(path) as temporary:
        temporary.write_text(json.dumps({"boxes": boxes}), encoding="utf-8")


EMAN_BOX = Format(
    name="eman-box",
    program="EMAN boxes in micrographs (.box)",
    file="{tomogram}.box",
    positions="x y of a box's first corner, its centre less half its size, in whole "
    "pixels from 0",
    dimensions=(2,),
    not_held=("classes", "scores", "orientations", "fractions of a voxel"),
    glob="*.box",
    heeded=("box_size",),
    read=read_box,
    write=write_box,
)
EMAN2_MICROGRAPHS = Format(
    name="eman2-micrographs",
    program="EMAN2 boxes in micrographs (_info.json)",
    file="{tomogram}_info.json",
    positions=PIXELS,
    dimensions=(2,),
    not_held=("classes", "orientations"),
    glob="*_info.json",
    spell_tomogram=eman2_name,
    read=read_info,
    write=write_info,
)
EMAN_HELICES = Format(
    name="eman-helices",
    program="EMAN boxes of helices in micrographs, start and end (.box)",
    file="{tomogram}.box",
    positions="x y of a box's first corner, its centre less half its size, in whole "
    "pixels from 0; a start (-1) and an end (-2) in turn",
    dimensions=(2,),
    not_held=("classes", "scores", "orientations", "fractions of a voxel"),
    holds_columns=(FILAMENT.name,),
    glob="*.box",
    heeded=("box_size",),
    read=read_box,
    write=write_helices,
)
