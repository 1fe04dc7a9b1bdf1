import numpy as np
import pytest

from etpicker_plugin.engine.filaments.curve import (
    curve_through,
    equidistant,
    frames,
    path_lengths,
    smooth_curve,
    twisted,
)
from etpicker_plugin.engine.orientation import to_relion_angles

RADIUS, PITCH = 40.0, 9.0
"""Of the helix: its radius, and its rise for each radian."""


def helix(angles):
    """Return points zyx about the z axis, moved off it."""
    turn = np.asarray(angles, dtype=float)
    return np.stack(
        [5 + PITCH * turn, 20 + RADIUS * np.sin(turn), 30 + RADIUS * np.cos(turn)], 1
    )


def arc(angles, radius=30.0):
    turn = np.asarray(angles, dtype=float)
    return np.stack([0 * turn + 7, radius * np.sin(turn), radius * np.cos(turn)], 1)


def test_a_straight_line_off_the_axes():
    start, along = np.array([3.0, 10, 40]), np.array([1.0, 2, -2]) / 3
    curve = curve_through(start + np.array([0, 3, 4.5, 10])[:, None] * along)
    at = equidistant(curve.length, 3.0)
    np.testing.assert_allclose(at, [0.5, 3.5, 6.5, 9.5])
    np.testing.assert_allclose(curve.points(at), start + at[:, None] * along)
    np.testing.assert_allclose(curve.tangents(at), np.tile(along, (4, 1)))
    np.testing.assert_allclose(curve.curvatures(at), 0, atol=1e-12)


def test_two_points_are_a_line():
    curve = curve_through(np.array([[1.0, 1, 1], [1, 4, 5]]))
    assert curve.length == pytest.approx(5)
    np.testing.assert_allclose(curve.points([2.5]), [[1, 2.5, 3]])
    np.testing.assert_allclose(curve.curvatures([2.5]), [0])


def test_an_arc_of_a_circle_has_its_length_and_curvature():
    curve = curve_through(arc(np.linspace(0, np.pi / 2, 40)))
    assert curve.length == pytest.approx(30 * np.pi / 2, rel=1e-6)
    at = np.array([10.0, 22.5, 40.0])
    np.testing.assert_allclose(curve.points(at), arc(at / 30), atol=1e-3)
    np.testing.assert_allclose(curve.curvatures(at), 1 / 30, rtol=0.01)
    middle = curve.tangents([15 * np.pi / 2])[0]
    np.testing.assert_allclose(middle, [0, np.sqrt(0.5), -np.sqrt(0.5)], atol=1e-4)


def test_points_of_uneven_spacing_become_even():
    angles = np.cumsum(np.tile([0.01, 0.04, 0.02], 30))
    curve = curve_through(helix(angles))
    points = curve.points(equidistant(curve.length, 2.0))
    np.testing.assert_allclose(np.diff(path_lengths(points)), 2.0, rtol=2e-4)


def test_smoothing_takes_scatter_off_and_leaves_the_bend():
    generator = np.random.default_rng(3)
    angles = np.linspace(0, 2.5, 150)
    scattered = helix(angles) + generator.normal(0, 0.5, (150, 3))
    curve = smooth_curve(scattered, stiffness=25.0)
    truth = curve_through(helix(angles))
    assert curve.length == pytest.approx(truth.length, rel=0.01)
    dense = truth.points(np.linspace(0, truth.length, 2000))
    found = curve.points(np.linspace(0, curve.length, 100))
    nearest = np.linalg.norm(found[:, None] - dense[None], axis=2).min(1)
    assert nearest.mean() < 0.25
    bend = RADIUS / (RADIUS**2 + PITCH**2)
    inner = curve.curvatures(np.linspace(0.2, 0.8, 20) * curve.length)
    np.testing.assert_allclose(inner, bend, rtol=0.35)


def test_a_gap_in_the_points_does_not_stop_the_spline():
    points = arc(np.r_[np.linspace(0, 0.3, 12), np.linspace(1.2, 1.5, 5)], radius=60.0)
    curve = smooth_curve(points, stiffness=10.0)
    radii = np.linalg.norm(curve.points([30.0, 45, 60])[:, 1:], axis=1)
    np.testing.assert_allclose(radii, 60, atol=0.5)


# ------------------------- frames ------------------------------------------------
def test_frames_are_rotations_with_z_along_the_curve():
    curve = curve_through(helix(np.linspace(0, 3, 60)))
    at = equidistant(curve.length, 3.0)
    tangents = curve.tangents(at)
    made = frames(curve.points(at), tangents)
    np.testing.assert_allclose(made[:, :, 2], tangents[:, ::-1], atol=1e-12)
    np.testing.assert_allclose(
        made @ np.swapaxes(made, 1, 2), np.tile(np.eye(3), (len(at), 1, 1)), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(made), 1)


@pytest.mark.parametrize("tangent", [[1, 2, -3], [1, 0, 0], [-1, 0, 0], [0, -1, 0]])
def test_the_first_frame_has_the_rot_that_was_asked_for(tangent):
    unit = np.array([tangent]) / np.linalg.norm(tangent)
    made = frames(np.zeros((1, 3)), unit, first_rot=25.0)
    np.testing.assert_allclose(made[0] @ [0, 0, 1], unit[0, ::-1], atol=1e-12)
    if abs(unit[0, 0]) < 1:  # along z, rot and psi turn about one axis
        assert to_relion_angles(made)[0, 0] == pytest.approx(25.0)


def test_a_frame_turns_against_the_torsion_of_a_helix():
    """Against the normal, which points to the axis, it turns by minus the torsion."""
    angles = np.linspace(0, 4, 400)
    speed = np.hypot(RADIUS, PITCH)
    torsion = PITCH / speed**2
    curve = curve_through(helix(angles))
    at = np.linspace(0, curve.length, 200)
    made = frames(curve.points(at), curve.tangents(at))
    turn = at / speed
    normals = np.stack([-np.cos(turn), -np.sin(turn), 0 * turn], 1)  # xyz
    binormals = np.cross(made[:, :, 2], normals)
    across = made[:, :, 0]
    angle = np.arctan2(np.sum(across * binormals, 1), np.sum(across * normals, 1))
    turned = np.unwrap(angle) - angle[0]
    np.testing.assert_allclose(turned, -torsion * at, atol=2e-3)
    assert turned[-1] < -0.8


def test_a_twist_is_right_handed():
    """Up the filament, a point beside it goes anticlockwise, seen from its end."""
    made = frames(
        np.array([[0.0, 5, 6], [10, 5, 6]]), np.array([[1.0, 0, 0], [1, 0, 0]])
    )
    turned = twisted(made, [0.0, 30.0])
    before, after = turned[:, :, 0]  # where each reference's x axis lies, xyz
    np.testing.assert_allclose(before, [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(after, [np.cos(np.pi / 6), 0.5, 0], atol=1e-12)
