"""Filaments and vesicles of micrographs through the commands, from EPicker's labels."""

import csv
import json
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import starfile

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.conversion.convert import convert
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.evaluation.evaluate import evaluate
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.picking.pick import pick
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.training.train import train
from etpicker_plugin.engine.update.update import update
from etpicker_plugin.tests.support.micrographs import make_curved_micrograph

DIAMETERS = {"mt": 250.0, "liposome": 540.0}
KINDS = {"mt": "filament", "liposome": "vesicle"}
HOW = {"device": "cpu", "threads": 1}
SHAPES = {"mic_a": (301, 389), "mic_b": (263, 351), "mic_c": (279, 333)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three micrographs of odd sizes."""
    made = tmp_path_factory.mktemp("curved")
    for seed, (name, shape) in enumerate(SHAPES.items()):
        make_curved_micrograph(made / f"{name}.mrc", shape, seed=seed)
    return made


@pytest.fixture(scope="module")
def model(folder):
    """A model that learnt the first two, for some seconds."""
    config = TrainConfig(
        tomogram=tuple(str(folder / f"{n}.mrc") for n in ("mic_a", "mic_b")),
        coordinates=tuple(str(folder / f"{n}.csv") for n in ("mic_a", "mic_b")),
        diameter=DIAMETERS,
        kind=KINDS,
        annotation="complete",
        steps=30,
        patch_size=64,
        out=str(folder / "model"),
        **HOW,
    )
    return train(config, made(folder / "model"), on_progress=ignore_progress)


def made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def run_pick(model, path, out, **more):
    config = PickConfig(
        model=str(model), tomogram=(str(path),), out=str(out), **HOW, **more
    )
    return pick(config, made(out), on_progress=ignore_progress)[Path(path).stem]


def score(picks, truth, out):
    config = EvaluateConfig(
        picks=(str(picks),),
        truth=(str(truth),),
        diameter=DIAMETERS,
        kind=KINDS,
        voxel_size=10.0,
        out=str(out),
    )
    evaluate(config, made(out), on_progress=ignore_progress)
    return json.loads((out / "metrics.json").read_text())["classes"]


def test_curves_and_circles_are_found_where_they_are(folder, model, tmp_path):
    asked = {"surface_step": {"liposome": 50.0}, "instance_masks": True}
    picks = run_pick(model, folder / "mic_c.mrc", tmp_path / "picks", **asked)

    assert (picks.positions_zyx[:, 0] == 0).all()
    header = (tmp_path / "picks/mic_c.csv").read_text().split("\n")[0]
    assert header.startswith("class,x,y,score,")
    assert not (tmp_path / "picks/surface/mic_c.star").exists()  # of subtomograms
    segments = starfile.read(tmp_path / "picks/mic_c_mt_autopick.star")
    mt = picks.of_class("mt").positions_zyx
    np.testing.assert_allclose(segments["rlnCoordinateX"], mt[:, 2], atol=1e-3)
    turned = segments[segments["rlnHelicalTubeID"] == 1]["rlnAnglePsiPrior"]
    way = np.gradient(mt[: len(turned)], axis=0)
    psi = -np.degrees(np.arctan2(way[:, 1], way[:, 2]))
    np.testing.assert_allclose(turned, psi, atol=3)
    found = score(tmp_path / "picks/mic_c.csv", folder / "mic_c.csv", tmp_path / "s")
    assert found["mt"]["recall_length"] > 0.85
    assert found["mt"]["precision_length"] > 0.85
    assert found["mt"]["filament_f1"] == 1  # straight on where they cross
    assert found["mt"]["mean_distance_ang"] < 15
    assert found["liposome"]["f1"] == 1
    assert found["liposome"]["centre_error_ang"] < 10
    assert found["liposome"]["radius_error"] < 0.03

    rim = read_csv(tmp_path / "picks/surface/mic_c.csv", tomogram_id="mic_c", flat=True)
    liposome = picks.of_class("liposome")
    away = rim.positions_zyx[:, None] - liposome.positions_zyx
    nearest = np.linalg.norm(away, axis=2).min(axis=1)
    assert 20 < nearest.min() <= nearest.max() < 40
    with mrcfile.open(tmp_path / "picks/mic_c_instances.mrc") as mask:
        labels = mask.data.reshape(SHAPES["mic_c"])
        inside = labels[tuple(np.rint(liposome.positions_zyx[:, 1:]).astype(int).T)]
    assert inside.tolist() == [1, 2, 3]

    twist = {"filament_rise": {"mt": 82.0}, "filament_twist": {"mt": 1.0}}
    with pytest.raises(ConfigError, match="does not show how a filament is turned"):
        run_pick(model, folder / "mic_c.mrc", tmp_path / "twisted", **twist)


def test_what_was_learnt_goes_on_in_an_update(folder, model, tmp_path):
    config = UpdateConfig(
        model=str(model),
        tomogram=(str(folder / "mic_c.mrc"),),
        coordinates=(str(folder / "mic_c.csv"),),
        annotation="complete",
        steps=6,
        out=str(tmp_path),
        **HOW,
    )
    updated = update(config, tmp_path, on_progress=ignore_progress)

    run_pick(updated, folder / "mic_b.mrc", tmp_path / "picks")
    found = score(tmp_path / "picks/mic_b.csv", folder / "mic_b.csv", tmp_path / "s")
    assert found["mt"]["recall_length"] > 0.8
    assert found["liposome"]["recall"] > 0.6


def test_epickers_labels_are_learnt_at_once_and_picks_written_as_such(folder, tmp_path):
    """Whole pixels, a file for each kind, as EPicker has them."""
    rows = list(csv.DictReader((folder / "mic_a.csv").open()))
    fibres = [r for r in rows if r["class"] == "mt"]
    lines = [
        f"{float(r['x']):.0f} {float(r['y']):.0f} {r['filament'][3:]} 1" for r in fibres
    ]
    thi = made(tmp_path / "thi") / "mic_a.thi"
    thi.write_text("\n".join(["[Helix Coordinates: X Y Group Value]", *lines, "[End]"]))
    given = {"tomogram": (str(folder / "mic_a.mrc"),), "class_name": ("mt",)}
    run_convert(thi, "epicker", "csv", made(tmp_path / "marks"), **given)
    config = TrainConfig(
        tomogram=(str(folder / "mic_a.mrc"),),
        coordinates=(str(tmp_path / "marks/mic_a.csv"),),
        diameter={"mt": 250.0},
        kind={"mt": "filament"},
        instant=True,
        out=str(tmp_path / "model"),
        **HOW,
    )
    instant = train(config, made(tmp_path / "model"), on_progress=ignore_progress)
    picks = run_pick(instant, folder / "mic_b.mrc", tmp_path / "picks")

    given["tomogram"] = (str(folder / "mic_b.mrc"),)
    csv_path = tmp_path / "picks/mic_b.csv"
    run_convert(csv_path, "csv", "epicker", made(tmp_path / "written"), **given)
    found = score(csv_path, folder / "mic_b.csv", tmp_path / "s")
    assert found["mt"]["recall_length"] > 0.8
    written = (tmp_path / "written/mic_b.thi").read_text().split("\n")
    assert written[0] == "[Helix Coordinates: X Y Group Value]"
    assert len(written) == len(picks) + 3


def test_fibres_without_groups_are_explained(folder, tmp_path):
    thi = tmp_path / "mic_a.thi"
    given = {"tomogram": (str(folder / "mic_a.mrc"),), "class_name": ("mt",)}
    thi.write_text("[Helix Coordinates: X Y Value]\n10 20 1\n30 40 1\n[End]\n")
    with pytest.raises(InputDataError, match="does not say on which fibre"):
        run_convert(thi, "epicker", "csv", made(tmp_path / "a"), **given)
    thi.write_text("[Particle Coordinates: X Y Value]\n10 20 1\n30 40 1\n[End]\n")
    run_convert(thi, "epicker", "csv", made(tmp_path / "b"), **given)
    config = TrainConfig(
        tomogram=(str(folder / "mic_a.mrc"),),
        coordinates=(str(tmp_path / "b/mic_a.csv"),),
        diameter={"mt": 250.0},
        kind={"mt": "filament"},
        out=str(tmp_path / "model"),
        **HOW,
    )
    with pytest.raises(InputDataError, match="2 of 2 points name no filament"):
        train(config, made(tmp_path / "model"), on_progress=ignore_progress)


def run_convert(path, source, target, out, **more):
    config = ConvertConfig(
        input=(str(path),),
        input_format=source,
        output_format=target,
        out=str(out),
        **more,
    )
    convert(config, out, on_progress=ignore_progress)
