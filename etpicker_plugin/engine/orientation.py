"""How a particle is turned, and the Euler angles that other programs write for it.

An orientation is the matrix R on xyz column vectors that turns the reference (the
average) into the particle as it lies in the tomogram: a point r of the reference,
from its centre, is at position + R r. Angles are in degrees; Rx, Ry and Rz turn
anticlockwise when the axis points to the viewer.

======= ===================== ================================
program angles                R
======= ===================== ================================
RELION  rot, tilt, psi        Rz(-psi) Ry(-tilt) Rz(-rot)
Dynamo  tdrot, tilt, narot    Rz(-tdrot) Rx(-tilt) Rz(-narot)
ArtiaX  phi, the, psi         Rz(psi) Rx(the) Rz(phi)
======= ===================== ================================

Sources: RELION's documentation of conventions, Dynamo's wiki ("Table convention": a
point r of the template lands on inv(m) r) and the TOM toolbox's motive list, which
ArtiaX's own list follows. Warp and M write RELION's angles; copick and the CryoET data
portal write R itself.
"""

import logging
import warnings

import numpy as np
from numpy.typing import ArrayLike

from etpicker_plugin.engine.arrays import FloatArray

logger = logging.getLogger(__name__)

ROTATION_TOLERANCE = 0.01
ABOUT_X = np.diag([1.0, -1.0, -1.0])
NEARLY_OPPOSITE = -0.999
"""Cosine of an angle at which the shortest way is any."""

MIRROR_Z = np.diag([1.0, 1.0, -1.0])


def from_relion_angles(angles_deg: ArrayLike) -> FloatArray:
    """Return ``(N, 3, 3)`` R of ``(N, 3)`` rot, tilt, psi; NaN stays NaN."""
    return np.swapaxes(_from_euler("ZYZ", angles_deg), 1, 2)


def to_relion_angles(rotations: FloatArray) -> FloatArray:
    """Return ``(N, 3)`` rot, tilt, psi of ``(N, 3, 3)`` R; unknown ones as 0."""
    return _to_euler("ZYZ", np.swapaxes(rotations, 1, 2))


def along_axes(axes_xyz: FloatArray, *, rot: ArrayLike = 0.0) -> FloatArray:
    """Return ``(N, 3, 3)`` R whose z axis lies along ``(N, 3)`` unit vectors.

    How R is turned about that axis nothing says: RELION's angle rot is ``rot``.
    R z = Rz(-psi) Ry(-tilt) z = (-sin tilt cos psi, sin tilt sin psi, cos tilt).
    """
    x, y, z = np.moveaxis(np.asarray(axes_xyz, dtype=np.float64), -1, 0)
    across = np.hypot(x, y)
    tilt = np.degrees(np.arctan2(across, z))
    psi = np.where(across > 0, np.degrees(np.arctan2(y, -x)), 0.0)
    angles = np.stack([np.broadcast_to(rot, tilt.shape), tilt, psi], axis=-1)
    return from_relion_angles(angles)


def from_dynamo_angles(angles_deg: ArrayLike) -> FloatArray:
    """Return ``(N, 3, 3)`` R of ``(N, 3)`` tdrot, tilt, narot."""
    return np.swapaxes(_from_euler("zxz", angles_deg), 1, 2)


def to_dynamo_angles(rotations: FloatArray) -> FloatArray:
    """Return ``(N, 3)`` tdrot, tilt, narot of ``(N, 3, 3)`` R; unknown ones as 0."""
    return _to_euler("zxz", np.swapaxes(rotations, 1, 2))


def from_artiax_angles(angles_deg: ArrayLike) -> FloatArray:
    """Return ``(N, 3, 3)`` R of ``(N, 3)`` phi, the, psi."""
    return _from_euler("zxz", angles_deg)


def to_artiax_angles(rotations: FloatArray) -> FloatArray:
    """Return ``(N, 3)`` phi, the, psi of ``(N, 3, 3)`` R; unknown ones as 0."""
    return _to_euler("zxz", rotations)


def known_or_unturned(rotations: FloatArray) -> FloatArray:
    """Return ``(N, 3, 3)`` R with the identity where the orientation is unknown."""
    unknown = np.isnan(rotations).any(axis=(1, 2), keepdims=True)
    return np.where(unknown, np.eye(3), rotations)


def unknown_if_no_rotation(matrices: FloatArray, *, source: object) -> FloatArray:
    """Return ``(N, 3, 3)`` R, NaN for a matrix that turns nothing; it is logged.

    A rotation keeps lengths and hands: to 1 %, since files round.
    """
    found = known_or_unturned(matrices)
    squares = found @ np.swapaxes(found, 1, 2)
    turns = (np.abs(squares - np.eye(3)) < ROTATION_TOLERANCE).all(axis=(1, 2))
    wrong = ~(turns & (np.linalg.det(found) > 0))
    if wrong.any():
        logger.warning(
            "%s: %d of %d orientations are no rotations; left out.",
            source,
            np.count_nonzero(wrong),
            len(matrices),
        )
    return np.where(wrong[:, None, None], np.nan, matrices)


def mirror_rotations(rotations: FloatArray) -> FloatArray:
    """Return R after z is mirrored in tomogram and reference alike: M R M."""
    return MIRROR_Z @ rotations @ MIRROR_Z


def turned_round(rotations: FloatArray) -> FloatArray:
    """Return ``(N, 3, 3)`` R after half a turn about the particle's own x axis."""
    return np.asarray(rotations @ ABOUT_X)


def turned_towards(rotations: FloatArray, vectors_xyz: FloatArray) -> FloatArray:
    """Return R turned by as little as puts the particle's z axis along a vector.

    Parameters
    ----------
    rotations
        ``(N, 3, 3)``; NaN where unknown, and it stays so.
    vectors_xyz
        ``(N, 3)`` unit vectors.
    """
    turned = rotations.copy()
    opposite = np.sum(turned[:, :, 2] * vectors_xyz, axis=1) < NEARLY_OPPOSITE
    turned[opposite] = turned_round(turned[opposite])
    z = turned[:, :, 2]
    # Two mirrorings, across z and then across the middle of z and the vector.
    middle = z + vectors_xyz
    middle = middle / np.linalg.norm(middle, axis=1, keepdims=True)
    return _mirrored(_mirrored(turned, z), middle)


def _mirrored(rotations: FloatArray, normals: FloatArray) -> FloatArray:
    """Return ``(N, 3, 3)`` with each column mirrored across the plane of a normal."""
    shares = np.einsum("ni,nij->nj", normals, rotations)
    return np.asarray(rotations - 2 * normals[:, :, None] * shares[:, None, :])


def _from_euler(axes: str, angles_deg: ArrayLike) -> FloatArray:
    angles = np.asarray(angles_deg, dtype=np.float64).reshape(-1, 3)
    known = np.isfinite(angles).all(axis=1)
    matrices = np.full((len(angles), 3, 3), np.nan)
    if known.any():
        # Imported when angles are met: the command's flags are made without SciPy.
        from scipy.spatial.transform import Rotation

        turned = Rotation.from_euler(axes, angles[known], degrees=True)
        matrices[known] = turned.as_matrix()
    return matrices


def _to_euler(axes: str, matrices: FloatArray) -> FloatArray:
    if not len(matrices):
        return np.zeros((0, 3))
    from scipy.spatial.transform import Rotation

    turned = Rotation.from_matrix(known_or_unturned(matrices))
    with warnings.catch_warnings():
        # Unturned about the middle axis, the third angle may be 0: the same rotation.
        warnings.filterwarnings("ignore", message="Gimbal lock")
        return np.asarray(turned.as_euler(axes, degrees=True))
