"""From clicks on a membrane to the vesicle that they mean."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.vesicles.fit import FEWEST_CLICKS, sphere_of_clicks

LARGEST_ANG = 50_000.0


@dataclass(frozen=True, kw_only=True)
class Sphere:
    """Centre zyx in voxels, and radius in Å."""

    centre_zyx: NDArray[np.float64]
    radius_ang: float


def missing_clicks(clicks: Sequence[NDArray[np.float64]]) -> int:
    """Return how many more are needed before a sphere goes through them."""
    return max(FEWEST_CLICKS - len(clicks), 0)


def sphere_through(
    clicks: Sequence[NDArray[np.float64]], *, voxel_size: float
) -> Sphere | None:
    """Return the sphere that clicks mean; ``None`` if it is larger than anything.

    Raises
    ------
    InputDataError
        If they are too few, or lie on a line.
    """
    found = sphere_of_clicks(np.array(clicks))
    radius = round(found.radius * voxel_size, 1)
    if radius > LARGEST_ANG:
        return None
    return Sphere(centre_zyx=found.centre, radius_ang=radius)
