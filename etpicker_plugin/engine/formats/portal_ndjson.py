"""Points of the CryoET data portal: one JSON object per line, one class per file.

A ``location`` is in voxels of the annotated tomogram, voxel *i* centred at *i*. An
``orientedPoint`` has an ``xyz_rotation_matrix`` that turns the reference into the
tomogram; a ``point`` and an ``instancePoint`` have none. Neither holds a score, nor the
class, which stands in the portal's metadata and, here, in the file's name.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.format import VOXELS, Format, frame_in, particles_in
from etpicker_plugin.engine.formats.json_files import (
    parse_object,
    read_location,
    shown,
    to_numbers,
)
from etpicker_plugin.engine.formats.text_files import read_text, split_lines
from etpicker_plugin.engine.geometry import reverse_axes
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.orientation import unknown_if_no_rotation
from etpicker_plugin.engine.particles import Particles, make_particles

NOT_IN_A_NAME = re.compile(r"[/\\\s]")
ORIENTED = "orientedPoint"
TYPES = ("point", ORIENTED, "instancePoint")


def read_portal(
    path: Path, *, tomogram_id: str, class_name: str = "particle"
) -> Particles:
    """Read the points of one class in one tomogram.

    Raises
    ------
    InputDataError
        If a line is no point.
    """
    lines = list(enumerate(split_lines(read_text(path)), 1))
    points = [
        (parse_object(line, f"{path}, line {n}"), f"{path}, line {n}")
        for n, line in lines
        if line.strip()
    ]
    xyz = [read_location(point, where) for point, where in points]
    stated = np.array([_rotation(*point) for point in points]).reshape(-1, 3, 3)
    rotations = unknown_if_no_rotation(stated, source=path)
    return make_particles(
        tomogram_id,
        reverse_axes(np.array(xyz).reshape(-1, 3)),
        class_names=class_name,
        rotations=rotations if np.isfinite(rotations).any() else None,
    )


def write_portal(particles: Particles, path: Path) -> None:
    """Write an ``orientedPoint`` where the orientation is known, else a ``point``."""
    rotations = particles.rotations
    if rotations is None:
        rotations = np.full((len(particles), 3, 3), np.nan)
    lines = [
        json.dumps(_point(xyz, rotation)) + "\n"
        for xyz, rotation in zip_strict(
            reverse_axes(particles.positions_zyx), rotations
        )
    ]
    with write_whole(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def _point(xyz: FloatArray, rotation: FloatArray) -> dict[str, Any]:
    location = dict(zip_strict("xyz", np.round(xyz, 4).tolist()))
    if np.isfinite(rotation).all():
        return {
            "type": ORIENTED,
            "location": location,
            "xyz_rotation_matrix": rotation.tolist(),
        }
    return {"type": "point", "location": location}


def _rotation(point: dict[str, Any], where: str) -> FloatArray:
    """Return ``(3, 3)``, NaN for a point without orientation."""
    kind = point.get("type", "point")
    if kind not in TYPES:
        raise InputDataError(
            f"Coordinates {where}: type {shown(kind)}, expected one of "
            f"{', '.join(TYPES)}."
        )
    if kind != ORIENTED:
        return np.full((3, 3), np.nan)
    return to_numbers(point.get("xyz_rotation_matrix"), (3, 3), where)


PORTAL = Format(
    name="portal",
    program="CryoET Data Portal annotations (.ndjson)",
    file="{tomogram}_{class_name}.ndjson",
    positions=VOXELS,
    not_held=("scores",),
    glob="*.ndjson",
    spell_class=lambda name: NOT_IN_A_NAME.sub("-", name),
    read=lambda path, frames, options: [
        read_portal(
            path,
            tomogram_id=frame_in(frames).tomogram_id,
            class_name=options.class_names[0],
        )
    ],
    write=lambda items, path, _, __: write_portal(particles_in(items), path),
)
