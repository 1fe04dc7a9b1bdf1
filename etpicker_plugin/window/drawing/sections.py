"""Which particles a slice cuts, and as what circles."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.window.drawing.slices import X, Y, Z

IN_PLANE = {Z: (X, Y), Y: (X, Z), X: (Z, Y)}
"""Axis across a slice -> its axes rightwards and upwards."""

LEAST_SHOWN_RADIUS = 0.25


@dataclass(frozen=True, kw_only=True)
class Sections:
    """Circles in a slice.

    Attributes
    ----------
    ids
        ``(M,)`` the picks' numbers.
    centres
        ``(M, 2)`` voxels rightwards and upwards.
    radii
        ``(M,)`` of the circles, voxels.
    heights
        ``(M,)`` of the picks' centres above the slice, voxels.
    """

    ids: NDArray[np.intp]
    centres: NDArray[np.float64]
    radii: NDArray[np.float64]
    heights: NDArray[np.float64]

    def nearest(self, point: tuple[float, float], *, slack: float) -> int | None:
        """Return the pick whose circle holds the point; the nearest of several.

        ``slack`` (voxels) is the least radius that counts, for small circles.
        """
        if len(self.ids) == 0:
            return None
        distances = np.hypot(*(self.centres - np.asarray(point)).T)
        inside = distances <= np.maximum(self.radii, slack)
        if not inside.any():
            return None
        return int(self.ids[np.argmin(np.where(inside, distances, np.inf))])


def cut_spheres(
    positions_zyx: NDArray[np.float64],
    radii_vox: NDArray[np.float64],
    ids: NDArray[np.intp],
    *,
    axis: int,
    index: float,
) -> Sections:
    """Return the circles in which a slice cuts spheres about the picks.

    Circles of less than a quarter of the sphere's radius are left out: a touched pole
    says little, and hides other particles.

    Parameters
    ----------
    positions_zyx, radii_vox, ids
        ``(K, 3)``, ``(K,)`` and ``(K,)`` numbers of the picks to look at.
    """
    heights = positions_zyx[:, axis] - index
    cut = np.abs(heights) < radii_vox * np.sqrt(1 - LEAST_SHOWN_RADIUS**2)
    heights = heights[cut]
    return Sections(
        ids=ids[cut],
        centres=positions_zyx[cut][:, IN_PLANE[axis]],
        radii=np.sqrt(radii_vox[cut] ** 2 - heights**2),
        heights=heights,
    )
