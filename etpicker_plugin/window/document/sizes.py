"""The size of each pick, where the picks have a column of radii."""

from typing import Union

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.columns import RADIUS, VESICLE, ColumnValues

MEMBRANE_POINT_ANG = 30.0
Ids = Union[NDArray[np.intp], slice]


def own_or(
    radii_ang: NDArray[np.float64], optional: ColumnValues, ids: Ids
) -> NDArray[np.float64]:
    """Return ``(N,)`` the picks' own radii in Å; the given ones where unknown.

    What names a vesicle and has no radius is a point on its membrane, and small.
    """
    if VESICLE.name in optional:
        named = optional[VESICLE.name][ids] != VESICLE.missing
        radii_ang = np.where(named, MEMBRANE_POINT_ANG, radii_ang)
    if RADIUS.name not in optional:
        return radii_ang
    own = optional[RADIUS.name][ids]
    return np.where(np.isfinite(own), own, radii_ang)


def largest_own(optional: ColumnValues, *, default: float) -> float:
    """Return the largest radius in Å that a pick has of its own, or else by default."""
    own = optional.get(RADIUS.name, np.zeros(0))
    return float(np.max(own[np.isfinite(own)], initial=default))
