"""Types of arrays that many files speak of."""

from typing import Tuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Shape = Tuple[int, int, int]
"""Of a volume: z, y, x."""
