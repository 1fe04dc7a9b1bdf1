"""What a person marks of a vesicle: its centre, and its radius where that is known."""

from __future__ import annotations

import logging

import numpy as np

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.columns import RADIUS
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.particles import Particles

logger = logging.getLogger(__name__)

GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))
TWICE = (1.8, 2.2)
"""Radii that are so many times half the class's diameter may be diameters."""
FEWEST_DOUBTED = 3


def sphere_directions(count: int) -> FloatArray:
    """Return ``(count, 3)`` unit vectors zyx, spread evenly over the sphere."""
    number = np.arange(count)
    z = 1.0 - (2.0 * number + 1.0) / count
    across, turn = np.sqrt(1.0 - z**2), GOLDEN_ANGLE * number
    return np.stack([z, across * np.sin(turn), across * np.cos(turn)], axis=1)


def directions_of(count: int, *, is_flat: bool) -> FloatArray:
    """Return ``(count, 3)`` unit vectors: all around, or in the plane of an image."""
    if not is_flat:
        return sphere_directions(count)
    turn = 2.0 * np.pi * np.arange(count) / count
    return np.stack([np.zeros(count), np.sin(turn), np.cos(turn)], axis=1)


def radii_ang(marks: Particles, *, diameter_ang: float) -> FloatArray:
    """Return the radius of each marked vesicle, ``(N,)`` Å.

    Where none is given, it is half the class's diameter. A warning says so if all of
    them look like diameters.

    Parameters
    ----------
    marks
        Vesicles of one class, in one tomogram.

    Raises
    ------
    InputDataError
        If a radius is not above 0.
    """
    known = known_radii(marks)
    doubt = doubt_radii(known, diameter_ang=diameter_ang)
    if doubt:
        logger.warning("%s, %s: %s", marks.tomogram_id, marks.class_names[0], doubt)
    return np.where(np.isnan(known), 0.5 * diameter_ang, known)


def known_radii(marks: Particles) -> FloatArray:
    """Return the radius of each vesicle, ``(N,)`` Å; NaN where nobody knows.

    Raises
    ------
    InputDataError
        If a radius is not above 0.
    """
    given = marks.optional.get(RADIUS.name)
    if given is None:
        return np.full(len(marks), np.nan)
    wrong = np.flatnonzero(given <= 0)  # never of one that is not known
    if len(wrong):
        row = wrong[0]
        where = ", ".join(f"{p:.1f}" for p in marks.positions_zyx[row][::-1])
        raise InputDataError(
            f"{marks.tomogram_id}: the {marks.class_names[row]} at x, y, z = {where} "
            f"has a radius of {given[row]:g} Å. Expected more than 0; leave the cell "
            "empty where it is not known."
        )
    return np.asarray(given)


def doubt_radii(radii: FloatArray, *, diameter_ang: float) -> str:
    """Return why radii (Å) of a class may be diameters, or nothing."""
    known = radii[np.isfinite(radii)]
    ratios = known / (0.5 * diameter_ang)
    if len(known) < FEWEST_DOUBTED or not TWICE[0] <= np.median(ratios) <= TWICE[1]:
        return ""
    return (
        f"the radii are about {np.median(known):.0f} Å, twice what the diameter of "
        f"{diameter_ang:g} Å says. If they are diameters, halve them; if they are "
        "right, give the diameter that belongs to them."
    )
