"""Vesicles marked by their membranes, as training and evaluation read them."""

import numpy as np
import pytest

from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.evaluation.evaluate import evaluate
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.training.dataset import read_annotated
from etpicker_plugin.tests.support.phantoms import write_tomogram

# Circles about x, y, z = 20, 18, 9 with a radius of 10, and 60, 30, 12 with one of 13.
CLICKED = """class,x,y,z,vesicle,radius
liposome,30,18,9,a,
liposome,20,28,9,a,
liposome,10,18,9,a,
liposome,60,30,12,,130
"""
PICKED = (
    "class,x,y,z,score,radius\nliposome,20,18,9,0.9,110\nliposome,60,30,12,0.8,130\n"
)


@pytest.fixture
def volume(tmp_path):
    write_tomogram(tmp_path / "TS.mrc", np.zeros((21, 49, 81), np.float32))
    return str(tmp_path / "TS.mrc")


def read(folder, volume, text):
    (folder / "TS.csv").write_text(text)
    return read_annotated(
        (volume,),
        (str(folder / "TS.csv"),),
        classes=["liposome"],
        kinds={"liposome": "vesicle"},
        annotation="complete",
        voxel_size=None,
        role="training",
    )


def test_training_reads_centres_and_radii(tmp_path, volume):
    (annotated,) = read(tmp_path, volume, CLICKED)

    found = annotated.particles
    np.testing.assert_allclose(found.positions_zyx, [[9, 18, 20], [12, 30, 60]])
    np.testing.assert_allclose(found.optional["radius"], [100, 130])


def test_a_fault_names_the_file(tmp_path, volume):
    few = "\n".join(CLICKED.splitlines()[:3])
    with pytest.raises(InputDataError, match=r"TS.csv: TS: vesicle 'a'.* needs 3"):
        read(tmp_path, volume, few)


def test_evaluation_reads_them_too(tmp_path):
    (tmp_path / "truth").mkdir()
    (tmp_path / "TS.csv").write_text(PICKED)
    (tmp_path / "truth/TS.csv").write_text(CLICKED)
    config = EvaluateConfig(
        picks=(str(tmp_path / "TS.csv"),),
        truth=(str(tmp_path / "truth/TS.csv"),),
        diameter={"liposome": 220.0},
        kind={"liposome": "vesicle"},
        voxel_size=10.0,
        out=str(tmp_path),
    )
    result = evaluate(config, tmp_path, on_progress=ignore_progress)

    numbers = result.classes["liposome"]
    assert numbers["f1"] == 1
    assert numbers["radius_error"] == pytest.approx(0.05)  # of 10 % and of none
