"""Points on membranes in RELION's tables, compared with numbers worked out by hand."""

import numpy as np
import pytest
import starfile

from etpicker_plugin.engine.formats.relion_star import read_star, write_star
from etpicker_plugin.engine.orientation import along_axes
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.hand_made import frame_of

POINTS = [[5.0, 6, 10], [5, 6, 13], [20, 30, 9]]
NORMALS_XYZ = np.array([[1.0, 0, 0], [0, 0.6, 0.8], [0, 0, -1]])
LIPOSOMES = ["liposome_2", "liposome_2", "liposome_1"]
GEOMETRY = [f"rlnTomoSubtomogram{a}" for a in ("Rot", "Tilt", "Psi")]
ANGLES = ["rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"]
PRIORS = ["rlnAngleTiltPrior", "rlnAnglePsiPrior"]


def membrane(**optional):
    made = {"vesicle": LIPOSOMES, "rotation": along_axes(NORMALS_XYZ), **optional}
    return make_particles("TS_01", POINTS, class_names="liposome", optional=made)


def written(folder, particles, version):
    write_star([(particles, frame_of(4))], folder / "a.star", version=version)
    return starfile.read(folder / "a.star", always_dict=True)["particles"]


def normal_of(rot, tilt, psi):
    """Return RELION's (-sin tilt cos psi, sin tilt sin psi, cos tilt)."""
    tilt, psi = np.radians(tilt), np.radians(psi)
    across = np.sin(tilt)
    return np.stack([-across * np.cos(psi), across * np.sin(psi), np.cos(tilt)], axis=1)


def test_before_relion_5_the_angles_are_the_normal(tmp_path):
    table = written(tmp_path, membrane(), "relion4")

    np.testing.assert_allclose(
        normal_of(*table[ANGLES].to_numpy().T), NORMALS_XYZ, atol=1e-6
    )
    np.testing.assert_allclose(table[PRIORS], table[ANGLES[1:]])
    assert table["rlnTomoManifoldIndex"].tolist() == [1, 1, 2]
    assert not [n for n in table.columns if "Helical" in n or n in GEOMETRY]


def test_in_relion_5_the_geometry_lies_across_it(tmp_path):
    """RELION turns the frame of a point by 90° about its y: x is then against z.

    With S that of the geometry and (0, 90, 0) for all, S Ry(-90) z = -S x.
    """
    table = written(tmp_path, membrane(), "relion5")

    np.testing.assert_array_equal(table[ANGLES], [[0, 90, 0]] * 3)
    np.testing.assert_array_equal(table[PRIORS], [[90, 0]] * 3)
    rot, tilt, psi = np.radians(table[GEOMETRY].to_numpy().T)
    x_axis = np.stack(  # the first column of Rz(-psi) Ry(-tilt) Rz(-rot)
        [
            np.cos(psi) * np.cos(tilt) * np.cos(rot) - np.sin(psi) * np.sin(rot),
            -np.sin(psi) * np.cos(tilt) * np.cos(rot) - np.cos(psi) * np.sin(rot),
            np.sin(tilt) * np.cos(rot),
        ],
        axis=1,
    )
    np.testing.assert_allclose(-x_axis, NORMALS_XYZ, atol=1e-6)


@pytest.mark.parametrize("version", ["relion3", "relion4", "relion5"])
def test_read_back(tmp_path, version):
    written(tmp_path, membrane(), version)

    (back,) = read_star(
        tmp_path / "a.star", frames={"TS_01": frame_of(4)}, version=version
    )

    np.testing.assert_allclose(back.positions_zyx, POINTS, atol=1e-4)
    np.testing.assert_allclose(back.rotations[:, :, 2], NORMALS_XYZ, atol=1e-6)
    assert back.optional["vesicle"].tolist() == LIPOSOMES


def test_vesicles_of_another_program(tmp_path):
    table = written(tmp_path, membrane(), "relion4")
    bare = table.drop(columns="etpickerVesicle")

    def names(rows):
        starfile.write({"particles": rows}, tmp_path / "b.star", overwrite=True)
        frames = {"TS_01": frame_of(4)}
        (back,) = read_star(tmp_path / "b.star", frames=frames, version="relion4")
        return back.optional.get("vesicle")

    assert names(bare).tolist() == ["1", "1", "2"]
    # Scipion numbers particles of any kind so.
    assert names(bare.drop(columns=PRIORS)) is None


def test_centres_of_vesicles_have_no_priors(tmp_path):
    table = written(tmp_path, membrane(radius=[300.0, 310, 290]), "relion5")

    assert not set(table.columns) & {*PRIORS, *GEOMETRY, "rlnTomoManifoldIndex"}
    assert table["etpickerRadius"].tolist() == [300, 310, 290]
