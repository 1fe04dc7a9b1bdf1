"""copick's picks: one JSON for each run (tomogram), object (class) and session.

A point has a ``location`` in Å from the centre of the first voxel and a 4 x 4
``transformation_`` from object to tomogram, whose translation in Å adds to the
location. Written into ``ExperimentRuns/RUN/Picks/USER_SESSION_OBJECT.json``, the output
folder is the root of a copick project.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.format import (
    Format,
    frame_in,
    json_beside,
    particles_in,
)
from etpicker_plugin.engine.formats.json_files import (
    read_location,
    read_object,
    shown,
    to_numbers,
    to_text,
)
from etpicker_plugin.engine.geometry import TomogramFrame, from_ang_xyz, to_ang_xyz
from etpicker_plugin.engine.names import require_file_name
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.orientation import (
    known_or_unturned,
    unknown_if_no_rotation,
)
from etpicker_plugin.engine.particles import Particles, make_particles

USER = "etpicker"
SESSION = "1"
RUNS = "ExperimentRuns"
PICKS = "Picks"
NOT_IN_A_NAME = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\s_]')


def copick_object(class_name: str) -> str:
    """Return a class name as copick allows it: dashes for ``_``, blanks and such."""
    return NOT_IN_A_NAME.sub("-", class_name).strip("-") or "object"


def copick_run(path: Path) -> str:
    """Return the run of a file: of its place in a project, stated in it, or its folder.

    Raises
    ------
    InputDataError
        If there is none of them, or it cannot be a tomogram's name.
    """
    place = Path(os.path.abspath(path)).parent  # not through links, as ours are
    beside = place.parent.name if place.name == PICKS else ""
    if beside and place.parents[1].name == RUNS:
        return beside
    run = read_object(path).get("run_name") or beside
    if not run:
        raise InputDataError(
            f"Coordinates {path}: no run_name, and the file does not lie in "
            f"RUN/{PICKS}. Put it there, or add run_name."
        )
    if not isinstance(run, str):
        raise InputDataError(f"Coordinates {path}: run_name is {run!r}, no text.")
    return require_file_name(run, what=f"Coordinates {path}: run_name")


def read_copick(path: Path, *, frame: TomogramFrame) -> Particles:
    """Read the picks of one object in one tomogram.

    Orientations are unknown if the file says so (``trust_orientation``) or no point is
    turned; scores where there are none.

    Raises
    ------
    InputDataError
        If the unit is not Å, or a point does not hold what it must.
    """
    record = read_object(path)
    if str(record.get("unit", "angstrom")).lower() not in ("angstrom", "å"):
        raise InputDataError(
            f"Coordinates {path}: the unit is {shown(record['unit'])}, expected "
            "angstrom."
        )
    points = _points_of(record, path)
    where = [f"{path}, point {n}" for n in range(len(points))]
    located = [read_location(p, w) for p, w in zip_strict(points, where)]
    xyz = np.array(located).reshape(-1, 3)
    read = [_transformation(p, w) for p, w in zip_strict(points, where)]
    transformations = np.array(read).reshape(-1, 4, 4)
    scores = [_score(p, w) for p, w in zip_strict(points, where)]
    rotations = None
    if _is_trusted(record, path) and (transformations[:, :3, :3] != np.eye(3)).any():
        rotations = unknown_if_no_rotation(transformations[:, :3, :3], source=path)
    return make_particles(
        frame.tomogram_id,
        from_ang_xyz(xyz + transformations[:, :3, 3], frame),
        class_names=to_text(
            record.get("pickable_object_name", "particle"),
            f"{path}, pickable_object_name",
        ),
        scores=np.array(scores, dtype=np.float64),
        rotations=rotations,
    )


def write_copick(particles: Particles, path: Path, *, frame: TomogramFrame) -> None:
    """Write picks of one class in one tomogram; nothing is lost but odd class names."""
    count = len(particles)
    transformations = np.tile(np.eye(4), (count, 1, 1))
    if particles.rotations is not None:
        transformations[:, :3, :3] = known_or_unturned(particles.rotations)
    xyz = to_ang_xyz(particles.positions_zyx, frame)
    points = [
        _point(*values) for values in zip_strict(xyz, transformations, particles.scores)
    ]
    record = {
        "pickable_object_name": copick_object(str(particles.class_names[0])),
        "user_id": USER,
        "session_id": SESSION,
        "run_name": frame.tomogram_id,
        "voxel_spacing": frame.voxel_size,
        "unit": "angstrom",
        "points": points,
        "trust_orientation": particles.rotations is not None,
    }
    with write_whole(path) as temporary:
        temporary.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")


def _point(xyz: FloatArray, transformation: FloatArray, score: float) -> dict[str, Any]:
    location = dict(zip_strict("xyz", np.round(xyz, 4).tolist()))
    point = {"location": location, "transformation_": transformation.tolist()}
    if np.isfinite(score):
        point["score"] = float(score)
    return point


def _points_of(record: dict[str, Any], path: Path) -> list[Any]:
    """Return the points, none where there is an empty object or ``null``."""
    if "points" not in record:
        raise InputDataError(
            f"Coordinates {path}: no points. Expected the picks of copick."
        )
    points = record["points"]
    if points in ({}, None):
        return []
    if not isinstance(points, list):
        raise InputDataError(f"Coordinates {path}: points is no list.")
    return points


def _is_trusted(record: dict[str, Any], path: Path) -> bool:
    """Tell whether the file says that its orientations hold, or says nothing."""
    stated = record.get("trust_orientation", True)
    if not isinstance(stated, bool):
        raise InputDataError(
            f"Coordinates {path}, trust_orientation: got {shown(stated)}, expected "
            "true or false."
        )
    return stated


def _transformation(point: dict[str, Any], where: str) -> FloatArray:
    given = point.get("transformation_")
    return np.eye(4) if given is None else to_numbers(given, (4, 4), where)


def _score(point: dict[str, Any], where: str) -> float:
    given = point.get("score")
    return np.nan if given is None else float(to_numbers(given, (), where))


def _sidecar(path: Path) -> Path:
    """Return the root of the project for it: copick takes a JSON beside for picks."""
    if path.parent.name == PICKS and len(path.parents) > 3:
        return path.parents[3] / f"{path.parents[1].name}_{path.name}"
    return json_beside(path)


COPICK = Format(
    name="copick",
    program="copick picks (.json)",
    file=f"{RUNS}/{{tomogram}}/{PICKS}/{USER}_{SESSION}_{{class_name}}.json",
    positions="x y z, Å from the centre of voxel 0",
    glob=f"**/{PICKS}/*.json",
    tomograms_in=lambda path: [copick_run(path)],
    spell_class=copick_object,
    sidecar=_sidecar,
    read=lambda path, frames, _: [read_copick(path, frame=frame_in(frames))],
    write=lambda items, path, _, __: write_copick(
        particles_in(items), path, frame=items[0][1]
    ),
)
