"""Where centres of vesicles may be: each point of a membrane votes along its normal.

A band of radii has a grid of votes of its own, whose cells grow with the radius: the
normals of a large vesicle, or of one that is no sphere, meet less closely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import InputDataError

BAND = 1.3
"""A band reaches from its radius divided by this to its radius times this."""

CELL = 0.14
"""Edge of a cell, of the band's radius."""

POINTS_PER_CELL = 1.5
"""A surface passes about so many cells for each square of their edge."""

RIM_POINTS_PER_CELL = 4 / np.pi
"""The same of a curve in a plane, for each edge of its length: of |cos| + |sin|."""

LEAST_SHARE = 0.2
"""Of a whole sphere's votes, that a centre needs to be looked at."""

MOST_CELLS = 40_000_000


@dataclass(frozen=True)
class Candidate:
    """A place that may be a centre: ``(3,)`` zyx, radius, share of a sphere's votes."""

    centre: FloatArray
    radius: float
    share: float


def radius_bands(low: float, high: float) -> FloatArray:
    """Return the middle radii of the bands, which overlap by half."""
    count = int(np.ceil(np.log(high / low) / np.log(BAND))) + 1
    return np.asarray(np.geomspace(low, high, count))


def find_candidates(
    points: FloatArray,
    normals: FloatArray,
    *,
    radii: tuple[float, float],
    edge: float,
    is_flat: bool = False,
) -> list[Candidate]:
    """Return possible centres and radii, those with most votes first.

    Parameters
    ----------
    points, normals
        ``(N, 3)`` zyx; the normals are of either sign.
    radii
        Smallest and largest that a vesicle has.
    edge
        There is about one point for each square of this edge on a membrane.
    is_flat
        Whether all points and normals lie in the plane z = 0, on the rims of vesicles.
    """
    found = []
    for radius in radius_bands(*radii):
        found += _in_band(points, normals, float(radius), edge, is_flat=is_flat)
    return sorted(found, key=lambda c: (-c.share, *c.centre.tolist(), c.radius))


def _in_band(
    points: FloatArray,
    normals: FloatArray,
    radius: float,
    edge: float,
    *,
    is_flat: bool,
) -> list[Candidate]:
    cell = CELL * radius
    margin = (BAND * radius + 2 * cell) * np.array([not is_flat, True, True])
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    shape = np.ceil((high - low) / cell).astype(int) + 1
    if np.prod(shape.astype(float)) > MOST_CELLS:
        raise InputDataError(
            f"Vesicles of {radius:.0f} voxels radius in {shape.tolist()} cells: too "
            "many to look through. Give the class the diameter that its vesicles have."
        )
    votes = np.zeros(int(np.prod(shape)))
    steps = np.arange(radius / BAND, radius * BAND + 0.5 * cell, cell)
    for step in (*steps, *-steps):
        index = np.floor((points + step * normals - low) / cell + 0.5).astype(np.intp)
        flat = np.ravel_multi_index(tuple(index.T), tuple(shape))
        votes += np.bincount(flat, minlength=len(votes))
    whole = 4 * np.pi * radius**2 * POINTS_PER_CELL / edge**2
    if is_flat:
        whole = 2 * np.pi * radius * RIM_POINTS_PER_CELL / edge
    # A centre's votes fall on its cell and those around it.
    around = ndimage.uniform_filter(votes.reshape(shape), 3, mode="constant") * 27
    share = around / whole
    peaks = (share >= LEAST_SHARE) & (share == ndimage.maximum_filter(share, 3))
    places = np.argwhere(peaks)
    return [
        Candidate(low + place * cell, radius, float(share[tuple(place)]))
        for place in places
    ]
