"""Making boxes comparable: mean 0 and standard deviation 1 in a chosen region."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def normalise(
    boxes: NDArray[np.float32], *, mode: str, radius_vox: float
) -> NDArray[np.float32]:
    """Shift and scale each box to mean 0 and standard deviation 1 in one region.

    RELION does not normalise 3D images itself, so the noise power that is left in a
    box goes into its log-likelihood. ``sphere``, within the particle's radius, makes
    equal what RELION sees behind its mask. ``background``, outside of it, is RELION's
    convention for single particles; there a neighbour or an off-centre particle
    raises the deviation and so lowers the noise. ``box`` takes all voxels.

    Parameters
    ----------
    boxes
        ``(N, B, B, B)``, of micrographs ``(N, 1, B, B)``.
    radius_vox
        Particle radius, voxels.

    Returns
    -------
    ndarray
        Likewise, float32.
    """
    region = region_of(boxes.shape[1:], mode=mode, radius_vox=radius_vox)
    values = boxes[:, region].astype(np.float64)
    mean = values.mean(axis=1)[:, None, None, None]
    deviation = values.std(axis=1)[:, None, None, None]
    return np.asarray((boxes - mean) / deviation, dtype=np.float32)


def region_of(
    shape_zyx: Sequence[int], *, mode: str, radius_vox: float
) -> NDArray[np.bool_]:
    """Return a box of a shape: true where mean and deviation are measured."""
    steps = [np.arange(edge) - edge // 2 for edge in shape_zyx]
    z, y, x = np.meshgrid(*steps, indexing="ij")
    within = x**2 + y**2 + z**2 <= radius_vox**2
    regions = {"sphere": within, "background": ~within, "box": within | True}
    return regions[mode]


def find_usable(boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which ``(N, B, B, B)`` boxes are finite and have contrast.

    A box without contrast lies where a reconstruction was filled with one value.
    """
    finite = np.isfinite(boxes).all(axis=(1, 2, 3))
    low, high = boxes.min(axis=(1, 2, 3)), boxes.max(axis=(1, 2, 3))
    contrast = high - low > 1e-5 * np.maximum(np.abs(high), np.abs(low))
    return np.asarray(finite & contrast)
