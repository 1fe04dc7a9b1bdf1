"""Numbers of a tomogram's filaments and vesicles, for files without names for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.columns import FILAMENT, VESICLE, Column
from etpicker_plugin.engine.formats.names import number_in_order
from etpicker_plugin.engine.particles import Particles


def group_numbers(particles: Particles) -> NDArray[np.int64]:
    """Return ``(N,)`` the number of each point's filament or vesicle, 0 if it has none.

    Counted from 1 by the first point; no filament and vesicle share one.
    """
    names = [texts_of(column, particles) for column in (FILAMENT, VESICLE)]
    both = np.array([f"{f}\0{v}" for f, v in zip(*names)], dtype=str)
    has = np.logical_or(*(texts != "" for texts in names))
    numbers = np.zeros(len(particles), dtype=np.int64)
    numbers[has] = numbers_of(both[has])
    return numbers


def texts_of(column: Column, particles: Particles) -> NDArray[np.str_]:
    """Return ``(N,)`` a column of text, empty where it is not known."""
    missing = column.unknown(len(particles))
    return np.asarray(particles.optional.get(column.name, missing))


def numbers_of(names: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return ``(N,)`` numbers of names, from 1 by the first that has it."""
    numbers = number_in_order(names.tolist())
    return np.array([numbers[name] for name in names.tolist()], dtype=np.int64)
