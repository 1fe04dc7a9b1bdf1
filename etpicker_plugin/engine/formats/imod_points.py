"""IMOD point files: the text that ``model2point`` writes and ``point2model`` reads.

A line is ``x y z``, ``contour x y z``, ``object contour x y z`` or, with a value,
``object contour x y z value``; numbers of objects and contours count from 1. x and y
run from 0 to n, z from -0.5 to n - 0.5 (without ``-zcoord``), so the centre of the
first voxel is at 0.5, 0.5, 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import FILAMENT, RADIUS
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_txt import read_number_rows
from etpicker_plugin.engine.formats.format import Format, frame_in, particles_in
from etpicker_plugin.engine.formats.imod_model import is_imod_model, read_imod_model
from etpicker_plugin.engine.formats.imod_voxel_size import voxel_ratios
from etpicker_plugin.engine.formats.names import name_class
from etpicker_plugin.engine.formats.scores import unknown_if_all_zero, zero_if_unknown
from etpicker_plugin.engine.geometry import (
    TomogramFrame,
    from_imod_xyz,
    rescale,
    to_imod_xyz,
)
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles, make_particles


def read_imod(
    path: Path,
    *,
    frame: TomogramFrame,
    class_order: Sequence[str] = ("particle",),
    groups: str = "",
) -> Particles:
    """Read a point file, or a binary model: each object is a class.

    Open contours of a model are filaments; so are those of an object in a point file
    if it has several, each with two points or more. Sizes of points are radii. With
    ``groups``, a column, every contour is such a group, filament or vesicle, open or
    not; contours of one surface are one.

    Object *n* is the *n*-th of ``class_order`` or, beyond it, ``class_n``; without
    objects all are of the first. A model that was drawn on the tomogram at another
    voxel size is rescaled, and that is logged.

    Raises
    ------
    InputDataError
        If the file is missing, a line has other columns, an object no number from 1,
        or a model was drawn on another volume.
    """
    if is_imod_model(path):
        model = read_imod_model(path)
        rows, ratios_xyz = model.rows, voxel_ratios(model, frame, path=path)
    else:
        # Blanks part the numbers: a comma could only be a decimal one.
        lines = read_number_rows(path, widths=(3, 4, 5, 6), separators="")
        rows = np.array([_complete(row, f"{path}, line {n}") for n, row in lines])
        rows, ratios_xyz = _only_lines(rows.reshape(-1, 8)), np.ones(3)
    if groups:
        rows[:, 5] = 0
    names = [name_class(int(number), order=class_order) for number in rows[:, 0]]
    return make_particles(
        frame.tomogram_id,
        rescale(from_imod_xyz(rows[:, 1:4]), ratios_xyz[::-1]),
        class_names=np.array(names, dtype=str),
        scores=unknown_if_all_zero(rows[:, 4]),
        optional={
            FILAMENT.name: _filaments(rows, names),
            **({groups: _groups(rows, names)} if groups else {}),
            RADIUS.name: _radii(rows[:, 6] * ratios_xyz.mean() * frame.voxel_size),
        },
    )


def write_imod(
    particles: Particles, path: Path, *, class_numbers: Mapping[str, int]
) -> None:
    """Write ``object contour x y z`` per particle and its score, if any is known.

    Objects are the class numbers, contours the filaments of each, from 1.
    ``point2model -scat -values 1`` makes a model of particles; without scores leave out
    ``-values``. Class names and orientations are lost.
    """
    scored = np.isfinite(particles.scores).any()
    lines = [
        f"{class_numbers[str(name)]} {contour} {x:.3f} {y:.3f} {z:.3f}"
        + (f" {score:.6g}\n" if scored else "\n")
        for name, contour, (x, y, z), score in zip_strict(
            particles.class_names,
            _contours(particles),
            to_imod_xyz(particles.positions_zyx),
            zero_if_unknown(particles.scores),
        )
    ]
    with write_whole(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def _contours(particles: Particles) -> NDArray[np.intp]:
    """Return ``(N,)`` contours: the filaments of each class from 1, else 1."""
    contours = np.ones(len(particles), dtype=np.intp)
    ids = particles.optional.get(FILAMENT.name, np.full(len(particles), ""))
    for name in np.unique(particles.class_names):
        own = particles.class_names == name
        _, first, number = np.unique(ids[own], return_index=True, return_inverse=True)
        contours[own] = np.argsort(np.argsort(first))[number] + 1
    return contours


def _filaments(rows: FloatArray, names: Sequence[str]) -> NDArray[np.str_] | None:
    """Return ``(N,)`` ids of the contours that are lines; ``None`` if none is."""
    if not rows[:, 5].any():
        return None
    ids = [f"{n}_{int(c)}" if c else "" for n, c in zip_strict(names, rows[:, 5])]
    return np.array(ids, dtype=str)


def _groups(rows: FloatArray, names: Sequence[str]) -> NDArray[np.str_]:
    """Return ``(N,)`` names of contours, or of the surfaces that they are of."""
    made = [
        f"{name}_{int(group)}" if group > 0 else f"{name}_surface_{int(-group)}"
        for name, group in zip_strict(names, rows[:, 7])
    ]
    return np.array(made, dtype=str)


def _radii(radii: FloatArray) -> FloatArray | None:
    """Return ``(N,)`` radii; ``None`` if none is known."""
    return radii if np.isfinite(radii).any() else None


def _only_lines(rows: FloatArray) -> FloatArray:
    """Return the rows of a point file, contour 0 where the contours are no lines."""
    for number in np.unique(rows[:, 0]):
        own = rows[:, 0] == number
        _, counts = np.unique(rows[own, 5], return_counts=True)
        if len(counts) == 1 or counts.min() == 1:
            rows[own, 5] = 0
    return rows


def _complete(row: Sequence[float], where: str) -> tuple[float, ...]:
    """Return object, x, y, z, value, contour, no size, and the contour again."""
    width = len(row)
    number = row[0] if width >= 5 else 1.0
    if number < 1 or number != int(number):
        raise InputDataError(
            f"Coordinates {where}: object {number:g}, expected a whole number from 1. "
            "Do not use model2point's option -zero."
        )
    start = {3: 0, 4: 1, 5: 2, 6: 2}[width]
    contour = row[start - 1] if start else 1.0
    value = row[5] if width == 6 else 0.0
    return (number, *row[start : start + 3], value, contour, np.nan, contour)


IMOD = Format(
    name="imod",
    program="IMOD points (.pts); reads models (.mod) too",
    file="{tomogram}.pts",
    positions="x y z, voxels; voxel 0 centred at 0.5, 0.5, 0",
    not_held=("class names", "orientations"),
    read=lambda path, frames, options: [
        read_imod(
            path,
            frame=frame_in(frames),
            class_order=options.class_names,
            groups=options.groups,
        )
    ],
    groups_have_no_kind=True,
    write=lambda items, path, _, numbers: write_imod(
        particles_in(items), path, class_numbers=numbers
    ),
)
