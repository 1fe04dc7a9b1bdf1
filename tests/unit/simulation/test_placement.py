"""Particles stand where the truth says, turned as it says, and never overlap."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.simulation.distractors import add_distractors
from etpicker_plugin.engine.simulation.placement import (
    empty_scene,
    place_species,
    turned_density,
)
from etpicker_plugin.engine.simulation.species import (
    BUILT_IN,
    Species,
    built_in_species,
)

SHAPE = (41, 63, 75)


def test_the_centroid_is_the_written_position():
    species = built_in_species("ribosome", 20.0)
    for seed in range(5):
        scene = empty_scene(SHAPE)
        (placed,) = place_species(
            scene, species, 1, generator=np.random.default_rng(seed)
        )
        centroid = np.array(ndimage.center_of_mass(scene.density))
        assert np.abs(centroid - placed.position_zyx).max() < 0.1


def test_the_quaternion_turns_the_map_into_the_tomogram():
    # One heavy voxel at the origin and a light one 6 voxels along the map's x.
    density = np.zeros((15, 15, 15), np.float32)
    density[7, 7, 7], density[7, 7, 13] = 1.0, 0.2
    species = Species(name="rod", density=density, diameter_ang=100.0)
    rotation = Rotation.from_euler("zyx", [90, 0, 0], degrees=True)

    box = turned_density(species, rotation, np.zeros(3))

    # x goes to y: the light voxel is 6 voxels above the heavy one along y (axis 1).
    heavy = np.array(np.unravel_index(box.argmax(), box.shape))
    box[tuple(heavy)] = 0
    weights = np.where(
        np.linalg.norm(np.indices(box.shape) - heavy[:, None, None, None], axis=0) > 3,
        box,
        0,
    )
    light = np.array(ndimage.center_of_mass(weights))
    assert np.abs(light - heavy - (0, 6, 0)).max() < 0.2


def test_nothing_overlaps_and_everything_is_inside():
    species = [built_in_species(n, 20.0) for n in ("ribosome", "ring")]
    scene = empty_scene(SHAPE)
    generator = np.random.default_rng(3)
    placed, occupied = [], 0
    for kind in species:
        for _ in range(6):
            before = scene.occupied.sum()
            found = place_species(scene, kind, 1, generator=generator)
            placed += found
            if found:
                occupied = scene.occupied.sum()
                body = (kind.density > 0.1).sum()
                # A body that overlapped another would add fewer voxels.
                assert 0.85 * body < occupied - before < 1.3 * body
    assert len(placed) > 8
    positions = np.array([p.position_zyx for p in placed])
    assert (positions > 2).all()
    assert (positions < np.array(SHAPE) - 3).all()


def test_a_full_volume_takes_no_more():
    scene = empty_scene((16, 18, 20))
    species = built_in_species("ribosome", 20.0)

    placed = place_species(scene, species, 10, generator=np.random.default_rng(0))

    assert len(placed) < 10


def test_distractors_claim_their_room():
    scene = empty_scene(SHAPE)
    add_distractors(
        scene,
        vesicles=1,
        filaments=1,
        gold=2,
        voxel_size=20.0,
        generator=np.random.default_rng(1),
    )

    assert scene.density.max() > 2.0  # gold
    assert scene.occupied[scene.density > 0.2].all()
    assert 0.005 < scene.occupied.mean() < 0.5


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_species_have_their_size_at_any_voxel_size(name):
    coarse, fine = (built_in_species(name, v) for v in (20.0, 10.0))

    assert abs(coarse.diameter_ang - fine.diameter_ang) < 30.0
    assert fine.density.max() == 1.0
    assert fine.density.min() == 0.0


def test_an_unknown_species_lists_the_known():
    with pytest.raises(ConfigError, match="ribosome, proteasome"):
        built_in_species("unicorn", 10.0)
