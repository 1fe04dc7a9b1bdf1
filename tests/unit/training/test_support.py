"""Where labels are painted: centres, curves and membranes, in working voxels."""

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.kinds import FILAMENT, VESICLE
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.support import support_of
from etpicker_plugin.engine.volumes.tomogram import read_tomogram, write_volume
from etpicker_plugin.engine.volumes.working_volume import open_working_volume

SHAPE_ZYX, VOXEL_SIZE, WORKING = (24, 40, 60), 10.0, 20.0
SPECIES = (
    Species("particle", 200.0, 90.0),
    Species("tube", 100.0, 50.0, kind=FILAMENT),
    Species("sack", 300.0, 50.0, kind=VESICLE),
)


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    path = tmp_path_factory.mktemp("support") / "T.mrc"
    noise = np.random.default_rng(1).normal(size=SHAPE_ZYX).astype(np.float32)
    write_volume(path, noise, VOXEL_SIZE)
    return open_working_volume(read_tomogram(path), WORKING)


def marks(names, positions, **optional):
    return make_particles("T", positions, class_names=names, optional=optional)


def test_particles_are_their_centres(volume):
    # Twice the voxel size; the centre of voxel 0 stays where it is.
    found, channels, of_mark = support_of(
        marks(["particle", "other"], [(4, 8, 12), (1, 1, 1)]), volume, SPECIES
    )

    np.testing.assert_allclose(found, [(2, 4, 6)])
    assert channels.tolist() == [0]
    assert of_mark.tolist() == [0]


def test_a_filament_is_points_along_it(volume):
    # 41 voxels along x: 20.5 working voxels, so 11 points and a quarter at each end.
    found, channels, of_mark = support_of(
        marks(
            ["tube"] * 2 + ["particle"] * 2,
            [(6, 10, 4), (6, 10, 45), (2, 2, 2), (2, 2, 9)],
            filament=["a", "a", "", ""],
        ),
        volume,
        SPECIES,
    )

    tube = found[channels == 1]
    x = 2.25 + 2 * np.arange(11)
    np.testing.assert_allclose(tube, [(3, 5, value) for value in x], atol=1e-6)
    assert channels.tolist() == [0] * 2 + [1] * 11
    assert of_mark.tolist() == [0, 1] + [2] * 11


def test_a_vesicle_is_points_on_its_membrane_inside_the_volume(volume):
    # Radius 160 Å, 8 working voxels, about (6, 10, 3) working voxels; x < -0.5 is out.
    found, channels, of_mark = support_of(
        marks(["sack"], [(12, 20, 6)], radius=[160.0]), volume, SPECIES
    )

    np.testing.assert_allclose(np.linalg.norm(found - (6, 10, 3), axis=1), 8.0)
    assert (set(channels.tolist()), set(of_mark.tolist())) == ({2}, {0})
    assert found.min() >= -0.5
    assert (found < np.array(volume.shape_zyx) - 0.5).all()
    # A cap of height 4.5 (x) and one of 1.5 (z) are cut off the area of 16²π:
    # one point for 4 voxels².
    left = 4 * np.pi * 64 - 2 * np.pi * 8 * (4.5 + 1.5 + 2.5)
    assert len(found) == pytest.approx(left / 4, rel=0.12)


def test_without_a_radius_it_is_half_the_diameter(volume):
    found, *_ = support_of(marks(["sack"], [(12, 20, 30)]), volume, SPECIES)

    np.testing.assert_allclose(np.linalg.norm(found - (6, 10, 15), axis=1), 7.5)


def test_points_of_no_filament_are_refused(volume):
    with pytest.raises(InputDataError, match="2 of 2 points name no filament"):
        support_of(marks(["tube"] * 2, [(1, 1, 1), (1, 1, 9)]), volume, SPECIES)


def test_nothing_marked_is_no_points(volume):
    found, channels, of_mark = support_of(marks([], np.zeros((0, 3))), volume, SPECIES)

    assert (found.shape, channels.shape, of_mark.shape) == ((0, 3), (0,), (0,))


def test_half_axes_make_the_membrane_of_an_ellipsoid(volume):
    """R turns z to x and x to -z: half axes a, b and c lie along z, y and x."""
    turned = np.array([[[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]])
    found, _, _ = support_of(
        marks(
            ["sack"],
            [(12, 20, 30)],
            radius=[140.0],
            half_axes=[[100.0, 140, 180]],
            rotation=turned,
        ),
        volume,
        SPECIES,
    )

    own = (found - (6, 10, 15)) / (5, 7, 9)
    np.testing.assert_allclose(np.linalg.norm(own, axis=1), 1.0)
    assert len(found) > 100


def test_in_a_micrograph_a_vesicle_is_its_outline(tmp_path):
    """Centre (20, 30) and radius 150 Å: 7.5 working pixels about (10, 15)."""
    path = tmp_path / "M.mrc"
    noise = np.random.default_rng(1).normal(size=(1, 40, 60)).astype(np.float32)
    write_volume(path, noise, VOXEL_SIZE)
    micrograph = open_working_volume(read_tomogram(path), WORKING)
    given = marks(
        ["sack", "tube", "tube"],
        [(0, 20, 30), (0, 4, 6), (0, 4, 46)],
        radius=[150.0, np.nan, np.nan],
        filament=["", "a", "a"],
    )
    found, channels, of_mark = support_of(given, micrograph, SPECIES)

    rim, tube = found[channels == 2], found[channels == 1]
    assert (found[:, 0] == 0).all()
    np.testing.assert_allclose(np.hypot(*(rim[:, 1:] - (10, 15)).T), 7.5)
    assert len(rim) == 24  # 47 pixels around, two from point to point
    np.testing.assert_allclose(tube[:, 1], 2)
    assert len(tube) == 11
    assert len(set(of_mark)) == 2
