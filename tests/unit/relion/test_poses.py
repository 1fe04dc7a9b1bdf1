"""Angles against RELION's own formula, and matrices by hand."""

import numpy as np
import pytest

from etpicker_plugin.engine.relion.poses import alignment_matrices, rotation_of

ANGLES = np.array([[33.0, 52.0, -71.0], [-120.0, 100.0, 5.0]])


def relion_matrix(rot, tilt, psi):
    """Euler_angles2matrix, written out as in RELION's euler.cpp."""
    a, b, g = np.deg2rad([rot, tilt, psi])
    ca, sa, cb, sb, cg, sg = (f(v) for v in (a, b, g) for f in (np.cos, np.sin))
    return np.array(
        [
            [cg * cb * ca - sg * sa, cg * cb * sa + sg * ca, -cg * sb],
            [-sg * cb * ca - cg * sa, -sg * cb * sa + cg * ca, sg * sb],
            [sb * ca, sb * sa, cb],
        ]
    )


def test_matrices_are_relion_s():
    expected = [relion_matrix(*row) for row in ANGLES]

    np.testing.assert_allclose(rotation_of(ANGLES), expected, atol=1e-12)


def test_alignment_undoes_the_pose():
    origins = np.array([[12.0, -6.0, 30.0], [0.0, 0.0, 6.0]])
    reference = np.array([3.0, -1.0, 2.0])

    matrices = alignment_matrices(ANGLES, origins, voxel_size=6.0)

    for matrix, angles, origin in zip(matrices, ANGLES, origins, strict=True):
        particle = relion_matrix(*angles) @ reference - origin / 6.0
        back = matrix @ [*particle, 1.0]
        assert back == pytest.approx([*reference, 1.0])
