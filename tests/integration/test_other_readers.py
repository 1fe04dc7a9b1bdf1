"""copick, dynamotable, starfile and imodmodel agree with us.

They need another NumPy than Scipion pins, so they live in an environment of their own:
``make readers``, or ETPICKER_READERS names a Python that has them.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.conversion.convert import convert
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.formats.imod_points import read_imod
from etpicker_plugin.engine.orientation import from_relion_angles
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.tests.support.hand_made import FRAME

ROOT = Path(__file__).parents[2]
READERS = Path(os.environ.get("ETPICKER_READERS", ROOT / ".venv-readers/bin/python"))
WRITTEN = ("relion4", "relion5", "warp", "dynamo", "copick")

pytestmark = pytest.mark.skipif(
    not READERS.is_file(), reason="no environment with other readers: make readers"
)


def drawn_particles():
    generator = np.random.default_rng(0)
    return make_particles(
        "TS_01",
        generator.uniform(-0.5, np.array([33, 57, 41]) - 0.5, (50, 3)),
        class_names=["ribosome"] * 30 + ["ring"] * 20,
        scores=generator.uniform(0.1, 1, 50),
        rotations=from_relion_angles(generator.uniform(-180, 180, (50, 3))),
    )


CURVES = make_particles(
    "TS_01",
    [[7, 50, 12.25], [20, 3, 30], [5, 6, 7], [5, 6, 9], [8, 9, 1], [8, 9.5, 2]],
    class_names=["liposome", "liposome", *["mt"] * 4],
    optional={
        "radius": [75.0, 120.0, *[np.nan] * 4],
        "vesicle": ["l_1", "l_2", *[""] * 4],
        "filament": ["", "", "b", "b", "a", "a"],
    },
)


def converted(folder, target, source, *, name="", **more):
    out = folder / (name or target)
    out.mkdir()
    config = ConvertConfig(
        input=(str(source),),
        input_format="csv",
        output_format=target,
        out=str(out),
        dimensions=(41, 57, 33),
        voxel_size=10.0,
        binning=4.0,
        **more,
    )
    convert(config, out, on_progress=ignore_progress)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Write every format; return the folder and what the other readers find."""
    folder = tmp_path_factory.mktemp("exchange")
    write_csv(drawn_particles(), folder / "TS_01.csv")
    for target in WRITTEN:
        converted(folder, target, folder / "TS_01.csv")
    curves = folder / "curves"
    for name, particles in (
        ("all", CURVES),
        ("vesicles", CURVES.of_class("liposome")),
    ):
        (curves / name).mkdir(parents=True)
        write_csv(particles, curves / name / "TS_01.csv")
    for target in ("dynamo", "imod-model"):
        converted(curves, target, curves / "all" / "TS_01.csv")
    vesicles = curves / "vesicles" / "TS_01.csv"
    converted(curves, "relion5-spheres", vesicles)
    converted(curves, "relion5", vesicles, name="membrane", surface_step=40.0)
    script = Path(__file__).parents[1] / "support" / "other_readers.py"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [READERS, script, folder], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads((folder / "found.json").read_text())


@pytest.mark.parametrize("target", WRITTEN)
def test_positions_and_orientations(found, target):
    wanted = drawn_particles()
    read = found[1][target]

    distances = np.array(read["positions"]) - wanted.positions_zyx[:, ::-1]
    assert np.abs(distances).max() < 0.01
    np.testing.assert_allclose(read["rotations"], wanted.rotations, atol=1e-4)


@pytest.mark.parametrize("target", ["dynamo", "copick"])
def test_scores(found, target):
    scores = found[1][target]["scores"]

    np.testing.assert_allclose(scores, drawn_particles().scores, rtol=1e-5)


def test_dynamo_s_classes_and_tomogram(found):
    assert found[1]["dynamo"]["classes"] == [1] * 30 + [2] * 20
    assert found[1]["dynamo"]["tomograms"] == ["TS_01.mrc"]


def test_a_model_that_imodmodel_wrote(found):
    folder, read = found

    particles = read_imod(folder / "TS_01.mod", frame=FRAME)

    assert read["imod"]["positions"] == [[12.75, 50.5, 7.0], [30.5, 3.5, 20.0]]
    assert particles.positions_zyx.tolist() == [[7, 50, 12.25], [20, 3, 30]]
    assert particles.class_names.tolist() == ["particle", "class_2"]


def test_dynamo_s_regions_are_filaments_and_vesicles(found):
    assert found[1]["curves"]["regions"] == [1, 2, 3, 3, 4, 4]
    assert found[1]["curves"]["annotations"] == [1, 2, 3, 3, 4, 4]


def test_a_model_that_imodmodel_reads(found):
    """Voxel i is centred at i + 0.5 in x and y, at i in z; ids count from 0 there."""
    read = found[1]["curves"]

    assert read["imod_objects"] == ["liposome", "mt"]
    assert read["imod_open"] == [False, True]
    assert read["imod_pixel_size"] == [10, -10]
    np.testing.assert_allclose(
        read["imod"],
        [
            *([0, 0, 12.75, 50.5, 7], [0, 0, 30.5, 3.5, 20]),
            *([1, 0, 7.5, 6.5, 5], [1, 0, 9.5, 6.5, 5]),
            *([1, 1, 1.5, 9.5, 8], [1, 1, 2.5, 10, 8]),
        ],
        atol=1e-5,
    )


def test_relion_s_spheres_have_radii_in_voxels(found):
    assert found[1]["curves"]["sphere_radii"] == [7.5, 12]


def test_points_on_membranes_of_relion_5_in_copick(found):
    read = found[1]["curves"]["membrane"]

    z_axes = np.array(read["rotations"])[:, :, 2]
    rows = np.array(read["positions"])
    sizes = {tuple(c): r / 10 for c, r in (((12.25, 50, 7), 75), ((30, 3, 20), 120))}
    for centre, radius in sizes.items():
        outward = rows - centre
        own = np.abs(np.linalg.norm(outward, axis=1) - radius) < 0.01
        assert own.sum() > 20
        np.testing.assert_allclose(z_axes[own], outward[own] / radius, atol=1.5e-3)
    assert len(rows) < round(4 * np.pi * (75**2 + 120**2) / 40**2)  # faces cut both
