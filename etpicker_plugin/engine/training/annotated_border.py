"""Whether an annotation keeps off the faces of its tomograms, as boxes must."""

import logging
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.kinds import PARTICLE
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.dataset import Annotated

logger = logging.getLogger(__name__)

EMPTY_SHARE = 0.75
"""Of the faces. One may be where a tomogram was cut off after it was annotated."""

LEAST_EXPECTED = 8.0
"""Marks. That none of so many is where it should be has a chance of about e^-8."""

Side = tuple[NDArray[np.float64], float, float]
"""Distances of marks from a face, how far off the opposite one is, and a diameter."""


def annotated_border(
    annotated: Sequence[Annotated], species: Sequence[Species]
) -> float:
    """Return how near to the faces in x and y nobody marks a particle, Å; or 0.

    Lists of particles often hold only what could be cut out: around one that is nearer
    than its diameter to a face, a box of two diameters does not fit. What is not listed
    there is not background, and picks there would be of no more use. An annotation is
    taken for such a list when that is improbable otherwise; clicks are too few to tell.
    In z, where particles end with the sample, nothing is concluded. Tomograms with a
    mask do not count: it says itself where there may be marks. Filaments and vesicles
    are not cut out in boxes of twice their size: where any are marked, nothing is
    concluded.

    Returns
    -------
    float
        The smallest diameter if every class keeps its own off the faces.
    """
    unmasked = [item for item in annotated if item.mask_path is None]
    for one in species:
        sides = [
            side
            for item in unmasked
            for side in _sides(
                item, item.particles.of_class(one.name), one.diameter_ang
            )
        ]
        if one.kind != PARTICLE or not keeps_off(sides):
            return 0.0
    border = min(one.diameter_ang for one in species)
    logger.info(
        "The marks keep off the faces in x and y, as boxes around particles have to. "
        "What is nearer than %.0f Å to them is not learnt, nor picked by default.",
        border,
    )
    return border


def border_still_kept(border_ang: float, annotated: Sequence[Annotated]) -> float:
    """Return the border of earlier annotations (Å), or 0 if new marks lie in it."""
    for item in annotated:
        for distances, _, border in _sides(item, item.particles, border_ang):
            if distances.min() < border:
                return 0.0
    return border_ang


def _sides(item: Annotated, marks: Particles, diameter_ang: float) -> list[Side]:
    """Return what lies before a tomogram's four faces in y and x, if anything does."""
    found: list[Side] = []
    diameter = diameter_ang / item.tomogram.voxel_size
    for axis in (1, 2) if len(marks) else ():
        last = item.tomogram.shape_zyx[axis] - 1
        along = marks.positions_zyx[:, axis]
        found += [(along, last, diameter), (last - along, last, diameter)]
    return found


def keeps_off(sides: Iterable[Side]) -> bool:
    """Tell whether marks keep a diameter off the faces, beyond what chance does.

    A particle that lies wholly in the tomogram is a radius off anyway; so a mark is
    looked for from a radius to a diameter, of all the places between two opposite
    radii.
    """
    n_sides, n_empty, expected = 0, 0, 0.0
    for distances, length, diameter in sides:
        n_sides += 1
        if distances.min() >= diameter and length > 2 * diameter:
            n_empty += 1
            expected += len(distances) * (diameter / 2) / (length - diameter)
    return n_empty >= EMPTY_SHARE * max(n_sides, 1) and expected >= LEAST_EXPECTED
