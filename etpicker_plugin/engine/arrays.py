"""Types of arrays that many files speak of, and steps along their axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Tuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Shape = Tuple[int, int, int]
"""Of a volume: z, y, x."""


def along_axes(step: int, shape: Sequence[int]) -> Shape:
    """Return a step along z, y and x: 1 where an axis is one voxel long.

    A micrograph is a tomogram one slice thick, and that slice is neither halved nor
    padded.
    """
    z, y, x = (step if length > 1 else 1 for length in shape)
    return z, y, x
