"""Rims in a micrograph become vesicles: apart, crossing, nested, cut; then refined."""

import numpy as np
import pytest

from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid, sphere
from etpicker_plugin.engine.vesicles.find import find_vesicles
from etpicker_plugin.engine.vesicles.marks import directions_of
from etpicker_plugin.engine.vesicles.refine import refine_on_volume
from etpicker_plugin.engine.vesicles.surface import even_points
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SHAPE = (1, 233, 317)
DIAMETER = 50.0


def circle(y, x, radius):
    return sphere(np.array([0.0, y, x]), radius)


def ellipse(y, x, short, long, turn):
    """Return an ellipsoid with an axis along z, as long as the others' mean."""
    cos, sin = np.cos(turn), np.sin(turn)
    axes = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    shape = axes @ np.diag([2 / (short + long), 1 / short, 1 / long]) @ axes.T
    return Ellipsoid(np.array([0.0, y, x]), shape)


def rim(surface, generator, *, noise=0.4, turn=0.1):
    """Return points on an outline as a network gives them, normals of any sign."""
    count = int(2 * np.pi * surface.radius)
    points = surface.surface(directions_of(count, is_flat=True))
    points = points[((points > -0.5) & (points < np.array(SHAPE) - 0.5)).all(axis=1)]
    normals = surface.normals(points)
    points[:, 1:] += noise * generator.normal(size=(len(points), 2))
    normals[:, 1:] += turn * generator.normal(size=(len(points), 2))
    normals *= generator.choice([-1, 1], len(normals))[:, None]
    return points, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def find(*surfaces, clutter=150, seed=0):
    generator = np.random.default_rng(seed)
    parts = [rim(s, generator) for s in surfaces]
    anywhere = generator.normal(size=(clutter, 3)) * [0, 1, 1]
    anywhere /= np.linalg.norm(anywhere, axis=1, keepdims=True)
    parts.append((generator.uniform(0, 1, (clutter, 3)) * SHAPE * [0, 1, 1], anywhere))
    points, normals = (np.concatenate(p) for p in zip(*parts, strict=True))
    scores = generator.uniform(0.5, 0.9, len(points))
    return find_vesicles(
        points, normals, scores, diameter_vox=DIAMETER, shape_zyx=SHAPE
    )


def agree(found, expected, *, centre=0.4, radius=0.02):
    """Tell that each expected one was found once, and nothing else."""
    assert len(found) == len(expected)
    for true in expected:
        off = [
            np.linalg.norm(v.surface.centre - true.centre)
            + abs(v.surface.radius - true.radius)
            for v in found
        ]
        surface = found[int(np.argmin(off))].surface
        assert surface.centre[0] == 0
        assert np.linalg.norm(surface.centre - true.centre) < centre
        assert surface.radius == pytest.approx(true.radius, rel=radius)


def test_circles_and_ellipses_are_found_with_their_axes():
    long_one = ellipse(100.3, 150.2, 24, 30, 0.6)
    expected = [circle(60.2, 50.1, 22), long_one, circle(160.4, 250.7, 45)]
    found = find(*expected)

    agree(found, expected)
    uneven = min(found, key=lambda v: np.abs(v.surface.centre - long_one.centre).sum())
    np.testing.assert_allclose(uneven.surface.half_axes, [24, 27, 30], atol=0.4)
    for vesicle in found:
        assert vesicle.shell.completeness > 0.97
        assert 0.6 < vesicle.score < 0.75


@pytest.mark.parametrize(
    "expected",
    [
        [circle(70, 80, 23), circle(70, 127, 23.5)],
        [circle(100, 100, 40), circle(122, 124, 36)],
        [circle(90, 140, 47), circle(96, 134, 20)],
    ],
    ids=["touching", "crossing", "nested"],
)
def test_two_that_meet_stay_two(expected):
    agree(find(*expected), expected)


def test_one_cut_by_an_edge_is_whole_in_what_is_there():
    expected = [circle(190, -3, 25), circle(2, 200, 31)]
    found = find(*expected)

    agree(found, expected, centre=1.5, radius=0.04)
    assert min(v.shell.completeness for v in found) > 0.9


def test_scattered_points_are_no_vesicle():
    assert find(clutter=600) == []


def test_an_outline_comes_to_the_middle_of_its_rim():
    true = ellipse(110.3, 161.7, 36, 41, -0.4)
    y, x = np.indices(SHAPE[1:])
    grid = np.stack([0 * y, y, x], axis=-1).reshape(-1, 3).astype(float)
    depth = true.depths(grid).reshape(SHAPE)
    image = -sum(np.exp(-0.5 * ((depth - side) / 0.8) ** 2) for side in (-1.8, 1.8))
    image = image + 0.5 * np.random.default_rng(1).normal(size=SHAPE)
    near = circle(111.2, 160.9, 1.03 * true.radius)

    refined = refine_on_volume(
        near, ArrayVolume(image.astype(np.float16)), voxel_size=10.0
    )

    assert np.linalg.norm(refined.centre - true.centre) < 0.2
    np.testing.assert_allclose(refined.half_axes, true.half_axes, atol=0.5)


def test_points_on_an_outline_lie_in_the_plane_a_spacing_apart():
    surface = ellipse(50.5, 60.25, 20, 24, 0.3)
    points = even_points(surface, 2.0, is_flat=True)

    assert (points[:, 0] == 0).all()
    assert np.abs(surface.depths(points)).max() < 1e-9
    steps = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
    np.testing.assert_allclose(steps, 2.0, atol=0.25)
