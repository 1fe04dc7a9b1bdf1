"""Curves bend as their persistence length says, and keep a frame."""

import numpy as np
import pytest

from etpicker_plugin.engine.simulation.curves import (
    STEP_ANG,
    Curve,
    cut_to_volume,
    draw_curve,
)

SHAPE = (41, 63, 75)


def draw(persistence, *, length=2000.0, seed=0, direction=(0.0, 0.6, 0.8)):
    return draw_curve(
        np.array([20.0, 30.0, 37.0]),
        np.array(direction),
        length_ang=length,
        persistence_ang=persistence,
        voxel_size=20.0,
        generator=np.random.default_rng(seed),
    )


def test_a_stiff_curve_is_a_line_through_the_middle():
    curve = draw(1e12)

    middle = len(curve.points_zyx) // 2
    np.testing.assert_allclose(curve.points_zyx[middle], [20, 30, 37])
    np.testing.assert_allclose(
        curve.points_zyx[-1], [20, 30 + 0.6 * 50, 37 + 0.8 * 50], atol=0.01
    )
    steps = np.linalg.norm(np.diff(curve.points_zyx, axis=0), axis=1)
    np.testing.assert_allclose(steps * 20.0, STEP_ANG, rtol=1e-6)


def test_tangents_forget_their_direction_over_the_persistence_length():
    # <t(0) · t(s)> = exp(-s / P) of a worm-like chain; here s = P / 2.
    cosines = []
    for seed in range(200):
        tangents = draw(2000.0, seed=seed).tangents
        cosines.append(tangents[0] @ tangents[200])

    assert np.mean(cosines) == pytest.approx(np.exp(-0.5), abs=0.06)


def test_the_frame_stands_across_and_does_not_twist():
    curve = draw(3000.0, seed=4)

    np.testing.assert_allclose(
        (curve.normals * curve.tangents).sum(axis=1), 0, atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.norm(curve.normals, axis=1), 1)
    along = np.gradient(curve.points_zyx, axis=0) * 20.0 / STEP_ANG
    assert ((along * curve.tangents).sum(axis=1) > 0.99).all()
    turned = np.cross(curve.tangents[:-1], curve.normals[:-1])
    assert np.abs((turned * curve.normals[1:]).sum(axis=1)).max() < 0.02


def test_only_the_part_about_the_middle_is_kept():
    # Along x: in at 0, out of the far face at 75, and back in at the end.
    x = np.array([-3.0, -2, -1, 0, 20, 40, 60, 74, 75, 76, 77, 74, 60])
    points = np.stack([np.full(13, 20.0), np.arange(13) + 10.0, x], axis=1)
    curve = Curve(points_zyx=points, tangents=points, normals=points)

    part, inside = cut_to_volume(curve, SHAPE, margin_ang=2 * STEP_ANG)

    np.testing.assert_array_equal(part.points_zyx[inside], points[3:8])
    np.testing.assert_array_equal(part.points_zyx, points[1:10])
