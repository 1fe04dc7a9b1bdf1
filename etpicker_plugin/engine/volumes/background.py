"""What is slow in a micrograph: ice that gets thicker, carbon, an uneven beam.

It is many times stronger than a particle, and would decide how the image is normalised.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.volumes.blank_border import Inside

QUARTILES_SD = 1.349
"""Distance of a normal distribution's quartiles, in standard deviations."""

LEAST_SD = 1e-3

BLOCK = 64
"""Working pixels, three or four particles: medians of blocks tell the background."""


def without_background(plane: NDArray[np.float32], seen: Inside) -> NDArray[np.float32]:
    """Return ``(Y, X)`` without its background, normalised; 0 but for what was seen.

    By its quartiles, so that carbon and ice do not set the scale.
    """
    left = plane - background_of(plane)
    low, middle, high = np.percentile(left[seen], (25, 50, 75))
    sd = max((high - low) / QUARTILES_SD, LEAST_SD)
    normalised = np.zeros_like(plane)
    normalised[seen] = (left[seen] - np.float32(middle)) / np.float32(sd)
    return normalised


def background_of(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``(Y, X)`` medians of blocks, interpolated between their middles."""
    rows, columns = map(_edges, plane.shape)
    medians = [
        [np.median(plane[a:b, c:d]) for c, d in pairwise(columns)]
        for a, b in pairwise(rows)
    ]
    along_y, along_x = (
        _interpolation(length, len(edges) - 1)
        for length, edges in zip(plane.shape, (rows, columns), strict=True)
    )
    return np.asarray(along_y @ np.array(medians) @ along_x.T, dtype=np.float32)


def _edges(length: int) -> list[int]:
    """Return where blocks of about the same length begin, and the end of the last."""
    count = max(round(length / BLOCK), 1)
    edges: list[int] = np.round(np.linspace(0, length, count + 1)).astype(int).tolist()
    return edges


def _interpolation(length: int, count: int) -> NDArray[np.float64]:
    """Return what interpolates blocks along one axis, ``(pixels, blocks)``."""
    places = (np.arange(length) + 0.5) / length * count - 0.5
    away = np.abs(np.clip(places, 0, count - 1)[:, None] - np.arange(count))
    return np.clip(1.0 - away, 0.0, 1.0)
