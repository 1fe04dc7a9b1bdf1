"""A surface near a planted membrane comes to its middle; elsewhere it stays."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid, sphere
from etpicker_plugin.engine.vesicles.refine import refine_on_volume
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume
from etpicker_plugin.tests.support.planted import missing_wedge_of

SHAPE = (57, 71, 83)
TURN = Rotation.from_euler("zyx", [25, -40, 70], degrees=True).as_matrix()


def true_surface(centre=(27.3, 34.1, 42.7), half_axes=(19.0, 21.0, 24.0)):
    return Ellipsoid(np.array(centre), TURN @ np.diag(1 / np.array(half_axes)) @ TURN.T)


def volume_of(surface, *, noise=0.0, contrast=-1.0, wedge=False, seed=0):
    """Return two leaflets 3.6 voxels apart, in noise, as a tomogram of 10 Å."""
    grid = np.moveaxis(np.indices(SHAPE), 0, -1).reshape(-1, 3)
    depth = surface.depths(grid.astype(float)).reshape(SHAPE)
    density = sum(np.exp(-0.5 * ((depth - side) / 0.8) ** 2) for side in (-1.8, 1.8))
    density = density + noise * np.random.default_rng(seed).normal(size=SHAPE)
    if wedge:
        density = missing_wedge_of(density)
    return ArrayVolume((contrast * density).astype(np.float16))


def near(true, *, centre=(1.0, -1.2, 0.8), grown=1.04):
    return sphere(true.centre + np.array(centre), true.radius * grown)


@pytest.mark.parametrize("contrast", [-1.0, 1.0])
def test_a_surface_comes_to_the_middle_between_the_leaflets(contrast):
    true = true_surface()
    refined = refine_on_volume(
        near(true), volume_of(true, noise=0.5, contrast=contrast), voxel_size=10.0
    )

    assert np.linalg.norm(refined.centre - true.centre) < 0.2
    np.testing.assert_allclose(refined.half_axes, true.half_axes, atol=0.5)


@pytest.mark.parametrize(
    ("centre", "off", "grown"),
    [((27.3, 34.1, 42.7), 0.5, 0.01), ((27.3, 8.0, 42.7), 1.2, 0.03)],
    ids=["whole", "cut by a face"],
)
def test_in_the_missing_wedge_and_at_a_face_too(centre, off, grown):
    true = true_surface(centre=centre, half_axes=(21.0, 21.0, 21.0))
    refined = refine_on_volume(
        near(true), volume_of(true, noise=1.0, wedge=True), voxel_size=10.0
    )

    assert np.linalg.norm(refined.centre - true.centre) < off
    assert refined.radius == pytest.approx(21.0, rel=grown)


def test_where_there_is_no_membrane_it_stays():
    noise = np.random.default_rng(3).normal(size=SHAPE).astype(np.float16)
    start = sphere(np.array([27.0, 34.0, 42.0]), 20.0)

    refined = refine_on_volume(start, ArrayVolume(noise), voxel_size=10.0)

    np.testing.assert_array_equal(refined.centre, start.centre)
    np.testing.assert_array_equal(refined.shape, start.shape)


def test_hardly_anything_in_the_volume_stays():
    start = sphere(np.array([-18.5, 34.0, 42.0]), 20.0)
    volume = volume_of(start)

    assert refine_on_volume(start, volume, voxel_size=10.0) is start
