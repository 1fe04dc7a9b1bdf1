"""Vesicles are painted where their truth says: two leaflets about centre and axes."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.simulation.placement import empty_scene
from etpicker_plugin.engine.simulation.vesicles import (
    LEAST_INSIDE,
    RADII_ANG,
    ellipsoid_depth,
    place_vesicles,
)
from etpicker_plugin.engine.vesicles.marks import sphere_directions

SHAPE = (61, 103, 127)
VOXEL = 10.0


def place(count, *, seed=0, scene=None):
    scene = scene or empty_scene(SHAPE)
    placed = place_vesicles(
        scene,
        "liposome",
        count,
        voxel_size=VOXEL,
        generator=np.random.default_rng(seed),
    )
    return scene, placed


def membrane(vesicle):
    """Return points on the middle of a membrane and the outward normals, zyx."""
    unit = sphere_directions(3000)
    surface = vesicle.rotation.apply(vesicle.half_axes_ang * unit)[:, ::-1]
    normal = vesicle.rotation.apply(unit / vesicle.half_axes_ang)[:, ::-1]
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    points = vesicle.centre_zyx + surface / VOXEL
    inside = ((points > 4) & (points < np.array(SHAPE) - 5)).all(axis=1)
    return points[inside], normal[inside]


def test_depth_is_the_distance_along_the_axes():
    turn = Rotation.from_euler("zyx", [30, 50, 70], degrees=True)
    axes = np.array([20.0, 25.0, 31.0])
    own = np.array([[23.0, 0, 0], [0, 21, 0], [0, 0, 31]])

    depth = ellipsoid_depth(turn.apply(own), axes, turn)

    np.testing.assert_allclose(depth, [3, -4, 0], atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_leaflets_stand_about_the_middle_of_the_membrane(seed):
    scene, (vesicle,) = place(1, seed=seed)
    points, normals = membrane(vesicle)

    at = {
        d: ndimage.map_coordinates(
            scene.density, (points + normals * d / VOXEL).T, order=1
        ).mean()
        for d in (-60, -18, 0, 18, 60)
    }

    assert min(at[-18], at[18]) > 1.5 * at[0] > 0
    assert at[-18] == pytest.approx(at[18], rel=0.05)
    assert max(at[-60], at[60]) < 0.05 * at[18]


def test_what_the_record_says():
    for seed in range(4):
        _, (vesicle,) = place(1, seed=seed)
        assert vesicle.radius_ang == pytest.approx(vesicle.half_axes_ang.mean())
        assert RADII_ANG[0] * 0.8 < vesicle.radius_ang < RADII_ANG[1] * 1.2
        assert (vesicle.centre_zyx >= -0.5).all()
        assert (vesicle.centre_zyx <= np.array(SHAPE) - 0.5).all()
        assert LEAST_INSIDE <= vesicle.share_inside <= 1


def test_membranes_do_not_cross():
    scene, count = empty_scene(SHAPE), 0
    for seed in range(6):
        before, density = scene.occupied.copy(), scene.density.copy()
        count += len(place(1, seed=seed, scene=scene)[1])
        body = (scene.density > density) & (scene.density > 0.12)
        assert not (body & before).any()
    assert count > 2


def test_a_full_volume_takes_none():
    scene = empty_scene(SHAPE)
    scene.occupied[:] = True

    assert place(2, scene=scene)[1] == []
    assert scene.density.max() == 0
