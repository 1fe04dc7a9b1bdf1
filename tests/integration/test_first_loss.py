"""Where shipped weights are learnt from, the first step stands near its goal."""

import numpy as np
import pytest

from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.training.train import train
from etpicker_plugin.engine.volumes.tomogram import write_volume
from etpicker_plugin.tests.support.phantoms import DIAMETERS, make_phantom, write_truth

SHAPES_ZYX = {"first": (41, 75, 93), "second": (45, 83, 71)}
COUNTS = {"large": 9, "small": 10}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two tomograms, negatives in one, each with a mask that leaves out y < 16."""
    folder = tmp_path_factory.mktemp("scenes")
    for seed, (name, shape) in enumerate(SHAPES_ZYX.items()):
        truth = make_phantom(folder / f"{name}.mrc", shape, COUNTS, seed=seed)
        if name == "second":
            truth += [("negative", 20.0, 40.0, 30.0), ("negative", 50.0, 60.0, 10.0)]
        write_truth(folder / f"{name}.csv", truth)
        mask = np.ones(shape, np.int8)
        mask[:, :16] = 0
        write_volume(folder / f"{name}_mask.mrc", mask, 10.0)
    return folder


class FirstStep(Exception):
    """Ends a training."""


def first_loss(data, out, **more):
    def listen(event):
        if event.stage == "training":
            raise FirstStep(event.values["loss"])

    config = TrainConfig(
        tomogram=tuple(str(data / f"{name}.mrc") for name in SHAPES_ZYX),
        coordinates=tuple(str(data / f"{name}.csv") for name in SHAPES_ZYX),
        mask=tuple(str(data / f"{name}_mask.mrc") for name in SHAPES_ZYX),
        diameter=DIAMETERS,
        out=str(out),
        working_voxel_size=7.0,
        steps=9,
        batch_size=4,
        patch_size=32,
        device="cpu",
        **more,
    )
    out.mkdir()
    with pytest.raises(FirstStep) as ended:
        train(config, out, on_progress=listen)
    return ended.value.args[0]


@pytest.mark.parametrize("annotation", ["sparse", "complete"])
def test_it_is_low_from_shipped_weights_alone(data, tmp_path, annotation):
    shipped = first_loss(data, tmp_path / "shipped", annotation=annotation)
    scratch = first_loss(
        data, tmp_path / "scratch", annotation=annotation, from_scratch=True
    )
    assert shipped < 4
    assert shipped < 0.6 * scratch
