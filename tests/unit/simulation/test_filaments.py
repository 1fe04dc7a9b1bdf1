"""Filaments are painted where their truth says, hollow or solid, and claim room."""

import numpy as np
import pytest
from scipy import ndimage

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.simulation.filaments import (
    FILAMENTS,
    filament_species,
    place_filaments,
)
from etpicker_plugin.engine.simulation.placement import empty_scene

SHAPE = (61, 103, 127)
VOXEL = 10.0


def place(name, count=1, *, seed=0, scene=None):
    scene = scene or empty_scene(SHAPE)
    placed = place_filaments(
        scene,
        FILAMENTS[name],
        count,
        voxel_size=VOXEL,
        generator=np.random.default_rng(seed),
    )
    return scene, placed


def profile_about(scene, filament, radii):
    """Return the mean density at distances (Å) from the inner points of a filament."""
    points = filament.points_zyx[3:-3]
    tangents = np.gradient(filament.points_zyx, axis=0)[3:-3]
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    across = np.cross(tangents, [0.31, 0.47, 0.83])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    other = np.cross(tangents, across)
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    ring = across[:, None] * np.cos(angles)[:, None] + (
        other[:, None] * np.sin(angles)[:, None]
    )
    return [
        ndimage.map_coordinates(
            scene.density,
            (points[:, None] + ring * r / VOXEL).reshape(-1, 3).T,
            order=1,
        ).mean()
        for r in radii
    ]


def long_one(name):
    """Return a scene with one filament that is long enough to measure."""
    for seed in range(20):
        scene, (filament,) = place(name, seed=seed)
        margin = np.minimum(
            filament.points_zyx, np.array(SHAPE) - 1 - filament.points_zyx
        )
        if len(filament.points_zyx) > 12 and margin[3:-3].min() > 13:
            return scene, filament
    raise AssertionError("none of them is long")


def test_a_microtubule_is_a_hollow_wall():
    scene, filament = long_one("mt")

    lumen, wall, outside = profile_about(scene, filament, (40.0, 108.0, 160.0))

    assert wall > 0.3
    assert lumen < 0.05 * wall
    assert outside < 0.05 * wall


def test_actin_is_dense_on_its_axis_and_thin():
    scene, filament = long_one("actin")

    axis, edge, outside = profile_about(scene, filament, (5.0, 30.0, 60.0))

    assert axis > 0.25
    assert 0.2 * axis < edge < axis
    assert outside < 0.1 * axis


@pytest.mark.parametrize("name", FILAMENTS)
def test_the_truth_is_ordered_equidistant_and_inside(name):
    scene, placed = place(name, 3, seed=5)

    assert [f.identifier for f in placed] == [f"{name}_{k}" for k in (1, 2, 3)]
    for filament in placed:
        steps = np.linalg.norm(np.diff(filament.points_zyx, axis=0), axis=1)
        np.testing.assert_allclose(steps * VOXEL, 50.0, rtol=2e-3)
        assert filament.length_ang == pytest.approx(steps.sum() * VOXEL)
        assert filament.length_ang >= 250.0
        assert (filament.points_zyx >= -0.5).all()
        assert (filament.points_zyx <= np.array(SHAPE) - 0.5).all()
        # The lumen is taken too: nothing is placed inside.
        index = np.clip(
            np.round(filament.points_zyx).astype(int), 0, np.array(SHAPE) - 1
        )
        assert scene.occupied[tuple(index.T)].all()


def test_filaments_do_not_cross():
    scene, occupied = empty_scene(SHAPE), 0
    for seed in range(4):
        before = scene.occupied.copy()
        density = scene.density.copy()
        _, placed = place("mt", seed=seed, scene=scene)
        if placed:
            changed = scene.density > density
            body = changed & (scene.density > 0.2)
            assert not (body & before).any()
            occupied += 1
    assert occupied > 1


def test_a_full_volume_takes_none():
    scene = empty_scene(SHAPE)
    scene.occupied[:] = True

    assert place("actin", 2, scene=scene)[1] == []
    assert scene.density.max() == 0


def test_an_unknown_filament_lists_the_known():
    with pytest.raises(ConfigError, match="mt, actin, arrowheads"):
        filament_species("unicorn")
