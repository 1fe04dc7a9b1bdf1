"""Which Fourier components a tilt series measured."""

import numpy as np
from numpy.typing import NDArray

AXES = ("y", "x")
"""Tilt axes in the tomogram's frame, the commoner first; the beam goes along z."""

TOLERANCE_DEG = 1e-6


def missing_wedge(
    box: int, *, tilt_range: tuple[float, float], tilt_axis: str = "y"
) -> NDArray[np.float32]:
    """Return which part of a box's Fourier space was measured.

    By the projection-slice theorem an image at tilt t measures the plane through the
    tilt axis that is turned by t from the plane across the beam: with axis y, where
    k_z = k_x tan t.

    Parameters
    ----------
    box
        Edge in voxels, even.
    tilt_range
        Lowest and highest tilt angle, degrees.
    tilt_axis
        ``y`` or ``x``.

    Returns
    -------
    ndarray
        ``(box, box, box)`` float32, zero frequency at ``box // 2``: 1 where measured,
        0 where missing.
    """
    k = np.arange(box) - box // 2
    k_z, k_y, k_x = np.meshgrid(k, k, k, indexing="ij")
    across = k_x if tilt_axis == "y" else k_y
    # A plane has two directions: fold the angle into (-90°, 90°].
    tilt = np.degrees(np.arctan2(k_z * np.where(across < 0, -1, 1), np.abs(across)))
    low, high = tilt_range
    measured = (tilt >= low - TOLERANCE_DEG) & (tilt <= high + TOLERANCE_DEG)
    # Along the beam the tilt is 90° or -90°; the axis itself is in every plane.
    measured |= (across == 0) & ((k_z == 0) | (max(-low, high) >= 90))
    return measured.astype(np.float32)
