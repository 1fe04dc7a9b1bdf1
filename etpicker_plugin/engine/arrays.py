"""Types of arrays that many files speak of."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Shape = tuple[int, int, int]
"""Of a volume: z, y, x."""
