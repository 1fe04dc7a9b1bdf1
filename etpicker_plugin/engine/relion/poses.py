"""RELION's angles and origins as matrices."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

ANGLES = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")


def rotation_of(angles_deg: ArrayLike) -> NDArray[np.float64]:
    """Return ``(N, 3, 3)`` A, which turns the reference's xyz into the particle's.

    RELION's Euler_angles2matrix: A = Rz(-psi) Ry(-tilt) Rz(-rot).

    Parameters
    ----------
    angles_deg
        ``(N, 3)`` rot, tilt, psi.
    """
    angles = np.asarray(angles_deg, dtype=np.float64).reshape(-1, 3)
    turned = Rotation.from_euler("ZYZ", angles, degrees=True).as_matrix()
    return np.asarray(turned.transpose(0, 2, 1))


def angles_of(rotations: ArrayLike) -> NDArray[np.float64]:
    """Return ``(N, 3)`` rot, tilt, psi in degrees of ``(N, 3, 3)`` matrices A."""
    matrices = np.asarray(rotations, dtype=np.float64).reshape(-1, 3, 3)
    inverse = Rotation.from_matrix(matrices.transpose(0, 2, 1))
    return np.asarray(inverse.as_euler("ZYZ", degrees=True))


def alignment_matrices(
    angles_deg: ArrayLike, origins_ang: ArrayLike, *, voxel_size: float
) -> NDArray[np.float64]:
    """Return ``(N, 4, 4)``: each takes the particle onto the reference, in voxels.

    The particle is A · reference - origin, so this is its inverse, which is what
    Scipion keeps as a subtomogram's transformation.

    Parameters
    ----------
    angles_deg, origins_ang
        ``(N, 3)`` rot, tilt, psi, and rlnOriginX/Y/ZAngst.
    """
    rotations = rotation_of(angles_deg)
    origins = np.asarray(origins_ang, dtype=np.float64).reshape(-1, 3)
    matrices = np.zeros((len(rotations), 4, 4))
    matrices[:, :3, :3] = rotations
    matrices[:, :3, 3] = -origins / voxel_size
    matrices[:, 3, 3] = 1.0
    return np.asarray(np.linalg.inv(matrices))
