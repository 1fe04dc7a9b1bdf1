"""What is checked of particles that were read: inside their tomogram, and each once."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.columns import FILAMENT, RADIUS
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.groups import numbers_of, texts_of
from etpicker_plugin.engine.geometry import lies_outside
from etpicker_plugin.engine.particles import Particles

logger = logging.getLogger(__name__)

DUPLICATE_DISTANCE_VOX = 0.5
SAME_RADIUS = 1.05
"""Ratio of the radii of vesicles about one centre, up to which they are one."""

VESICLE_CUT = (
    "Of a vesicle that a face cuts so far that its centre is outside, leave out the "
    "row; where every vesicle is marked, mask its membrane (--mask). Else: "
)


def check_particles(
    particles: Particles, *, shape_zyx: tuple[int, int, int], path: Path
) -> Particles:
    """Return the particles without duplicates, if all lie inside the volume.

    Of two particles of one class within 0.5 voxel the first is kept; so are points of
    two filaments, which may meet, and vesicles about one centre with other radii.

    Raises
    ------
    InputDataError
        If a particle lies outside (see ``refuse_outside``).
    """
    refuse_outside(particles, shape_zyx=shape_zyx, path=path)
    kept = ~_repeats_earlier(particles)
    if not kept.all():
        logger.warning(
            "Coordinates %s: %d of %d repeat another of their class within %g voxel; "
            "left out.",
            path,
            np.count_nonzero(~kept),
            len(kept),
            DUPLICATE_DISTANCE_VOX,
        )
    return particles.select(kept)


def refuse_outside(
    particles: Particles, *, shape_zyx: tuple[int, int, int], path: Path
) -> None:
    """Refuse particles outside a volume, which reaches from -0.5 to *n* - 0.5.

    Raises
    ------
    InputDataError
        If a particle lies outside; it names how many, and the first.
    """
    positions = particles.positions_zyx
    outside = np.flatnonzero(lies_outside(positions, shape_zyx))
    if len(outside):
        first = tuple(round(float(p), 2) for p in positions[outside[0]][::-1])
        is_vesicle = RADIUS.name in particles.optional and np.isfinite(
            particles.optional[RADIUS.name][outside[0]]
        )
        raise InputDataError(
            f"Coordinates {path}: {len(outside)} of {len(positions)} lie outside the "
            f"tomogram; the first at x, y, z = {first}, but its size (x, y, z) is "
            f"{tuple(shape_zyx[::-1])} voxels. {VESICLE_CUT if is_vesicle else ''}"
            "Coordinates are 0-based voxels of this very tomogram: they may be in Å, "
            "of another binning, or with axes swapped. Convert them ('etpicker "
            "convert')."
        )


def _repeats_earlier(particles: Particles) -> NDArray[np.bool_]:
    """Return ``(N,)`` bool: true where an earlier kept particle is the same one."""
    from scipy.spatial import cKDTree

    repeats = np.zeros(len(particles), dtype=bool)
    places = _places(particles)
    radii = particles.optional.get(RADIUS.name, RADIUS.unknown(len(particles)))
    for name in np.unique(particles.class_names):
        members = np.flatnonzero(particles.class_names == name)
        tree = cKDTree(particles.positions_zyx[members])
        pairs = tree.query_pairs(DUPLICATE_DISTANCE_VOX, output_type="ndarray")
        for first, second in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]:
            one, other = members[first], members[second]
            small, large = sorted((radii[one], radii[other]))
            unlike = large > SAME_RADIUS * small  # never of one that is not known
            if not repeats[one] and not unlike and _may_repeat(places[[one, other]]):
                repeats[other] = True
    return repeats


def _places(particles: Particles) -> NDArray[np.int64]:
    """Return ``(N, 2)``: the number of each one's filament, or 0, and place on it."""
    names = texts_of(FILAMENT, particles)
    numbers = np.where(names == FILAMENT.missing, 0, numbers_of(names))
    places = np.zeros((len(particles), 2), dtype=np.int64)
    for number in np.unique(numbers[numbers > 0]):
        own = np.flatnonzero(numbers == number)
        places[own] = np.stack([np.full(len(own), number), np.arange(len(own))], axis=1)
    return places


def _may_repeat(places: NDArray[np.int64]) -> bool:
    """Tell whether two rows may be one: of a filament, those after each other."""
    (filament, place), (other, other_place) = places.tolist()
    return filament == other and (filament == 0 or abs(place - other_place) == 1)
