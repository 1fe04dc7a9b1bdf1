"""Angles of other programs against matrices computed by hand.

A turns x to y, y to z and z to x; its columns are the images of the axes. B is a
quarter turn about x, C one about z.
"""

import numpy as np
import pytest

from etpicker_plugin.engine.geometry import TomogramFrame, mirror_z
from etpicker_plugin.engine.orientation import (
    from_artiax_angles,
    from_dynamo_angles,
    from_relion_angles,
    known_or_unturned,
    mirror_rotations,
    to_artiax_angles,
    to_dynamo_angles,
    to_relion_angles,
)

A = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=float)
B = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=float)
C = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], dtype=float)
MADE_BY_HAND = [
    (from_relion_angles, [90, 90, 180], A),
    (from_relion_angles, [90, 90, -90], B),
    (from_relion_angles, [-90, 0, 0], C),
    (from_relion_angles, [0, 0, -90], C),
    (from_dynamo_angles, [90, 90, 180], A),
    (from_dynamo_angles, [0, -90, 0], B),
    (from_dynamo_angles, [-90, 0, 0], C),
    (from_artiax_angles, [0, 90, 90], A),
    (from_artiax_angles, [0, 90, 0], B),
    (from_artiax_angles, [90, 0, 0], C),
]
THERE_AND_BACK = [
    (from_relion_angles, to_relion_angles),
    (from_dynamo_angles, to_dynamo_angles),
    (from_artiax_angles, to_artiax_angles),
]


@pytest.mark.parametrize(("convert", "angles", "expected"), MADE_BY_HAND)
def test_matrices_by_hand(convert, angles, expected):
    np.testing.assert_allclose(convert([angles]), [expected], atol=1e-12)


def test_a_point_of_the_reference_is_turned_into_the_tomogram():
    (rotation,) = from_relion_angles([[90, 90, 180]])

    assert np.allclose(rotation @ [1, 0, 0], [0, 1, 0])
    assert np.allclose(rotation @ [0, 0, 1], [1, 0, 0])


def test_relion_s_rot_and_tilt_are_the_direction_that_becomes_z():
    """RELION's manual: rot and tilt are the viewing direction on the reference."""
    rot, tilt, psi = np.deg2rad([25, 70, -130])
    direction = [
        np.cos(rot) * np.sin(tilt),
        np.sin(rot) * np.sin(tilt),
        np.cos(tilt),
    ]

    (rotation,) = from_relion_angles([np.rad2deg([rot, tilt, psi])])

    assert np.allclose(rotation @ direction, [0, 0, 1])


@pytest.mark.parametrize(("there", "back"), THERE_AND_BACK)
def test_angles_give_the_same_matrix_again(there, back):
    angles = np.random.default_rng(0).uniform(-180, 180, (100, 3))
    angles[0] = [30, 0, 20]
    angles[1] = [30, 180, 20]
    matrices = there(angles)

    assert np.allclose(there(back(matrices)), matrices, atol=1e-7)


@pytest.mark.parametrize(("there", "back"), THERE_AND_BACK)
def test_none_and_unknown_orientations(there, back):
    assert there(np.zeros((0, 3))).shape == (0, 3, 3)
    assert back(np.zeros((0, 3, 3))).shape == (0, 3)
    unknown = there([[1, 2, np.nan], [0, 0, 0]])
    assert np.isnan(unknown[0]).all()
    assert np.allclose(unknown[1], np.eye(3))
    assert np.allclose(back(unknown), 0)
    assert np.allclose(known_or_unturned(unknown), np.eye(3))


def test_mirrored_positions_and_orientations_stay_together():
    """A point of the mirrored reference lands on the mirrored point."""
    frame = TomogramFrame(tomogram_id="T", shape_zyx=(33, 57, 41), voxel_size=10.0)
    position_zyx = np.array([[7.0, 50.0, 12.25]])
    point_xyz = np.array([1.0, 2.0, 3.0])
    landed_zyx = position_zyx + (A @ point_xyz)[::-1]

    mirrored = mirror_z(position_zyx, frame, about_eman2_centre=False)
    turned = mirror_rotations(A[None])[0] @ (point_xyz * [1, 1, -1])

    assert mirrored.tolist() == [[25.0, 50.0, 12.25]]
    assert np.allclose(
        mirrored + turned[::-1], mirror_z(landed_zyx, frame, about_eman2_centre=False)
    )


@pytest.mark.parametrize(("n", "expected"), [(33, 25.0), (32, 25.0)])
def test_eman2_s_z_changes_sign_about_its_centre(n, expected):
    """z = 7 is 9 below voxel 16, which is n // 2 for 32 and for 33."""
    frame = TomogramFrame(tomogram_id="T", shape_zyx=(n, 57, 41), voxel_size=10.0)

    mirrored = mirror_z(np.array([[7.0, 1.0, 2.0]]), frame, about_eman2_centre=True)

    assert mirrored.tolist() == [[expected, 1.0, 2.0]]
