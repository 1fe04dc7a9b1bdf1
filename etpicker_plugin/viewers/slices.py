"""Slices of tomograms and the sections of spheres in them, for pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

COLOURS = ("#ffb000", "#00b4d8", "#ff4d6d", "#38b000", "#9d4edd", "#00f5d4")
LEAST_SHOWN_RADIUS = 0.25


def slab_mean(
    data: NDArray[np.generic], z: int, thickness: int
) -> NDArray[np.floating]:
    """Return the mean ``(Y, X)`` of the slices around ``z`` that exist."""
    first = max(z - thickness // 2, 0)
    return np.asarray(data[first : z + thickness // 2 + 1], dtype=np.float32).mean(0)


def sections_at(
    positions_zyx: NDArray[np.float64], z: float, radius_vox: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return xy centres ``(M, 2)`` and radii ``(M,)`` of spheres cut at ``z``."""
    height = positions_zyx[:, 0] - z
    cut = np.abs(height) < radius_vox
    radii = np.sqrt(radius_vox**2 - height[cut] ** 2)
    shown = radii > LEAST_SHOWN_RADIUS * radius_vox
    return positions_zyx[cut][shown][:, :0:-1], radii[shown]


def class_colours(names: Sequence[str]) -> dict[str, str]:
    """Give each class a colour, the same for the same list."""
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
