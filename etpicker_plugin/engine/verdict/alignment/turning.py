"""Turning boxes into the reference's frame, as RELION's angles and shifts say.

RELION's matrix A (``relion/poses``) turns the reference into the particle: a point r of
the reference is at A r in the particle (xyz). ``rlnOrigin`` is what a particle must be
moved by, so the particle stands at minus the origin from its box's centre.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from etpicker_plugin.engine.arrays import FloatArray


def to_reference(
    box: NDArray[np.floating],
    matrix_xyz: FloatArray,
    *,
    origin_zyx: ArrayLike = (0.0, 0.0, 0.0),
    order: int = 3,
) -> FloatArray:
    """Return a particle's box as the reference lies: value at r is the box's at A r.

    Parameters
    ----------
    box
        ``(B, B, B)``, turned about voxel B // 2.
    origin_zyx
        RELION's origin, voxels.
    order
        Of the spline that interpolates.
    """
    matrix = matrix_xyz[::-1, ::-1]
    centre = np.full(3, box.shape[-1] // 2)
    offset = centre - np.asarray(origin_zyx) - matrix @ centre
    return np.asarray(ndimage.affine_transform(box, matrix, offset=offset, order=order))


def to_particle(
    reference: NDArray[np.floating], matrix_xyz: FloatArray, *, order: int = 1
) -> FloatArray:
    """Return the reference ``(B, B, B)`` turned as a particle is, at the centre.

    ``matrix_xyz`` (3, 3) is that of ``to_reference``.
    """
    return to_reference(reference, matrix_xyz.T, order=order)
