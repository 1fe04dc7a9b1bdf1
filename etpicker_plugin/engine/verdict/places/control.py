"""Random coordinates: what the same tomograms give where nobody picked."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.verdict.places.geometry import inner_bounds

TRIES_PER_POINT = 400


def place_control(
    shape_zyx: ArrayLike,
    taken_zyx: FloatArray,
    *,
    count: int,
    border_vox: float,
    clearance_vox: float,
    generator: np.random.Generator,
) -> FloatArray:
    """Return up to ``count`` random places that are on no pick.

    They are uniform in the volume less a border, at least ``clearance_vox`` from every
    pick and from one another. In a crowded tomogram there may be room for fewer.

    Parameters
    ----------
    shape_zyx
        Size in voxels.
    taken_zyx
        ``(N, 3)`` picks of all sets.
    border_vox
        Least distance from a face, the same that picks have to keep.

    Returns
    -------
    ndarray
        ``(M, 3)``, M <= count.
    """
    low, high = inner_bounds(shape_zyx, border_vox=border_vox)
    placed = np.zeros((0, 3))
    if (high < low).any() or not count:
        return placed
    tries = generator.uniform(low, high, (TRIES_PER_POINT * count, 3))
    for place in tries[_far_from(tries, taken_zyx, clearance_vox)]:
        offsets = np.linalg.norm(placed - place, axis=1)
        if not (offsets < clearance_vox).any():
            placed = np.concatenate([placed, place[None]])
            if len(placed) == count:
                break
    return placed


def _far_from(
    places: FloatArray, taken: FloatArray, distance: float
) -> NDArray[np.bool_]:
    if not len(taken):
        return np.ones(len(places), dtype=bool)
    nearest, _ = cKDTree(taken).query(places)
    return np.asarray(nearest >= distance)
