"""The cloud's projection: values by hand, on a box of three different sizes."""

import numpy as np
import pytest

from etpicker_plugin.window.drawing.camera import (
    ALONG,
    EDGES,
    FILLED_SHARE,
    RADIANS_PER_PIXEL,
    SLANTED,
    Camera,
    box_corners,
    project,
    slice_corners,
)
from etpicker_plugin.window.drawing.slices import X, Y, Z

SHAPE = (4, 6, 12)  # z, y, x; the diagonal is 14.
SIZE = (300.0, 140.0)
SCALE = FILLED_SHARE * 10
"""Pixels per voxel: the shorter side, 140, by the diagonal."""

MIDDLE = (1.5, 2.5, 5.5)


def seen(points, camera):
    return project(points, camera, shape_zyx=SHAPE, size_px=SIZE)


@pytest.mark.parametrize(
    ("axis", "right", "up", "near"), [(Z, X, Y, 1), (Y, X, Z, -1), (X, Z, Y, -1)]
)
def test_along_an_axis_it_lies_as_the_slice_does(axis, right, up, near):
    point = np.array(MIDDLE)
    point[right] += 3
    point[up] += 2
    point[axis] += 1
    pixels, depths = seen(point, Camera(rotation=ALONG[axis]))
    np.testing.assert_allclose(pixels, [[150 + 3 * SCALE, 70 - 2 * SCALE]])
    np.testing.assert_allclose(depths, [near])


@pytest.mark.parametrize("rotation", [SLANTED, *ALONG.values()])
def test_all_views_are_rotations_no_mirrors(rotation):
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_slanted_z_points_upwards_and_towards_the_viewer():
    above = np.add(MIDDLE, (1, 0, 0))
    pixels, depths = seen(above, Camera(rotation=SLANTED))
    assert pixels[0, 1] < 70
    assert depths[0] > 0


def test_what_faces_the_viewer_follows_a_drag():
    camera = Camera(rotation=ALONG[Z]).turned(10, 0)
    near = np.add(MIDDLE, (1, 0, 0))
    pixels, _ = seen(near, camera)
    shift = SCALE * np.sin(10 * RADIANS_PER_PIXEL)
    np.testing.assert_allclose(pixels, [[150 + shift, 70]])
    pixels, _ = seen(near, Camera(rotation=ALONG[Z]).turned(0, 10))
    np.testing.assert_allclose(pixels, [[150, 70 + shift]])


def test_many_turns_do_not_stretch_the_scene():
    camera = Camera(rotation=SLANTED)
    for i in range(3000):
        camera = camera.turned(7 + i % 3, -5)
    np.testing.assert_allclose(
        camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-12
    )


def test_zoom_keeps_what_is_under_the_mouse():
    camera = Camera(rotation=SLANTED, shift=(11.0, -7.0))
    point = (0.5, 5.0, 9.0)
    (before,), _ = seen(point, camera)
    about = (before[0] - 150, before[1] - 70)
    (after,), _ = seen(point, camera.zoomed(2.5, about))
    np.testing.assert_allclose(after, before)


def test_the_box_ends_at_the_faces_of_its_voxels():
    corners = box_corners(SHAPE)
    assert corners.min(axis=0).tolist() == [-0.5, -0.5, -0.5]
    assert corners.max(axis=0).tolist() == [3.5, 5.5, 11.5]
    lengths = sorted(float(np.abs(corners[a] - corners[b]).sum()) for a, b in EDGES)
    assert lengths == [4] * 4 + [6] * 4 + [12] * 4


def test_a_slice_is_a_rectangle_in_the_box():
    corners = slice_corners(Y, 2, SHAPE)
    assert corners.tolist() == [
        [-0.5, 2, -0.5],
        [-0.5, 2, 11.5],
        [3.5, 2, 11.5],
        [3.5, 2, -0.5],
    ]
