"""The real RELION on micrographs: a good picker, one half right, and a useless one."""

import json

import numpy as np
import pytest

from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.relion.find import find_relion
from etpicker_plugin.engine.simulation.simulate import simulate
from etpicker_plugin.engine.verdict.validate import validate

try:
    find_relion()
except ExternalProgramError as error:
    pytest.skip(str(error), allow_module_level=True)

SHAPE_XY, COUNT, NAMES = (860, 740), 45, ("sim_01", "sim_02")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Two micrographs of 20S proteasomes, and three pickers' picks of them."""
    folder = tmp_path_factory.mktemp("micrographs")
    config = SimulateConfig(
        out=str(folder),
        micrographs=2,
        shape=SHAPE_XY,
        pixel_size=4.0,
        species=("20S",),
        particles=COUNT,
        carbon=0.0,
        seed=3,
    )
    simulate(config, folder, on_progress=ignore_progress)
    generator = np.random.default_rng(8)
    for name in NAMES:
        truth = read_csv(folder / f"{name}.csv", tomogram_id=name, flat=True)
        yx = truth.positions_zyx[:, 1:]
        high = np.array(SHAPE_XY[::-1]) - 2
        near = np.clip(yx + generator.normal(0, 1.5, yx.shape), 1, high)
        random = generator.uniform(1, high, (2, COUNT, 2))
        half = np.concatenate([near[::2], random[0, ::2]])
        for picker, places in {
            "good": near,
            "half": half,
            "useless": random[1],
        }.items():
            (folder / picker).mkdir(exist_ok=True)
            rows = [f"20S,{x:.2f},{y:.2f}" for y, x in places]
            text = "\n".join(["class,x,y", *rows]) + "\n"
            (folder / picker / f"{name}.csv").write_text(text)
    return folder


def test_relion_tells_the_pickers_apart_and_goes_on(scene):
    out = scene / "verdict"
    out.mkdir()
    config = ValidateConfig(
        picks={name: str(scene / name) for name in ("useless", "half", "good")},
        tomogram=tuple(str(scene / f"{name}.mrc") for name in NAMES),
        diameter={"20S": 150.0},
        box_voxel_size=10.7,
        classes=6,
        iterations=8,
        resamples=300,
        out=str(out),
    )
    validate(config, out, on_progress=ignore_progress)
    record = json.loads((out / "verdict.json").read_text())
    assert record["ranking"][:2] == ["good", "half"]
    assert record["conclusive"], record["words"]
    shares = {
        name: numbers["share_in_classes_of_particles"]
        for name, numbers in record["sets"].items()
    }
    assert shares["good"] > 0.9
    assert 0.35 < shares["half"] < 0.7
    assert shares["useless"] < 0.2
    assert shares["control"] < 0.1
    found = [c for c in record["classes"] if c["is_of_particles"]]
    assert 1 <= len(found) <= 4
    assert all(c["resolution_ang"] < 40 for c in found)
    assert record["groups"]["useless only"]["share_in_classes_of_particles"] < 0.1

    # As if it had been stopped: RELION goes on from the last whole iteration.
    (out / "verdict.json").unlink()
    (out / "relion/logs/classify.done").unlink()
    for path in (out / "relion/classes").glob("run_it00[78]*"):
        path.unlink()
    kept = (out / "relion/classes/run_it006_data.star").stat().st_mtime_ns
    validate(config, out, on_progress=ignore_progress)
    again = json.loads((out / "verdict.json").read_text())
    assert again["ranking"][:2] == ["good", "half"]
    assert "--continue classes/run_it006_optimiser.star" in again["commands"][0]
    assert (out / "relion/classes/run_it006_data.star").stat().st_mtime_ns == kept
