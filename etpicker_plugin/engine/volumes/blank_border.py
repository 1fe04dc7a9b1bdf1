"""The border of a micrograph in which nothing was recorded.

Motion correction leaves rows and columns at the edges blank, and some cameras a frame:
all of one number, which is no ice and would be a step around the image.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Inside = tuple[slice, slice]


def inside_of(image: NDArray[np.generic]) -> Inside:
    """Return the rows and columns of ``(Y, X)`` between blank ones at the edges.

    A row, or a column of the rows that are left, is blank if it holds one number. Of an
    image that holds one number everywhere nothing is left.
    """
    rows = _between(image)
    return rows, _between(image[rows].T)


def fill_border(image: NDArray[Any], inside: Inside) -> NDArray[Any]:
    """Return an image whose border holds the median of the rest; itself without one."""
    part = image[inside]
    if part.shape == image.shape or not part.size:
        return image
    filled = np.full_like(image, np.median(part))
    filled[inside] = part
    return filled


def rescaled(inside: Inside, scale: float) -> Inside:
    """Return which pixels of a grid ``scale`` times as coarse have centres inside."""
    rows, columns = (
        slice(math.ceil(part.start / scale), math.floor((part.stop - 1) / scale) + 1)
        for part in inside
    )
    return rows, columns


def _between(lines: NDArray[np.generic]) -> slice:
    """Return the lines between the blank ones at either end."""
    count = len(lines)
    first = next((i for i in range(count) if not _is_blank(lines[i])), count)
    last = next((i for i in range(count, first, -1) if not _is_blank(lines[i - 1])), 0)
    return slice(first, max(first, last))


def _is_blank(line: NDArray[np.generic]) -> bool:
    return bool((line == line[:1]).all())
