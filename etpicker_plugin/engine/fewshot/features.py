"""What stored features say of clicked places, and of the usual one."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.fewshot.store import FeatureStore, rows_at

BALL_RADIUS = 1
"""Output voxels. Features of a click are the mean within this: a click is not exact."""

USUAL_VOXELS = 32_768
"""Of a tomogram, which tell what is usual in it."""

BALL = np.array(
    [
        step
        for step in product(range(-BALL_RADIUS, BALL_RADIUS + 1), repeat=3)
        if np.dot(step, step) <= BALL_RADIUS**2
    ]
)


def features_at(store: FeatureStore, positions_zyx: FloatArray) -> FloatArray:
    """Return the features of each place, ``(N, F)``.

    Parameters
    ----------
    positions_zyx
        ``(N, 3)``, working voxels.
    """
    n_features = store.features.shape[-1]
    found = [
        rows_at(store, near).mean(axis=0)
        for near in (ball_around(store, place) for place in positions_zyx)
    ]
    return np.array(found).reshape(len(found), n_features)


def planes_around(store: FeatureStore, place_zyx: FloatArray) -> tuple[int, int]:
    """Return the output planes ``[first, last)`` that a place's features take."""
    near = ball_around(store, place_zyx)[:, 0]
    return int(near.min()), int(near.max()) + 1


def ball_around(store: FeatureStore, place_zyx: FloatArray) -> NDArray[np.intp]:
    """Return the output voxels that count for a place, ``(N, 3)``.

    Output voxel j is centred at working voxel ``stride * j + (stride - 1) / 2``.
    """
    steps = np.array(store.strides)
    middle = np.round((place_zyx - (steps - 1) / 2) / steps)
    last = np.array(store.shape_zyx) - 1
    near = np.clip(middle, 0, last).astype(np.intp) + BALL
    return near[((near >= 0) & (near <= last)).all(axis=1)]


def draw_usual(
    allowed: NDArray[np.bool_], generator: np.random.Generator
) -> NDArray[np.intp]:
    """Draw the output voxels that tell what is usual, ``(N, 3)``, in order.

    Parameters
    ----------
    allowed
        ``(z, y, x)`` at output voxels: which may count.
    """
    places = np.flatnonzero(allowed)
    some = min(USUAL_VOXELS, len(places))
    chosen = np.sort(generator.choice(places, some, replace=False))
    return np.stack(np.unravel_index(chosen, allowed.shape), axis=1)
