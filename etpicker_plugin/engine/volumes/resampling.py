"""From one voxel size to a coarser or finer one, along an axis."""

import numpy as np
from numpy.typing import NDArray

BLUR_TRUNCATE = 4.0


def blur_sigma(scale: float) -> float:
    """Return the Gaussian's sigma (input voxels) against aliasing; 0 for scale <= 1.

    A Gaussian of half the new voxel's edge, less the half voxel that the old grid
    already has.
    """
    return 0.5 * float(np.sqrt(max(scale**2 - 1.0, 0.0)))


def blur_reach(scale: float) -> int:
    """Return how many input voxels the Gaussian reaches on each side."""
    return int(BLUR_TRUNCATE * blur_sigma(scale) + 0.5)


def resampling_matrix(
    box: tuple[int, int], source: tuple[int, int], *, scale: float, length: int
) -> NDArray[np.float32]:
    """Return what blurs and interpolates along one axis, ``(working, input)`` voxels.

    Each row is the linear interpolation between two input voxels, each of them blurred
    by the Gaussian; beyond the ends of the volume the last voxel goes on. To multiply
    by it is many times faster than to filter all voxels and to keep some.

    Parameters
    ----------
    box, source
        Working voxels wanted, and input voxels given: ``[start, stop)`` each.
    length
        Of the volume, input voxels.
    """
    reach, sigma = blur_reach(scale), blur_sigma(scale)
    offsets = np.arange(-reach, reach + 1)
    blur = np.exp(-0.5 * (offsets / max(sigma, 1e-6)) ** 2)
    blur /= blur.sum()
    positions = np.arange(*box) * scale
    below = np.floor(positions).astype(int)
    share = (positions - below)[:, None]
    rows = np.arange(len(positions))[:, None]
    matrix = np.zeros((len(positions), source[1] - source[0]))
    for step, weight in ((0, 1 - share), (1, share)):
        columns = np.clip(below[:, None] + step + offsets, 0, length - 1) - source[0]
        np.add.at(matrix, (rows, columns), weight * blur)
    return matrix.astype(np.float32)
