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
    hollow
        ``(M,)`` which of them are gripped by rim and centre, not all over; ``None`` for
        none of them.
    """

    ids: NDArray[np.intp]
    centres: NDArray[np.float64]
    radii: NDArray[np.float64]
    heights: NDArray[np.float64]
    hollow: NDArray[np.bool_] | None = None

    def nearest(
        self, point: tuple[float, float], *, slack: float, rims: bool = True
    ) -> int | None:
        """Return the pick whose circle holds the point; the nearest of several.

        ``slack`` (voxels) is the least radius that counts, for small circles. A hollow
        one is held near its centre alone, and near its rim if ``rims`` count.
        """
        if len(self.ids) == 0:
            return None
        distances = np.hypot(*(self.centres - np.asarray(point)).T)
        reach = np.maximum(self.radii, slack)
        if self.hollow is not None:
            if rims:
                off_rim = np.abs(distances - self.radii)
                distances = np.where(
                    self.hollow, np.minimum(distances, off_rim), distances
                )
            reach = np.where(self.hollow, slack, reach)
        inside = distances <= reach
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


def joined(first: Sections, second: Sections) -> Sections:
    """Return the circles of both."""
    parts = (first, second)
    return Sections(
        ids=np.concatenate([p.ids for p in parts]),
        centres=np.concatenate([p.centres for p in parts]),
        radii=np.concatenate([p.radii for p in parts]),
        heights=np.concatenate([p.heights for p in parts]),
        hollow=np.concatenate(
            [
                np.zeros(len(p.ids), bool) if p.hollow is None else p.hollow
                for p in parts
            ]
        ),
    )
