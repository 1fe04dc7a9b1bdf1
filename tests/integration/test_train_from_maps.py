"""A picker from a map alone, by the command: no marks, and planted particles found."""

import csv
import logging

import numpy as np
import pytest

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.evidence import orientations
from etpicker_plugin.engine.maps import appearance, matching, scene_files
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.model.kept_maps import read_kept_maps
from etpicker_plugin.engine.picking.second_look import FIRST_WEIGHTS
from etpicker_plugin.engine.simulation.species import draw_ellipsoids
from etpicker_plugin.engine.volumes.tomogram import write_volume

VOXEL_SIZE = 20.0
DIAMETER = 330
BODIES = [((0, 0, -50), (120, 110, 95)), ((60, 0, 90), (70, 55, 60))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a dark map, and a tomogram that holds its particles."""
    folder = tmp_path_factory.mktemp("maps")
    body = draw_ellipsoids(BODIES, VOXEL_SIZE)
    write_volume(folder / "bright.mrc", body, VOXEL_SIZE)
    write_volume(folder / "knobby.mrc", -body, VOXEL_SIZE)
    code = main(
        f"simulate --out {folder} --name TS --tomograms 1 --shape 96 80 48 "
        f"--voxel-size {VOXEL_SIZE} --density {folder}/bright.mrc --particles 10 "
        "--snr 0.6 --membranes 0 --filaments 0 --gold 0 --tilt-step 6".split()
    )
    assert code == 0
    return folder


def train_words(folder, out, *more):
    return [
        *("train", "--map", f"knobby={folder}/knobby.mrc"),
        *("--diameter", f"knobby={DIAMETER}", "--tomogram", f"{folder}/TS_01.mrc"),
        *("--out", str(out), "--exemplars", "none", *more),
    ]


def read_places(path):
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return np.array([[float(r[k]) for k in "zyx"] for r in rows]).reshape(-1, 3)


def test_planted_particles_are_found_without_a_click(folder, monkeypatch, caplog):
    kinds = scene_files.SIMULATED, scene_files.PASTED, scene_files.HELD_OUT
    monkeypatch.setattr(scene_files, "COUNTS", dict.fromkeys(kinds, 1))
    monkeypatch.setattr(matching, "MOST_WORK", 10_000_000)
    monkeypatch.setattr(orientations, "ROTATIONS", 60)
    monkeypatch.setattr(appearance, "MOST_BLOCKS", 12)
    out = folder / "run"
    flags = ("--steps", "10", "--batch-size", "2", "--patch-size", "32")
    with caplog.at_level(logging.INFO):
        assert main(train_words(folder, out, *flags)) == 0
    assert "its map matches" in caplog.text
    model = out / "model.safetensors"
    card = read_card(model)
    assert card.training["taught_by"].startswith("Taught by maps of knobby")
    assert card.training["taught_by"].endswith("no marks.")
    assert {t.tomogram_id for t in card.tomograms} == {
        "simulated_01",
        "pasted_01",
        "held_out_01",
    }
    kept = read_kept_maps(model)
    assert [one.name for one in kept.maps] == ["knobby"]
    assert kept.weights == FIRST_WEIGHTS  # no mark tells better
    caplog.clear()
    with caplog.at_level(logging.INFO):
        code = main(
            f"pick --model {model} --tomogram {folder}/TS_01.mrc --out {out}/picks "
            "--threshold knobby=0.001".split()
        )
    assert code == 0
    assert "with 1 map(s)" in caplog.text
    picks, truth = (
        read_places(out / "picks/TS_01.csv"),
        read_places(folder / "TS_01.csv"),
    )
    best = picks[: len(truth)]
    distances = np.linalg.norm(truth[:, None] - best[None], axis=2).min(axis=1)
    assert (distances < DIAMETER / 2 / VOXEL_SIZE).mean() >= 0.6
    caplog.clear()
    with caplog.at_level(logging.INFO):
        code = main(
            f"update --model {model} --tomogram {folder}/TS_01.mrc --coordinates "
            f"{folder}/TS_01.csv --diameter bright={DIAMETER} --out {out}/update "
            "--exemplars none --steps 2 --batch-size 2 --patch-size 32".split()
        )
    assert code == 0
    assert "an updated model does not" in caplog.text
    assert "with 1 map(s)" in caplog.text  # the old one is judged as it picks
    assert read_kept_maps(out / "update/model.safetensors") is None
    # The same command again makes nothing anew.
    written = model.stat().st_mtime_ns
    assert main(train_words(folder, out, *flags)) == 0
    assert model.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--instant"], "Leave one out"),
        (["--kind", "knobby=vesicle"], "particles only"),
        (["--diameter", "knobby=330", "other=200"], "neither a map nor coordinates"),
        (["--diameter", "other=200"], "no diameter of it"),
        (["--map", "knobby=nowhere.mrc"], "nowhere.mrc"),
        (["--diameter", "knobby=40"], "--diameter says 40"),
    ],
)
def test_what_cannot_be_learnt_from_maps_is_refused(
    folder, tmp_path, more, words, caplog
):
    assert main(train_words(folder, tmp_path / "run", *more)) in (2, 3)
    assert words in caplog.text
