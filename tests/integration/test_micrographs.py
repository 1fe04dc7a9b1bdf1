"""Micrographs through the commands: learnt, picked, judged, updated; and refusals."""

import json
import resource
from pathlib import Path

import emtable
import numpy as np
import pytest
import tifffile

from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.config.live import LiveConfig
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.evaluation.evaluate import evaluate
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.live.requests import Solve
from etpicker_plugin.engine.live.saving import save_answer
from etpicker_plugin.engine.live.session import Session
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.model.exemplars import read_exemplars
from etpicker_plugin.engine.picking.pick import pick
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.training.train import train
from etpicker_plugin.engine.update.update import update
from etpicker_plugin.engine.volumes.tomogram import read_tomogram, read_whole
from etpicker_plugin.tests.support.micrographs import (
    DIAMETER,
    PIXEL_SIZE,
    make_micrograph,
    write_micrograph,
)
from etpicker_plugin.tests.support.phantoms import make_phantom
from etpicker_plugin.tests.support.untrained import make_untrained_model

WHAT = {"diameter": {"disc": DIAMETER}, "device": "cpu", "threads": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three micrographs of two odd sizes."""
    made = tmp_path_factory.mktemp("micrographs")
    make_micrograph(made / "mic_a.mrc", (301, 389), 40, seed=1)
    make_micrograph(made / "mic_b.mrc", (263, 351), 30, seed=2)
    make_micrograph(made / "mic_c.mrc", (307, 269), 30, seed=3)
    return made


@pytest.fixture(scope="module")
def model(folder):
    """A model of the first one, trained for some seconds."""
    config = TrainConfig(
        tomogram=(str(folder / "mic_a.mrc"),),
        coordinates=(str(folder / "mic_a.csv"),),
        annotation="complete",
        from_scratch=True,
        steps=40,
        patch_size=48,
        validation_fraction=0.3,
        patience=2,
        out=str(folder / "model"),
        **WHAT,
    )
    return train(config, made(folder / "model"), on_progress=ignore_progress)


def made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def run_pick(model, path, out, **more):
    config = PickConfig(
        model=str(model),
        tomogram=(str(path),),
        out=str(out),
        device="cpu",
        threads=1,
        **more,
    )
    return pick(config, made(out), on_progress=ignore_progress)[Path(path).stem]


def test_the_discs_are_found_where_they_are(folder, model, tmp_path):
    picks = run_pick(model, folder / "mic_b.mrc", tmp_path)

    assert (tmp_path / "mic_b.csv").read_text().startswith("class,x,y,score\n")
    assert not (tmp_path / "mic_b.star").exists()
    rows = list(emtable.Table.iterRows(str(tmp_path / "mic_b_autopick.star")))
    xy = [(row.rlnCoordinateX, row.rlnCoordinateY) for row in rows]
    np.testing.assert_allclose(xy, picks.positions_zyx[:, :0:-1], atol=1e-5)
    fom = [row.rlnAutopickFigureOfMerit for row in rows]
    np.testing.assert_allclose(fom, picks.scores, atol=1e-6)
    truth = read_csv(folder / "mic_b.csv", tomogram_id="mic_b", flat=True)
    away = picks.positions_zyx[:, None] - truth.positions_zyx
    distances = np.linalg.norm(away, axis=2)
    assert (distances.min(axis=0) < 2.5).mean() > 0.9
    assert (distances.min(axis=1) < 2.5).mean() > 0.9
    nearest = away[np.arange(len(picks)), distances.argmin(axis=1)]
    assert np.abs(np.median(nearest, axis=0)).max() < 0.5
    assert (picks.positions_zyx[:, 0] == 0).all()

    config = EvaluateConfig(
        picks=(str(tmp_path / "mic_b.csv"),),
        truth=(str(folder / "mic_b.csv"),),
        diameter=WHAT["diameter"],
        voxel_size=PIXEL_SIZE,
        out=str(tmp_path),
    )
    evaluate(config, tmp_path, on_progress=ignore_progress)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["classes"]["disc"]["f1"] > 0.9


def test_borders_and_probability_maps_are_of_the_plane(folder, model, tmp_path):
    whole = run_pick(model, folder / "mic_b.mrc", tmp_path / "whole")
    inner = run_pick(
        model,
        folder / "mic_b.mrc",
        tmp_path / "inner",
        border=150.0,
        probability_map=True,
        tile_size=96,
    )

    last = np.array([263, 351]) - 1
    places = whole.positions_zyx[:, 1:]
    off = ((places >= 30) & (places <= last - 30)).all(axis=1)
    assert 0 < off.sum() < len(whole)
    assert len(inner) == off.sum()
    volume = read_tomogram(tmp_path / "inner" / "mic_b_disc_probability.mrc")
    probability = read_whole(volume)
    assert probability.shape == (1, 263, 351)
    y, x = np.round(inner.positions_zyx[:, 1:]).astype(int).T
    assert np.median(probability[0, y, x]) > 5 * np.median(probability)


def test_tiff_is_picked_as_mrc_is(folder, model, tmp_path):
    image = read_whole(read_tomogram(folder / "mic_c.mrc"))[0]
    tifffile.imwrite(tmp_path / "mic_c.tif", image[::-1])

    of_tiff = run_pick(
        model, tmp_path / "mic_c.tif", tmp_path / "tiff", voxel_size=PIXEL_SIZE
    )

    of_mrc = run_pick(model, folder / "mic_c.mrc", tmp_path / "mrc")
    np.testing.assert_array_equal(of_tiff.positions_zyx, of_mrc.positions_zyx)
    assert len(of_tiff) > 20


def test_an_update_keeps_it_a_model_of_micrographs(folder, model, tmp_path):
    config = UpdateConfig(
        model=str(model),
        tomogram=(str(folder / "mic_c.mrc"),),
        coordinates=(str(folder / "mic_c.csv"),),
        steps=6,
        patch_size=32,
        out=str(tmp_path / "new"),
        device="cpu",
        threads=1,
    )

    path = update(config, made(tmp_path / "new"), on_progress=ignore_progress)

    card = read_card(path)
    assert card.is_flat
    assert card.round == 1
    assert {e.image.shape[0] for e in read_exemplars(path)} == {1}


def test_a_tomogram_needs_another_model(model, tmp_path):
    make_phantom(tmp_path / "TS.mrc", (20, 41, 43), {"large": 1}, seed=1)

    with pytest.raises(InputDataError, match="is a tomogram, but the model"):
        run_pick(model, tmp_path / "TS.mrc", tmp_path / "out")


def test_a_micrograph_needs_another_model(folder, tmp_path):
    make_untrained_model(tmp_path / "model.safetensors")

    with pytest.raises(InputDataError, match="is a micrograph, but the model"):
        run_pick(tmp_path / "model.safetensors", folder / "mic_b.mrc", tmp_path)


def train_on(folder, tmp_path, *paths, **more):
    config = TrainConfig(
        tomogram=tuple(str(p) for p in paths),
        coordinates=tuple(str(p.with_suffix(".csv")) for p in paths),
        out=str(tmp_path / "out"),
        **{**WHAT, **more},
    )
    train(config, made(tmp_path / "out"), on_progress=ignore_progress)


def test_an_instant_model_finds_them_elsewhere(folder, tmp_path):
    train_on(folder, tmp_path, folder / "mic_c.mrc", instant=True)

    model = tmp_path / "out" / "model.safetensors"
    picks = run_pick(model, folder / "mic_b.mrc", tmp_path / "picks")

    assert read_card(model).is_flat
    truth = read_csv(folder / "mic_b.csv", tomogram_id="mic_b", flat=True)
    away = np.linalg.norm(picks.positions_zyx[:, None] - truth.positions_zyx, axis=2)
    assert (away.min(axis=0) < 4).mean() > 0.8
    assert (away.min(axis=1) < 4).mean() > 0.8


def test_a_model_learns_from_one_kind(folder, tmp_path):
    make_phantom(tmp_path / "TS.mrc", (20, 41, 43), {"large": 1}, seed=1)
    csv = tmp_path / "TS.csv"
    csv.write_text(csv.read_text().replace("large", "disc"))

    with pytest.raises(InputDataError, match="only micrographs, or only tomograms"):
        train_on(folder, tmp_path, folder / "mic_b.mrc", tmp_path / "TS.mrc")


def test_the_published_network_is_of_tomograms(folder, tmp_path):
    with pytest.raises(ConfigError, match="--network deepetpicker"):
        train_on(folder, tmp_path, folder / "mic_b.mrc", network="deepetpicker")


def test_picks_in_space_are_not_judged_in_a_plane(folder, tmp_path):
    other = tmp_path / "mic_b.csv"
    other.write_text("class,x,y,z\ndisc,10,20,3\n")
    config = EvaluateConfig(
        picks=(str(other),),
        truth=(str(folder / "mic_b.csv"),),
        diameter=WHAT["diameter"],
        voxel_size=PIXEL_SIZE,
        out=str(tmp_path),
    )

    with pytest.raises(InputDataError, match="no column z"):
        evaluate(config, tmp_path, on_progress=ignore_progress)


def test_an_empty_micrograph_has_no_picks(model, tmp_path):
    noise = np.random.default_rng(4).normal(100, 1, (150, 190))
    path = write_micrograph(tmp_path / "none.mrc", noise, pixel_size=PIXEL_SIZE)

    picks = run_pick(model, path, tmp_path / "out", threshold={"disc": 0.5})

    assert len(picks) == 0
    assert (tmp_path / "out" / "none.csv").read_text() == "class,x,y,score\n"


def test_live_finds_the_others_after_three_clicks(folder, tmp_path):
    truth = read_csv(folder / "mic_b.csv", tomogram_id="mic_b", flat=True)
    config = LiveConfig(
        tomogram=(str(folder / "mic_b.mrc"), str(folder / "mic_c.mrc")),
        out=str(tmp_path),
        device="cpu",
        threads=1,
    )
    session = Session(config, tmp_path)
    question = Solve(
        number=1,
        diameters={"disc": DIAMETER},
        marks={"mic_b": {"disc": truth.positions_zyx[:3]}},
        first="mic_b",
    )

    events = [event for event in session.solve(question) if event]

    whole = [e for e in events if e["event"] == "candidates" and e["whole"]]
    assert {event["tomogram"] for event in whole} == {"mic_b", "mic_c"}
    (found,) = (e["classes"]["disc"] for e in whole[-2:] if e["tomogram"] == "mic_b")
    sure = np.array(found["xyz"])[np.argsort(found["scores"])[::-1][: len(truth)]]
    away = np.linalg.norm(sure[:, None, ::-1] - truth.positions_zyx, axis=2)
    assert (away.min(axis=0) < 4).mean() > 0.8
    save_answer(session.answer, config, session.base, tmp_path / "live.safetensors")
    assert read_card(tmp_path / "live.safetensors").is_flat


def test_live_refuses_a_tomogram_beside_micrographs(folder, tmp_path):
    make_phantom(tmp_path / "TS.mrc", (20, 41, 43), {"large": 1}, seed=1)
    config = LiveConfig(
        tomogram=(str(folder / "mic_b.mrc"), str(tmp_path / "TS.mrc")),
        out=str(tmp_path),
        device="cpu",
        threads=1,
    )
    session = Session(config, tmp_path)
    marks = {"TS": {"disc": np.array([[9.0, 9.0, 9.0]])}}
    question = Solve(number=1, diameters={"disc": DIAMETER}, marks=marks, first="TS")

    texts = [e["text"] for e in session.solve(question) if e and "text" in e]

    assert any("is a tomogram, but the model" in text for text in texts)


def test_many_micrographs_take_no_more_memory_than_a_few(model, tmp_path):
    """Twenty-two more of a megabyte each would be seen, were they kept."""
    make_micrograph(tmp_path / "first.mrc", (512, 501), 40, seed=5)
    for number in range(32):
        (tmp_path / f"m{number:02d}.mrc").symlink_to(tmp_path / "first.mrc")
    config = PickConfig(
        model=str(model),
        tomogram=tuple(str(tmp_path / f"m{number:02d}.mrc") for number in range(32)),
        out=str(tmp_path),
        device="cpu",
        threads=1,
    )
    held = []

    pick(config, tmp_path, on_progress=lambda _: held.append(resident_mb()))

    assert len(list(tmp_path.glob("m*_autopick.star"))) == len(held) == 32
    assert held[-1] - held[9] < 12


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
