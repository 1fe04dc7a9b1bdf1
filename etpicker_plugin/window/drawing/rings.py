"""Thousands of circles at once: stamped into an image, not drawn one by one."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

STEPS_PER_PIXEL = 2
"""Radii are drawn to half a pixel."""


def stamp_rings(
    alpha: NDArray[np.uint8],
    centres_px: NDArray[np.float64],
    radii_px: NDArray[np.float64],
    *,
    width_px: float,
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
        down, right, opacity = _ring(step, width_px)
        y = rows[chosen][:, None] + down
        x = columns[chosen][:, None] + right
        seen = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        values = np.broadcast_to(opacity, y.shape)[seen]
        np.maximum.at(flat, y[seen] * width + x[seen], values)


@lru_cache(maxsize=256)
def _ring(
    step: int, width_px: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.uint8]]:
    """Return rows, columns ``(M,)`` and opacities of a ring about the pixel 0, 0."""
    radius = step / STEPS_PER_PIXEL
    reach = int(np.ceil(radius + width_px))
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    off_line = np.abs(np.hypot(down, right) - radius)
    cover = np.clip(width_px / 2 + 0.5 - off_line, 0, 1)
    kept = cover > 0
    return down[kept], right[kept], np.rint(255 * cover[kept]).astype(np.uint8)
