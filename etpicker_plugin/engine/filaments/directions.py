"""Orientations of filaments' points that have none, as marks: along the curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from etpicker_plugin.engine.columns import FILAMENT, ROTATION
from etpicker_plugin.engine.filaments.curve import (
    curve_through,
    frames,
    path_lengths,
)
from etpicker_plugin.engine.filaments.marks import filaments_of
from etpicker_plugin.engine.particles import Particles


def oriented_along(particles: Particles) -> Particles:
    """Return the particles, all points of filaments with an orientation.

    Where a filament's points know none, their z axis is laid along the curve through
    them, and x turns as little as possible from one to the next.

    Raises
    ------
    InputDataError
        If such a filament has one point alone, or two in one place.
    """
    count = len(particles)
    ids = particles.optional.get(FILAMENT.name, FILAMENT.unknown(count))
    turned = particles.optional.get(ROTATION.name, ROTATION.unknown(count)).copy()
    bare = (ids != FILAMENT.missing) & ~ROTATION.known(turned)
    bare &= ~np.isin(ids, ids[ROTATION.known(turned)])
    if not bare.any():
        return particles
    chosen = np.flatnonzero(bare)
    unturned = particles.select(chosen)
    for name in np.unique(unturned.class_names):
        for filament in filaments_of(unturned, str(name)):
            curve = curve_through(filament.points_zyx)
            along = curve.spline.derivative()(path_lengths(filament.points_zyx))
            turned[chosen[filament.rows]] = frames(filament.points_zyx, along)
    return replace(particles, optional={**particles.optional, ROTATION.name: turned})
