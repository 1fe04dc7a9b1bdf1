"""Filaments as programs have them that know straight ones: a start and an end each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.columns import FILAMENT
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.relion_helices import tube_numbers
from etpicker_plugin.engine.geometry import to_image_xy
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import Particles

STRAIGHT_ANG = 20.0
"""A piece of a filament is straight if no point of it lies farther off the line."""


def straight_pieces(
    particles: Particles, tolerance: float
) -> Iterator[tuple[FloatArray, str]]:
    """Yield ``(2, 2)`` xy of start and end of each straight piece, and its class.

    Raises
    ------
    InputDataError
        If a particle lies on no filament, or a filament has one point.
    """
    ids = particles.optional.get(FILAMENT.name, FILAMENT.unknown(len(particles)))
    if not FILAMENT.known(np.asarray(ids)).all():
        raise InputDataError(
            f"{particles.tomogram_id}: some particles lie on no filament, and tubes "
            "have a start and an end. Write the classes of filaments alone, or choose "
            "a format of segments, as relion-coordinates."
        )
    numbers = tube_numbers(particles)
    for number in np.unique(numbers):
        rows = np.flatnonzero(numbers == number)
        points = to_image_xy(particles.positions_zyx[rows])
        if len(points) == 1:
            raise InputDataError(
                f"{particles.tomogram_id}: the filament {ids[rows[0]]} has one point, "
                "expected two or more. Remove it."
            )
        corners = _corners(points, tolerance)
        for first, last in zip_strict(corners[:-1], corners[1:]):
            yield points[[first, last]], str(particles.class_names[rows[0]])


def _corners(points: FloatArray, tolerance: float) -> list[int]:
    """Return where a line of points bends, and its ends (Douglas and Peucker)."""
    start, line = points[0], points[-1] - points[0]
    offsets = points - start
    length = float(np.linalg.norm(line))
    away = np.abs(offsets[:, 0] * line[1] - offsets[:, 1] * line[0])
    off = away / length if length else np.linalg.norm(offsets, axis=1)
    middle = int(off.argmax())
    if off[middle] <= tolerance or len(points) < 3:
        return [0, len(points) - 1]
    before = _corners(points[: middle + 1], tolerance)
    after = _corners(points[middle:], tolerance)
    return [*before, *(middle + n for n in after[1:])]
