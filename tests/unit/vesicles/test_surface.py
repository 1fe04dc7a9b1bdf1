"""Points on membranes: on the surface, evenly, and turned outward."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.orientation import to_relion_angles
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid, sphere
from etpicker_plugin.engine.vesicles.surface import even_points, surface_of_vesicles

CENTRE = np.array([33.0, 42.5, 51.25])
SHAPE = (67, 91, 105)
UNEVEN = Ellipsoid(CENTRE, np.diag([1 / 30, 1 / 21, 1 / 25]))


@pytest.mark.parametrize("surface", [sphere(CENTRE, 24.0), UNEVEN])
def test_they_lie_on_the_surface_a_step_apart(surface):
    points = even_points(surface, 4.0)

    np.testing.assert_allclose(surface.depths(points), 0, atol=1e-9)
    nearest = cKDTree(points).query(points, k=2)[0][:, 1]
    assert nearest.min() > 0.55 * 4
    assert nearest.max() < 1.2 * 4
    assert nearest.mean() == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("surface", [sphere(CENTRE, 24.0), UNEVEN])
def test_they_leave_no_gap(surface):
    tree = cKDTree(even_points(surface, 2.0))
    anywhere = np.random.default_rng(3).normal(size=(5000, 3))
    anywhere /= np.linalg.norm(anywhere, axis=1, keepdims=True)

    assert tree.query(surface.surface(anywhere))[0].max() < 2.0


def test_as_many_as_squares_of_the_step_on_the_area():
    assert len(even_points(sphere(CENTRE, 20.0), 4.0)) == round(4 * np.pi * 400 / 16)
    # A prolate spheroid, half axes 10 and 20: 2 pi (10² + 10 20 asin(e) / e).
    e = np.sqrt(1 - 10**2 / 20**2)
    area = 2 * np.pi * (100 + 200 * np.arcsin(e) / e)
    long = Ellipsoid(CENTRE, np.diag([1 / 10, 1 / 20, 1 / 10]))
    assert len(even_points(long, 2.0)) == pytest.approx(area / 4, abs=1)


def test_each_part_has_its_share():
    """An ellipsoid's directions, spread evenly, would crowd at the ends."""
    long = Ellipsoid(np.zeros(3), np.diag([1 / 40, 1 / 20, 1 / 20]))
    points = even_points(long, 1.0)

    # Area of the caps beyond half the length: an integral of r sqrt(1 + r'²).
    z = np.linspace(-40, 40, 200001)[1:-1]
    r = 20 * np.sqrt(1 - (z / 40) ** 2)
    ring = r * np.sqrt(1 + (z / 40 * 0.5 / np.sqrt(1 - (z / 40) ** 2)) ** 2)
    share = ring[np.abs(z) > 20].sum() / ring.sum()
    assert np.mean(np.abs(points[:, 0]) > 20) == pytest.approx(share, abs=2e-3)


def surface_of(vesicles, surfaces, step=6.0):
    return surface_of_vesicles(vesicles, surfaces, spacing_vox=step, shape_zyx=SHAPE)


def test_normals_are_the_orientation():
    vesicles = make_particles("TS", [CENTRE], class_names="liposome", scores=0.5)
    made = surface_of(vesicles, [sphere(CENTRE, 20.0)])

    outward = (made.positions_zyx - CENTRE)[:, ::-1] / 20
    np.testing.assert_allclose(made.rotations[:, :, 2], outward, atol=1e-9)
    rot, tilt, psi = to_relion_angles(made.rotations).T
    # (x, y, z) / r = (-sin tilt cos psi, sin tilt sin psi, cos tilt), by hand.
    by_hand = np.degrees(np.arccos(outward[:, 2]))
    np.testing.assert_allclose(tilt, by_hand, atol=1e-6)
    turned = np.degrees(np.arctan2(outward[:, 1], -outward[:, 0]))
    np.testing.assert_allclose(np.cos(np.radians(psi - turned)), 1, atol=1e-9)
    np.testing.assert_allclose(rot, 0, atol=1e-6)
    assert set(made.optional["vesicle"]) == {"liposome_1"}
    assert set(made.scores) == {0.5}


def test_those_outside_the_tomogram_are_left_out():
    cut = np.array([8.0, 42.5, 51.25])
    vesicles = make_particles(
        "TS",
        [CENTRE, cut],
        class_names=["endosome", "liposome"],
        optional={"vesicle": ["e", ""]},
    )
    made = surface_of(vesicles, [sphere(CENTRE, 20.0), sphere(cut, 20.0)], step=2.0)

    own = made.select(made.optional["vesicle"] == "liposome_1")
    assert own.positions_zyx[:, 0].min() >= -0.5
    # Of a sphere's area, what lies above a plane is as its height.
    whole = len(made.select(made.optional["vesicle"] == "e"))
    assert len(own) / whole == pytest.approx((20 + 8.5) / 40, abs=0.01)
    assert set(own.class_names) == {"liposome"}


def test_no_vesicles_have_no_surface():
    assert len(surface_of(make_particles("TS", []), [])) == 0


def test_a_step_without_unit_makes_too_many():
    with pytest.raises(InputDataError, match=r"a membrane, a step of 0\.01 vox"):
        even_points(sphere(CENTRE, 20.0), 0.01)


def test_a_step_as_long_as_the_vesicle_is_few_points():
    assert len(even_points(sphere(CENTRE, 20.0), 36.0)) == 4
    assert len(even_points(sphere(CENTRE, 20.0), 300.0)) == 1
