"""Fits are exact where points are, robust where they are not, and never a needle."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid, sphere
from etpicker_plugin.engine.vesicles.fit import (
    fit_ellipsoid,
    fit_sphere,
    sphere_of_clicks,
)
from etpicker_plugin.engine.vesicles.marks import sphere_directions
from etpicker_plugin.engine.vesicles.surface import even_points

CENTRE = np.array([31.2, 84.9, 57.3])


def tilted(half_axes):
    """Return an ellipsoid with these half axes, turned."""
    turn = Rotation.from_euler("zyx", [25, -40, 70], degrees=True).as_matrix()
    return Ellipsoid(CENTRE, turn @ np.diag(1 / np.asarray(half_axes, float)) @ turn.T)


# ------------------------- the surface -----------------------------------------
def test_an_ellipsoid_says_where_it_is():
    made = tilted((20, 26, 33))

    np.testing.assert_allclose(made.half_axes, [20, 26, 33])
    assert made.radius == pytest.approx(79 / 3)
    tips = CENTRE + made.axes * made.half_axes[:, None]
    np.testing.assert_allclose(made.depths(tips), 0, atol=1e-9)
    np.testing.assert_allclose(made.normals(tips), made.axes, atol=1e-9)
    np.testing.assert_allclose(
        made.depths(
            CENTRE + made.axes * (made.half_axes + np.array([2, -3, 1]))[:, None]
        ),
        [2, -3, 1],
        atol=1e-9,
    )
    directions = sphere_directions(50)
    points = made.surface(directions)
    np.testing.assert_allclose(made.depths(points), 0, atol=1e-9)
    np.testing.assert_allclose(made.directions(points), directions, atol=1e-9)


# ------------------------- spheres ---------------------------------------------
def test_four_points_make_a_sphere():
    directions = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-0.6, 0.8, 0]])
    made = fit_sphere(CENTRE + 23.5 * directions)

    np.testing.assert_allclose(made.centre, CENTRE, atol=1e-6)
    np.testing.assert_allclose(made.half_axes, 23.5, atol=1e-6)


def test_a_cap_with_noise_makes_a_sphere_without_bias():
    generator = np.random.default_rng(0)
    points = even_points(sphere(CENTRE, 30.0), 1.5)
    points = points[points[:, 1] > CENTRE[1] - 10]
    points = points + generator.normal(0, 1.0, points.shape)

    made = fit_sphere(points)

    assert np.linalg.norm(made.centre - CENTRE) < 0.3
    assert made.radius == pytest.approx(30.0, abs=0.2)


@pytest.mark.parametrize(
    "points", [np.eye(3), np.column_stack([np.eye(4)[:, :2], np.zeros(4)])]
)
def test_what_makes_no_sphere_is_told(points):
    with pytest.raises(ValueError, match="no sphere"):
        fit_sphere(points)


# ------------------------- ellipsoids ------------------------------------------
def test_points_on_an_ellipsoid_give_it_back():
    true = tilted((27, 30, 34))
    points = true.surface(sphere_directions(900))

    made = fit_ellipsoid(points, sphere(CENTRE + np.array([2, -3, 1]), 25.0), error=0.3)

    np.testing.assert_allclose(made.centre, CENTRE, atol=0.02)
    np.testing.assert_allclose(made.half_axes, [27, 30, 34], atol=0.05)
    assert np.abs(np.diag(made.axes @ true.axes.T)).min() > 0.999


def test_a_fifth_of_outliers_moves_it_little():
    generator = np.random.default_rng(1)
    true = tilted((27, 30, 34))
    points = true.surface(sphere_directions(900)) + generator.normal(0, 0.7, (900, 3))
    points[::5] += generator.uniform(-9, 9, (180, 3))

    made = fit_ellipsoid(points, sphere(CENTRE, 30.0), error=1.0)

    assert np.linalg.norm(made.centre - CENTRE) < 0.3
    np.testing.assert_allclose(made.half_axes, [27, 30, 34], atol=0.7)


def test_without_caps_it_does_not_become_a_needle():
    generator = np.random.default_rng(2)
    points = sphere(CENTRE, 30.0).surface(sphere_directions(2000))
    points = points[np.abs(points[:, 0] - CENTRE[0]) < 9]
    points = points + generator.normal(0, 1.0, points.shape)

    made = fit_ellipsoid(points, sphere(CENTRE, 29.0), error=1.0)

    assert np.linalg.norm(made.centre - CENTRE) < 1.0
    assert np.abs(made.half_axes / 30.0 - 1).max() < 0.12


def test_a_flat_patch_still_gives_a_surface_near_its_start():
    y, x = np.meshgrid(np.arange(-10.0, 11), np.arange(-10.0, 11))
    points = CENTRE + np.stack([np.full(y.size, 30.0), y.ravel(), x.ravel()], axis=1)

    made = fit_ellipsoid(points, sphere(CENTRE, 30.0), error=0.5)

    assert np.isfinite(made.half_axes).all()
    assert (made.half_axes > 0).all()


# ------------------------- clicks ----------------------------------------------
def test_three_clicks_in_a_section_are_its_largest_circle():
    angles = np.radians([10, 130, 215])
    points = CENTRE + 40 * np.stack([0 * angles, np.sin(angles), np.cos(angles)], 1)

    made = sphere_of_clicks(points)

    np.testing.assert_allclose(made.centre, CENTRE)
    np.testing.assert_allclose(made.half_axes, 40)


def test_clicks_in_several_sections_are_a_sphere():
    directions = np.array([[0, 1, 0], [0, 0, 1], [0, -0.6, 0.8], [0.6, 0.8, 0]])
    made = sphere_of_clicks(CENTRE + 40 * directions)

    np.testing.assert_allclose(made.centre, CENTRE, atol=1e-6)
    np.testing.assert_allclose(made.half_axes, 40, atol=1e-6)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([[1, 2, 3], [4, 5, 6]], "2 point\\(s\\) on a membrane: a vesicle needs 3"),
        ([[1, 2, 3], [2, 4, 6], [3, 6, 9]], "3 points on a membrane lie on a line"),
        ([[1, 2, 3]] * 3, "lie on a line"),
    ],
)
def test_clicks_that_are_no_vesicle_are_refused(points, message):
    with pytest.raises(InputDataError, match=message):
        sphere_of_clicks(points)
