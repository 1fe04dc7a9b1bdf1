"""Thousands of circles at once: stamped into an image, not drawn one by one."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

STEPS_PER_PIXEL = 2
"""Radii are drawn to half a pixel."""

DASH_PX, LEAST_DASHES, INKED = 10.0, 6, 0.65
"""Length of a dash with its gap, the least number of them, and a dash's share."""


def count_dashes(radius_px: float) -> int:
    """Return how many dashes a ring has."""
    return max(round(2 * np.pi * radius_px / DASH_PX), LEAST_DASHES)


def stamp_rings(
    alpha: NDArray[np.uint8],
    centres_px: NDArray[np.float64],
    radii_px: NDArray[np.float64],
    *,
    width_px: float,
    dashed: bool = False,
) -> None:
    """Draw rings into an image of opacities ``(h, w)``, in place.

    Parameters
    ----------
    centres_px
        ``(N, 2)`` columns and rows, rounded to whole pixels.
    radii_px
        ``(N,)``, rounded to half pixels.
    """
    height, width = alpha.shape
    flat = alpha.reshape(-1)
    columns, rows = np.rint(centres_px).astype(np.intp).T
    steps = np.rint(radii_px * STEPS_PER_PIXEL).astype(np.intp)
    for step in np.unique(steps).tolist():
        chosen = steps == step
        down, right, opacity = _ring(step, width_px, dashed)
        y = rows[chosen][:, None] + down
        x = columns[chosen][:, None] + right
        seen = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        values = np.broadcast_to(opacity, y.shape)[seen]
        np.maximum.at(flat, y[seen] * width + x[seen], values)


@lru_cache(maxsize=256)
def _ring(
    step: int, width_px: float, dashed: bool
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.uint8]]:
    """Return rows, columns ``(M,)`` and opacities of a ring about the pixel 0, 0."""
    radius = step / STEPS_PER_PIXEL
    reach = int(np.ceil(radius + width_px))
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    off_line = np.abs(np.hypot(down, right) - radius)
    cover = np.clip(width_px / 2 + 0.5 - off_line, 0, 1)
    kept = cover > 0
    if dashed:
        turn = np.arctan2(down, right) / (2 * np.pi) * count_dashes(radius)
        kept &= turn % 1 < INKED
    return down[kept], right[kept], np.rint(255 * cover[kept]).astype(np.uint8)
