"""Maps of either sign, of any box and voxel size; and what is no map."""

import logging
import sys

import numpy as np
import pytest
from scipy import ndimage

from etpicker_plugin.engine.errors import InputDataError, ResourceError
from etpicker_plugin.engine.maps.density import read_density
from etpicker_plugin.engine.simulation.species import draw_ellipsoids
from etpicker_plugin.engine.volumes.tomogram import write_volume

VOXEL_SIZE = 5.0
LONGEST = 200.0
"""Å, twice the reach from the centre of mass: a body along z, with a knob towards +x at
its upper end."""

BODIES = [((0, 0, 0), (30, 25, 80)), ((40, 0, 60), (20, 20, 20))]


def draw_map(*, sign=1.0, solvent=0.0, noise=0.02):
    """Return the body far from the middle of a box that is no cube."""
    body = draw_ellipsoids(BODIES, VOXEL_SIZE)
    values = np.zeros((68, 62, 58), np.float32)
    values[12 : 12 + body.shape[0], 4 : 4 + body.shape[1], 3 : 3 + body.shape[2]] = body
    generator = np.random.default_rng(4)
    values += noise * generator.standard_normal(values.shape)
    return (solvent + sign * values).astype(np.float32)


def write_map(folder, values, voxel_size=VOXEL_SIZE):
    path = folder / "map.mrc"
    write_volume(path, values, voxel_size)
    return path


@pytest.mark.parametrize(("sign", "solvent"), [(1.0, 0.0), (-3.0, 7.5)])
def test_a_map_of_either_sign_is_the_same_particle(tmp_path, sign, solvent):
    path = write_map(tmp_path, draw_map(sign=sign, solvent=solvent))
    found = read_density("knobby", path, diameter_ang=LONGEST)
    assert found.was_dark == (sign < 0)
    assert found.voxel_size == VOXEL_SIZE
    assert found.extent_ang == pytest.approx(LONGEST, abs=15)
    species = found.species_at(10.0)
    assert species.density.max() == pytest.approx(1.0)
    assert species.density.min() >= 0.0
    # Longest along z, at half as many voxels; the knob is at high z and high x.
    extents = np.ptp(np.argwhere(species.density > 0.3), axis=0)
    assert extents[0] == pytest.approx(16, abs=2)
    assert extents[1] < extents[2] < extents[0]
    upper = species.density[int(species.centre_of_mass_zyx[0]) + 4 :]
    assert ndimage.center_of_mass(upper)[2] > species.centre_of_mass_zyx[2] + 0.5


def test_what_else_is_in_the_box_is_no_part_of_the_particle(tmp_path):
    values = draw_map()
    values[62:66, 56:60, 52:56] = 1.0
    found = read_density("a", write_map(tmp_path, values), diameter_ang=LONGEST)
    assert found.extent_ang == pytest.approx(LONGEST, abs=15)


def with_nan():
    values = draw_map()
    values[3, 4, 5] = np.nan
    return values


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (with_nan(), "NaN"),
        (np.full((20, 24, 28), 3.0, np.float32), "same value"),
        (
            np.random.default_rng(1).standard_normal((20, 24, 28)).astype(np.float32),
            "no particle stands out",
        ),
    ],
    ids=["NaN", "flat", "noise"],
)
def test_what_is_no_particle_is_refused(tmp_path, values, words):
    with pytest.raises(InputDataError, match=words):
        read_density("a", write_map(tmp_path, values), diameter_ang=LONGEST)


def test_a_map_without_voxel_size_and_what_is_no_map_are_refused(tmp_path):
    path = write_map(tmp_path, draw_map(), voxel_size=0.0)
    with pytest.raises(InputDataError, match="voxel size"):
        read_density("a", path, diameter_ang=LONGEST)
    text = tmp_path / "text.mrc"
    text.write_text("no map\n")
    with pytest.raises(InputDataError, match=r"text\.mrc"):
        read_density("a", text, diameter_ang=LONGEST)


def test_a_diameter_of_another_particle_is_refused_and_a_doubtful_one_told(
    tmp_path, caplog
):
    path = write_map(tmp_path, draw_map())
    with pytest.raises(InputDataError, match="--diameter says 16 Å"):
        read_density("a", path, diameter_ang=16)  # nm, or voxels
    with caplog.at_level(logging.WARNING):
        read_density("a", path, diameter_ang=1.8 * LONGEST)
    assert "Check the diameter" in caplog.text


PDB = "\n".join(
    f"ATOM  {i:5d}  CA  ALA A{i:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           C"
    for i, (x, y, z) in enumerate(
        np.random.default_rng(0).uniform(-1, 1, (800, 3)) * (15, 25, 60), 1
    )
)


def test_atoms_are_a_density_too(tmp_path):
    pytest.importorskip("gemmi")
    path = tmp_path / "model.pdb"
    path.write_text(PDB + "\nEND\n")
    found = read_density("a", path, diameter_ang=130)
    extents = np.ptp(np.argwhere(found.density > 0.3 * found.density.max()), axis=0)
    assert extents[0] > 1.5 * extents[1] > 1.5 * extents[2]
    assert found.extent_ang == pytest.approx(130, abs=30)


def test_what_atoms_need_is_said_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gemmi", None)
    path = tmp_path / "model.cif"
    path.write_text("data_x\n")
    with pytest.raises(ResourceError, match="pip install gemmi"):
        read_density("a", path, diameter_ang=130)


def test_the_same_map_is_known_whatever_its_grey_values(tmp_path):
    first, second, third = (tmp_path / name for name in "abc")
    for folder in (first, second, third):
        folder.mkdir()
    one = read_density("a", write_map(first, draw_map()), diameter_ang=LONGEST)
    values = draw_map(sign=-3.0, solvent=7.5)
    other = read_density("b", write_map(second, values), diameter_ang=LONGEST)
    turned = np.ascontiguousarray(draw_map()[::-1])
    third_map = read_density("c", write_map(third, turned), diameter_ang=LONGEST)
    assert one.is_same_as(other)
    assert not one.is_same_as(third_map)
