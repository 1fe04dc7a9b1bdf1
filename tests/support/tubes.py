"""Volumes with planted curves: tubes of probability around them."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree


def painted_tubes(shape, curves, *, radius, height=0.9, sharpness=3.0):
    """Return a volume ``(Z, Y, X)`` float32: high within the radius of any curve.

    ``curves`` are ``(N, 3)`` zyx points, dense.
    """
    voxels = np.stack(np.indices(shape), axis=-1).reshape(-1, 3)
    tree = cKDTree(np.concatenate(curves))
    distance, _ = tree.query(voxels, distance_upper_bound=radius + 4)
    distance = np.minimum(distance, radius + 4)
    values = height / (1 + np.exp(sharpness * (distance - radius)))
    values[distance >= radius + 4] = 0
    return values.reshape(shape).astype(np.float32)
