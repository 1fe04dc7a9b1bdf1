"""Filaments in RELION's tables, compared with numbers worked out by hand.

Voxels are of 10 Å. Filament "b" goes along x in steps of 3 and 4 voxels, "a" along z.
"""

from dataclasses import replace

import numpy as np
import pytest
import starfile

from etpicker_plugin.engine.formats.relion_star import read_star, write_star
from etpicker_plugin.engine.particles import join_particles, make_particles
from etpicker_plugin.tests.support.hand_made import frame_of

POINTS = [[5, 6, 10], [5, 6, 13], [20, 30, 9], [5, 6, 17], [22, 30, 9]]
IDS = ["b", "b", "a", "b", "a"]
ALONG_X = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])  # z axis to x, x axis to -z
ALONG_Z = np.eye(3)
TURNED = [ALONG_X, ALONG_X, ALONG_Z, ALONG_X, ALONG_Z]


def filaments(**optional):
    made = {"filament": IDS, "rotation": TURNED, **optional}
    return make_particles("TS_01", POINTS, class_names="mt", scores=0.5, optional=made)


def written(folder, particles, version):
    path = folder / "a.star"
    write_star([(particles, frame_of(4))], path, version=version)
    tables = starfile.read(path, always_dict=True)
    return path, tables["particles"]


def turn(angles_deg):
    """Return RELION's matrix of rot, tilt, psi: from reference to tomogram."""
    rot, tilt, psi = np.radians(np.asarray(angles_deg, float).T)

    def about(axis, angle):
        c, s, o = np.cos(angle), np.sin(angle), 0 * angle
        rows = [[c, s, o], [-s, c, o], [o, o, o + 1]]
        if axis == "y":
            rows = [[c, o, -s], [o, o + 1, o], [s, o, c]]
        return np.moveaxis(np.array(rows), -1, 0)

    return about("z", psi) @ about("y", tilt) @ about("z", rot)


@pytest.mark.parametrize("version", ["relion3", "relion4", "relion5"])
def test_tubes_and_the_length_along_them(tmp_path, version):
    _, table = written(tmp_path, filaments(), version)
    assert table["rlnHelicalTubeID"].tolist() == [1, 1, 2, 1, 2]
    np.testing.assert_allclose(table["rlnHelicalTrackLengthAngst"], [0, 30, 0, 70, 20])
    assert set(table["rlnAnglePsiFlipRatio"]) == {0.5}


def test_a_known_way_is_not_to_be_flipped(tmp_path):
    told = filaments().having({"polarity": [0.999, 0.999, np.nan, 0.999, np.nan]})
    _, table = written(tmp_path, told, "relion5")
    assert table["rlnAnglePsiFlipRatio"].tolist() == [0, 0, 0.5, 0, 0.5]


def angles_of(table, *names):
    return table[list(names)].to_numpy()


ANGLES = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")
GEOMETRY = tuple(f"rlnTomoSubtomogram{a}" for a in ("Rot", "Tilt", "Psi"))
PRIORS = ("rlnAngleTiltPrior", "rlnAnglePsiPrior")


@pytest.mark.parametrize("version", ["relion3", "relion4"])
def test_before_relion_5_priors_are_the_angles(tmp_path, version):
    _, table = written(tmp_path, filaments(), version)
    np.testing.assert_allclose(turn(angles_of(table, *ANGLES)), TURNED, atol=1e-6)
    np.testing.assert_array_equal(
        angles_of(table, *PRIORS), angles_of(table, *ANGLES[1:])
    )
    np.testing.assert_allclose(table["rlnAngleTiltPrior"], [90, 90, 0, 90, 0])
    assert not set(GEOMETRY) & set(table.columns)


def test_in_relion_5_the_geometry_is_the_subtomogram_s(tmp_path):
    _, table = written(tmp_path, filaments(), "relion5")
    np.testing.assert_array_equal(angles_of(table, *ANGLES), [[0, 90, 0]] * 5)
    np.testing.assert_array_equal(angles_of(table, *PRIORS), [[90, 0]] * 5)
    together = turn(angles_of(table, *GEOMETRY)) @ turn(angles_of(table, *ANGLES))
    np.testing.assert_allclose(together, TURNED, atol=1e-6)


@pytest.mark.parametrize("version", ["relion3", "relion4", "relion5"])
def test_read_back_in_order_whatever_the_order_of_the_rows(tmp_path, version):
    path, table = written(tmp_path, filaments(), version)
    found = read_star(path, frames={"TS_01": frame_of(4)}, version=version)[0]
    order = [0, 1, 3, 2, 4]
    np.testing.assert_allclose(found.positions_zyx, np.array(POINTS)[order], atol=1e-4)
    assert found.optional["filament"].tolist() == ["b", "b", "b", "a", "a"]
    np.testing.assert_allclose(found.rotations, np.array(TURNED)[order], atol=1e-6)

    shuffled = table.drop(columns="etpickerFilament").iloc[[4, 3, 2, 1, 0]]
    tables = {"particles": shuffled}
    if version == "relion3":
        tables["optics"] = starfile.read(path)["optics"]
    starfile.write(tables, tmp_path / "theirs.star")
    theirs = read_star(
        tmp_path / "theirs.star", frames={"TS_01": frame_of(4)}, version=version
    )[0]
    np.testing.assert_allclose(theirs.positions_zyx, found.positions_zyx, atol=1e-4)
    assert theirs.optional["filament"].tolist() == ["1", "1", "1", "2", "2"]


def test_points_without_orientation_have_no_priors(tmp_path):
    _, table = written(tmp_path, filaments(rotation=None), "relion5")
    assert "rlnHelicalTubeID" in table.columns
    assert not {*ANGLES, *GEOMETRY, *PRIORS} & set(table.columns)


def test_beside_particles_there_are_no_helical_columns(tmp_path, caplog):
    ribosome = make_particles("TS_01", [[1, 2, 3]], class_names="ribosome")
    caplog.set_level("INFO")
    mixed = join_particles("TS_01", [filaments(), ribosome])
    _, table = written(tmp_path, mixed, "relion5")
    assert not [n for n in table.columns if "Helical" in n or "Prior" in n]
    assert "5 of 6 particles lie on filaments" in caplog.text
    _, table = written(tmp_path, ribosome, "relion5")
    assert not [n for n in table.columns if "Helical" in n]


@pytest.mark.parametrize("version", ["relion3", "relion5"])
def test_one_id_in_two_tomograms_is_two_filaments(tmp_path, version):
    """RELION tells tubes by tomogram and number."""
    first, other = frame_of(4), replace(frame_of(4), tomogram_id="TS_02")
    second = replace(filaments(), tomogram_id="TS_02").select(np.array([2, 4]))
    path = tmp_path / "a.star"
    write_star([(filaments(), first), (second, other)], path, version=version)

    table = starfile.read(path, always_dict=True)["particles"]
    assert table["rlnHelicalTubeID"].tolist() == [1, 1, 2, 1, 2, 1, 1]
    np.testing.assert_allclose(
        table["rlnHelicalTrackLengthAngst"], [0, 30, 0, 70, 20, 0, 20]
    )
    frames = {"TS_01": first, "TS_02": other}
    found = read_star(path, frames=frames, version=version)
    assert [len(p) for p in found] == [5, 2]
    np.testing.assert_allclose(found[1].positions_zyx[:, 0], [20, 22], atol=1e-4)
