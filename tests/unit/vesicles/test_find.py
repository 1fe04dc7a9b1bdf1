"""Planted membranes become vesicles: whole, cut, without caps, touching, nested."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid, sphere
from etpicker_plugin.engine.vesicles.find import find_vesicles
from etpicker_plugin.engine.vesicles.marks import sphere_directions
from etpicker_plugin.engine.vesicles.surface import even_points

SHAPE = (71, 133, 117)
DIAMETER = 50.0


def membrane(surface, generator, *, noise=0.4, turn=0.1, steepest=1.0):
    """Return points on a surface as a network gives them, with normals of any sign."""
    count = int(4 * np.pi * surface.radius**2 / 4)
    points = surface.surface(sphere_directions(count))
    normals = surface.normals(points)
    inside = ((points > -0.5) & (points < np.array(SHAPE) - 0.5)).all(axis=1)
    kept = inside & (np.abs(normals[:, 0]) <= steepest)
    points, normals = points[kept], normals[kept]
    points = points + noise * generator.normal(size=points.shape)
    normals = normals + turn * generator.normal(size=points.shape)
    normals *= generator.choice([-1, 1], len(normals))[:, None]
    return points, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def find(*surfaces, clutter=300, seed=0, order=None, **how):
    generator = np.random.default_rng(seed)
    parts = [membrane(s, generator, **how) for s in surfaces]
    anywhere = generator.normal(size=(clutter, 3))
    anywhere /= np.linalg.norm(anywhere, axis=1, keepdims=True)
    parts.append((generator.uniform(0, 1, (clutter, 3)) * SHAPE, anywhere))
    points, normals = (np.concatenate(p) for p in zip(*parts, strict=True))
    scores = generator.uniform(0.5, 0.9, len(points))
    if order is not None:
        turn = np.random.default_rng(order).permutation(len(points))
        points, normals, scores = points[turn], normals[turn], scores[turn]
    return find_vesicles(
        points, normals, scores, diameter_vox=DIAMETER, shape_zyx=SHAPE
    )


def agree(found, expected, *, centre=0.5, radius=0.03):
    """Tell that each expected surface was found once, and nothing else."""
    assert len(found) == len(expected)
    apart = [
        [
            np.linalg.norm(v.surface.centre - true.centre)
            + abs(v.surface.radius - true.radius)
            for v in found
        ]
        for true in expected
    ]
    nearest = np.argmin(apart, axis=1)
    assert len(set(nearest.tolist())) == len(expected)
    for true, index in zip(expected, nearest, strict=True):
        surface = found[index].surface
        assert np.linalg.norm(surface.centre - true.centre) < centre
        assert surface.radius == pytest.approx(true.radius, rel=radius)


def tilted(centre, half_axes):
    turn = Rotation.from_euler("zyx", [25, -40, 70], degrees=True).as_matrix()
    return Ellipsoid(
        np.array(centre), turn @ np.diag(1 / np.asarray(half_axes, float)) @ turn.T
    )


def test_a_sphere_and_an_ellipsoid_are_found_with_their_axes():
    round_one = sphere(np.array([34.2, 31.7, 36.1]), 22.0)
    long_one = tilted([35.5, 95.0, 70.3], (21, 25, 30))

    found = find(round_one, long_one)

    agree(found, [round_one, long_one])
    axes = sorted((v.surface.half_axes for v in found), key=lambda a: a[2])
    np.testing.assert_allclose(axes[0], 22, atol=0.4)
    np.testing.assert_allclose(axes[1], [21, 25, 30], atol=0.6)
    for vesicle in found:
        assert 0.6 < vesicle.score < 0.72  # whole: the mean of its points
        assert vesicle.shell.completeness > 0.97
        assert vesicle.residual < 0.6


def test_small_and_large_ones_of_a_class_are_found():
    expected = [
        sphere(np.array([33.0, 22.0, 25.0]), 11.5),
        sphere(np.array([36.4, 80.3, 60.8]), 44.0),
    ]
    agree(find(*expected), expected)


def test_caps_that_the_missing_wedge_takes_are_not_missed():
    expected = [
        sphere(np.array([34.2, 31.7, 36.1]), 22.0),
        sphere(np.array([33.0, 90.4, 75.2]), 27.0),
    ]
    found = find(*expected, steepest=0.65)

    agree(found, expected, centre=1.0)
    assert min(v.shell.completeness for v in found) > 0.95
    assert max(v.shell.share for v in found) < 0.9


def test_vesicles_cut_by_faces_are_whole_in_what_is_there():
    expected = [
        sphere(np.array([34.2, 31.7, 2.1]), 22.0),
        sphere(np.array([68.0, 90.4, 75.2]), 27.0),
        sphere(np.array([-4.0, 88.4, 55.2]), 25.0),
    ]
    found = find(*expected)

    agree(found, expected, centre=1.5, radius=0.04)
    assert min(v.shell.completeness for v in found) > 0.9


def test_two_that_touch_are_two():
    expected = [
        sphere(np.array([34.2, 40.0, 36.1]), 22.0),
        sphere(np.array([36.0, 83.5, 42.0]), 22.5),
    ]
    agree(find(*expected), expected)


def test_one_within_another_is_found_beside_it():
    expected = [
        sphere(np.array([35.0, 60.0, 55.0]), 33.0),
        sphere(np.array([38.0, 66.0, 49.0]), 15.0),
    ]
    agree(find(*expected), expected)


def test_a_vesicle_in_a_shell_of_the_same_centre_is_found():
    expected = [
        sphere(np.array([35.0, 60.0, 55.0]), 32.0),
        sphere(np.array([35.0, 60.0, 55.0]), 21.0),
    ]
    agree(find(*expected), expected)


def test_flat_and_gently_bent_membranes_are_no_vesicles():
    y, x = np.meshgrid(np.arange(0, 133, 2.0), np.arange(0, 117, 2.0), indexing="ij")
    y, x = y.ravel(), x.ravel()
    flat = np.stack([20 + 0.2 * y, y, x], axis=1)
    bent = np.stack([50 + 8 * np.sin(x / 40), y, x], axis=1)
    points = np.concatenate([flat, bent])
    slope = np.stack([np.ones_like(x), 0 * x, -0.2 * np.cos(x / 40)], axis=1)
    normals = np.concatenate([np.tile([1.0, -0.2, 0.0], (len(flat), 1)), slope])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    generator = np.random.default_rng(0)
    points = points + 0.3 * generator.normal(size=points.shape)

    found = find_vesicles(
        points, normals, np.ones(len(points)), diameter_vox=DIAMETER, shape_zyx=SHAPE
    )

    assert found == []


def test_points_anywhere_are_no_vesicle_and_few_are_none():
    assert find(clutter=4000) == []
    assert find(clutter=5) == []


def test_the_order_of_the_points_does_not_matter():
    surfaces = [
        sphere(np.array([34.2, 31.7, 36.1]), 22.0),
        tilted([35.5, 85.0, 70.3], (21, 25, 30)),
    ]
    first, second = find(*surfaces), find(*surfaces, order=7)

    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one.surface.centre, other.surface.centre, atol=1e-6)
        np.testing.assert_allclose(one.surface.shape, other.surface.shape, atol=1e-8)
        assert one.score == pytest.approx(other.score)


@pytest.mark.parametrize("z", [6.0, -7.0], ids=["through its middle", "beside it"])
def test_in_a_thin_tomogram_a_ring_of_a_vesicle_is_enough(z):
    """12 voxels thick, where a vesicle of 50 is never whole."""
    shape = (12, 133, 117)
    true = sphere(np.array([z, 61.0, 55.0]), 25.0)
    points = even_points(true, 2.0)
    points = points[((points > -0.5) & (points < np.array(shape) - 0.5)).all(axis=1)]
    noise = np.random.default_rng(1).normal(0, 0.3, points.shape)

    (found,) = find_vesicles(
        points + noise,
        true.normals(points),
        np.full(len(points), 0.8),
        diameter_vox=DIAMETER,
        shape_zyx=shape,
    )

    np.testing.assert_allclose(found.surface.centre, true.centre, atol=1.0)
    assert found.surface.radius == pytest.approx(25.0, abs=0.5)
    assert found.shell.completeness > 0.9
    assert found.shell.share < 0.6
