"""IMOD's binary models (``.mod``), written: what each chunk holds, byte by byte.

An object is a class. Filaments are open contours, one for each. Other points are
scattered: those on membranes in a contour for each vesicle, all else in one, with a
size each where their radii are known.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.columns import FILAMENT, RADIUS, VESICLE
from etpicker_plugin.engine.formats.format import Format, particles_in
from etpicker_plugin.engine.formats.groups import numbers_of, texts_of
from etpicker_plugin.engine.formats.imod_model import MAGIC, OPEN, SCATTERED
from etpicker_plugin.engine.formats.imod_points import IMOD
from etpicker_plugin.engine.geometry import TomogramFrame, to_imod_xyz
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles

NAME_BYTES = 128
OBJECT_NAME_BYTES = 64
Z_FROM_MINUS_HALF, NOT_BY_3DMOD = 1 << 10, 1 << 11
ANGSTROM = -10
"""The unit of the pixel size, as a power of ten of a metre."""

COLOURS = ((0, 1, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 0, 0), (0.2, 0.5, 1))
"""Red, green and blue of objects, as 3dmod begins with; the rest repeat them."""

SIZES_NOT_GIVEN = -1.0
"""A point of this size has the object's."""


def write_imod_model(
    particles: Particles,
    path: Path,
    *,
    frame: TomogramFrame,
    class_numbers: Mapping[str, int],
) -> None:
    """Write a model of the tomogram, whose objects have the classes' numbers and names.

    Contours are the filaments of each class, or the vesicles that its points are on, in
    their order. Sizes are radii in voxels. Scores and orientations are lost.
    """
    names = {number: name for name, number in class_numbers.items()}
    count = max(names, default=0)
    objects = [
        _object(particles.of_class(names.get(n, "")), names.get(n, ""), n, frame)
        for n in range(1, count + 1)
    ]
    with write_whole(path) as temporary:
        temporary.write_bytes(
            b"".join([MAGIC, _header(frame, count), *objects, b"IEOF"])
        )


def in_model_order(particles: Particles, class_numbers: Mapping[str, int]) -> Particles:
    """Return the particles as a model has them: by object, and contour by contour."""
    rows = np.arange(len(particles))
    numbers = np.array([class_numbers[str(n)] for n in particles.class_names], int)
    return particles.select(np.lexsort((rows, _contour_numbers(particles), numbers)))


def _contour_numbers(particles: Particles) -> NDArray[np.int64]:
    """Return ``(N,)`` contours, from 1: filaments, and vesicles with points on them."""
    radii = particles.optional.get(RADIUS.name, RADIUS.unknown(len(particles)))
    is_centre = np.isfinite(radii)
    vesicles = np.where(is_centre, VESICLE.missing, texts_of(VESICLE, particles))
    both = zip_strict(texts_of(FILAMENT, particles).tolist(), vesicles.tolist())
    return numbers_of(np.array([f"{f}\0{v}" for f, v in both], dtype=str))


def _header(frame: TomogramFrame, n_objects: int) -> bytes:
    """Return the 232 bytes behind the magic word."""
    return struct.pack(
        f">{NAME_BYTES}s4iI4i6f5ifii3f",
        frame.tomogram_id.encode("utf-8")[: NAME_BYTES - 1],
        *frame.shape_zyx[::-1],
        n_objects,
        Z_FROM_MINUS_HALF | NOT_BY_3DMOD,
        *(1, 1, 0, 255),  # drawing and mouse mode; black and white level
        *(0.0, 0.0, 0.0, 1.0, 1.0, 1.0),  # offsets and scales
        *(0, 0, 0, 3, 128),  # current object, contour and point; resolution, threshold
        frame.voxel_size,
        ANGSTROM,
        0,  # checksum
        *(0.0, 0.0, 0.0),
    )


def _object(own: Particles, name: str, number: int, frame: TomogramFrame) -> bytes:
    """Return a class's object with its contours."""
    contours = _contours(own)
    is_open = FILAMENT.name in own.optional and any(
        own.optional[FILAMENT.name] != FILAMENT.missing
    )
    head = struct.pack(
        f">4s{OBJECT_NAME_BYTES}s64xiI2i3fi8B2i",
        b"OBJT",
        name.encode("utf-8")[: OBJECT_NAME_BYTES - 1],
        len(contours),
        OPEN if is_open else SCATTERED,
        *(0, 1),  # axis and drawing mode
        *COLOURS[(number - 1) % len(COLOURS)],
        0 if is_open else 3,  # radius of points without a size of their own
        *(1, 3, 1, 1, 0, 0, 0, 0),  # symbol, its size, line widths and style
        *(0, 0),  # meshes and surfaces
    )
    return head + b"".join(_contour(contour, frame) for contour in contours)


def _contours(own: Particles) -> list[Particles]:
    """Return the points of each contour of a class, by their first ones."""
    numbers = _contour_numbers(own)
    return [own.select(numbers == n) for n in range(1, numbers.max(initial=0) + 1)]


def _contour(points: Particles, frame: TomogramFrame) -> bytes:
    xyz = to_imod_xyz(points.positions_zyx)
    data = struct.pack(">4s4i", b"CONT", len(xyz), 0, 0, 0) + _floats(xyz)
    radii = points.optional.get(RADIUS.name)
    if radii is None or not np.isfinite(radii).any():
        return data
    sizes = np.where(np.isfinite(radii), radii / frame.voxel_size, SIZES_NOT_GIVEN)
    return data + struct.pack(">4si", b"SIZE", 4 * len(sizes)) + _floats(sizes)


def _floats(values: FloatArray) -> bytes:
    return np.ascontiguousarray(values, dtype=">f4").tobytes()


IMOD_MODEL = Format(
    name="imod-model",
    program="IMOD model (.mod)",
    file="{tomogram}.mod",
    positions=IMOD.positions,
    arranged=in_model_order,
    not_held=("class names", "scores", "orientations"),
    glob="*.mod",
    groups_have_no_kind=True,
    read=IMOD.read,
    write=lambda items, path, _, numbers: write_imod_model(
        particles_in(items), path, frame=items[0][1], class_numbers=numbers
    ),
)
