"""RELION's angles and origins as the matrices that align particles."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from etpicker_plugin.engine.formats.star_columns import ANGLES
from etpicker_plugin.engine.orientation import from_relion_angles

__all__ = ["ANGLES", "alignment_matrices", "rotation_of"]

rotation_of = from_relion_angles


def alignment_matrices(
    angles_deg: ArrayLike, origins_ang: ArrayLike, *, voxel_size: float
) -> NDArray[np.float64]:
    """Return ``(N, 4, 4)``: each takes the particle onto the reference, in voxels.

    The particle is R · reference - origin, so this is its inverse, which is what
    Scipion keeps as a subtomogram's transformation.

    Parameters
    ----------
    angles_deg, origins_ang
        ``(N, 3)`` rot, tilt, psi, and rlnOriginX/Y/ZAngst.
    """
    rotations = from_relion_angles(angles_deg)
    origins = np.asarray(origins_ang, dtype=np.float64).reshape(-1, 3)
    matrices = np.zeros((len(rotations), 4, 4))
    matrices[:, :3, :3] = rotations
    matrices[:, :3, 3] = -origins / voxel_size
    matrices[:, 3, 3] = 1.0
    return np.asarray(np.linalg.inv(matrices))
