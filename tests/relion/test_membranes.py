"""The real RELION on boxes over a membrane: normals and priors of points on it."""

import mrcfile
import numpy as np
import pytest
import starfile

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.config.extract import ExtractConfig
from etpicker_plugin.engine.conversion.convert import convert
from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.relion.find import find_relion
from etpicker_plugin.engine.relion.plans import reconstruct
from etpicker_plugin.engine.relion.run import run_relion
from etpicker_plugin.engine.subtomograms.extract import extract
from etpicker_plugin.engine.volumes.tomogram import write_volume

try:
    RELION = find_relion()
except ExternalProgramError as error:
    pytest.skip(str(error), allow_module_level=True)

SHAPE, VOXEL_SIZE, BOX, SPIKE = (64, 70, 80), 10.0, 20, 6.0
CSV = """class,x,y,z,radius,radius_a,radius_b,radius_c,rot,tilt,psi
liposome,41,34,31,173.33,150,170,200,0,90,180
"""
"""Longest along x, and shortest along z."""


@pytest.fixture(scope="module")
def boxes(tmp_path_factory):
    """Boxes at points on a vesicle, off each of which a spike stands outward."""
    folder = tmp_path_factory.mktemp("membrane")
    (folder / "TS_01.csv").write_text(CSV)
    asked = ConvertConfig(
        input=(str(folder / "TS_01.csv"),),
        input_format="csv",
        output_format="csv",
        out=str(folder / "surface"),
        dimensions=SHAPE[::-1],
        voxel_size=VOXEL_SIZE,
        surface_step=80.0,
    )
    (folder / "surface").mkdir()
    (csv,) = convert(asked, folder / "surface", on_progress=ignore_progress)
    points = read_csv(csv, tomogram_id="TS_01")
    grid = np.moveaxis(np.indices(SHAPE), 0, -1).astype(float)
    level = np.linalg.norm((grid - [31, 34, 41]) / [15, 17, 20], axis=-1)
    volume = np.exp(-0.5 * ((level - 1) * 17 / 1.2) ** 2)
    outward = points.rotations[:, ::-1, 2]
    for place in points.positions_zyx + SPIKE * outward:
        volume += np.exp(-0.5 * ((grid - place) ** 2).sum(axis=-1) / 1.2**2)
    noise = np.random.default_rng(0).normal(0, 0.3, SHAPE)
    write_volume(folder / "TS_01.mrc", (noise - volume).astype(np.float32), VOXEL_SIZE)
    settings = ExtractConfig(
        coordinates=(str(csv),),
        tomogram=(str(folder / "TS_01.mrc"),),
        diameter={"liposome": 80.0},
        tilt_range=(-60.0, 60.0),
        box_size=BOX,
        out=str(folder / "boxes"),
    )
    (folder / "boxes").mkdir()
    extract(settings, folder / "boxes", on_progress=ignore_progress)
    return folder / "boxes"


def test_the_average_stands_on_the_membrane_along_z(boxes, tmp_path):
    plan = reconstruct("particles.star", str(tmp_path / "a.mrc"), voxel_size=VOXEL_SIZE)
    run_relion(plan, RELION, folder=boxes, log=tmp_path / "log")

    found = mrcfile.read(tmp_path / "a.mrc")
    middle = BOX // 2
    along = found[:, middle - 1 : middle + 2, middle - 1 : middle + 2].mean(axis=(1, 2))
    inside, spike = along[middle - 6], along[middle + 6]
    assert min(along[middle], spike) > 0.5
    assert inside < 0
    assert along.argmax() == middle
    assert along[middle + 3 :].argmax() + 3 == SPIKE
    assert spike > along[middle + 3 : middle + 5].min() + 0.5
    # The membrane goes on to the sides; the spike does not.
    beside = found[:, middle, middle + 5]
    assert beside[middle - 1 : middle + 1].max() > 0.5 * along[middle]
    assert beside[middle + 6] < 0.5 * spike


def test_the_table_has_the_priors_of_the_normal(boxes):
    table = starfile.read(boxes / "particles.star", always_dict=True)["particles"]

    assert len(table) > 30
    np.testing.assert_allclose(table["rlnAngleTiltPrior"], table["rlnAngleTilt"])
    np.testing.assert_allclose(table["rlnAnglePsiPrior"], table["rlnAnglePsi"])
    assert set(table["etpickerVesicle"]) == {"liposome_1"}
    assert not {"rlnHelicalTubeID", "rlnTomoManifoldIndex"} & set(table.columns)
