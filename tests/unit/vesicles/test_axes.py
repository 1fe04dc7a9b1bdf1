"""Half axes and orientation of a vesicle, worked out by hand, in files and back."""

import numpy as np
import pytest

from etpicker_plugin.engine.columns import ROTATION
from etpicker_plugin.engine.formats.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.vesicles.axes import columns_of_surfaces, surfaces_of
from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid, sphere

CENTRE = np.array([21.25, 34.5, 60.125])
VOXEL_SIZE = 10.0

# Along z, y and x: half axes of 12, 10 and 15 voxels.
LYING = Ellipsoid(CENTRE, np.diag([1 / 12, 1 / 10, 1 / 15]))
# c along x, b along z, and so a along y: the columns of R on xyz.
LYING_R = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])


def tilted(degrees):
    """Return half axes 10, 12, 15, c turned from z towards x; a along y (zyx)."""
    s, c = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    axes_zyx = np.array([[0.0, -s, c], [1, 0, 0], [0, c, s]])  # a, b, c in columns
    return Ellipsoid(CENTRE, axes_zyx @ np.diag([1 / 10, 1 / 12, 1 / 15]) @ axes_zyx.T)


def picks_of(surfaces):
    made = columns_of_surfaces(surfaces, voxel_size=VOXEL_SIZE)
    centres = [s.centre for s in surfaces]
    return make_particles("TS", centres, class_names="liposome", optional=made)


def test_by_hand():
    made = picks_of([LYING])

    np.testing.assert_allclose(made.optional["radius"], [370 / 3])
    np.testing.assert_allclose(made.optional["half_axes"], [[100, 120, 150]])
    np.testing.assert_allclose(made.rotations, [LYING_R], atol=1e-12)


def test_the_longest_axis_is_along_z_of_the_orientation(tmp_path):
    write_csv(picks_of([tilted(30)]), tmp_path / "a.csv")
    header, row = (tmp_path / "a.csv").read_text().splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))

    # R z = (-sin tilt cos psi, sin tilt sin psi, cos tilt) is (sin 30, 0, cos 30).
    assert float(cells["tilt"]) == pytest.approx(30)
    assert abs(float(cells["psi"])) == pytest.approx(180)
    named = [cells[f"radius_{axis}"] for axis in "abc"]
    assert named == ["100.000", "120.000", "150.000"]


@pytest.mark.parametrize("surface", [LYING, tilted(30), tilted(-75), tilted(90)])
def test_back_from_a_file(tmp_path, surface):
    write_csv(picks_of([surface]), tmp_path / "a.csv")
    read = read_csv(tmp_path / "a.csv", tomogram_id="TS")

    (back,) = surfaces_of(read, read.optional["radius"], voxel_size=VOXEL_SIZE)

    np.testing.assert_allclose(back.centre, CENTRE, atol=6e-4)
    np.testing.assert_allclose(back.shape, surface.shape, atol=1e-6)
    assert np.linalg.det(read.rotations[0]) == pytest.approx(1)


def test_a_sphere_lies_in_no_direction():
    nearly = Ellipsoid(CENTRE, np.diag([1 / 30.4, 1 / 30, 1 / 29.6]))
    made = picks_of([nearly, LYING, sphere(CENTRE, 40.0)])

    known = np.isfinite(made.rotations).all(axis=(1, 2))
    assert known.tolist() == [False, True, False]
    np.testing.assert_allclose(made.optional["half_axes"][0], 300, atol=0.01)
    np.testing.assert_allclose(made.optional["half_axes"][2], 400)
    back = surfaces_of(made, made.optional["radius"], voxel_size=VOXEL_SIZE)
    np.testing.assert_allclose(back[0].half_axes, made.optional["radius"][0] / 10)


def test_a_radius_that_was_changed_keeps_the_form():
    made = picks_of([LYING]).having({"radius": [740 / 3]})

    (back,) = surfaces_of(made, made.optional["radius"], voxel_size=VOXEL_SIZE)

    np.testing.assert_allclose(back.half_axes, [20, 24, 30])


def test_a_radius_alone_is_a_sphere():
    bare = make_particles("TS", [CENTRE], optional={"radius": [250.0]})

    (back,) = surfaces_of(bare, bare.optional["radius"], voxel_size=VOXEL_SIZE)

    np.testing.assert_allclose(back.shape, np.eye(3) / 25)


def test_mirrored_with_the_tomogram():
    made = picks_of([tilted(30)])
    mirrored = made.having({"rotation": ROTATION.mirrored(made.rotations)})
    (back,) = surfaces_of(mirrored, made.optional["radius"], voxel_size=VOXEL_SIZE)

    np.testing.assert_allclose(back.shape, tilted(-30).shape, atol=1e-12)
