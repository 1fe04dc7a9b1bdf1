"""One marked particle is enough for a model: ``etpicker train --instant``."""

import numpy as np
import pytest

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.evaluation.matching import match_picks
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.model.exemplars import read_exemplars
from etpicker_plugin.engine.volumes.tomogram import write_volume
from etpicker_plugin.tests.support.phantoms import (
    DIAMETERS,
    VOXEL_SIZE,
    make_phantom,
    write_truth,
)

SHAPE_ZYX = (45, 91, 115)
COUNTS = {"large": 14, "small": 16}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """First tomogram: one of each marked. Second: the truth."""
    folder = tmp_path_factory.mktemp("scenes")
    for seed, name in enumerate(("first", "second")):
        truth = make_phantom(folder / f"{name}.mrc", SHAPE_ZYX, COUNTS, seed=seed)
        if name == "first":
            one_each = {species: (species, *place) for species, *place in truth}
            write_truth(folder / "first.csv", list(one_each.values()))
    return folder


def train(data, out, *more):
    words = ["train", "--instant", "--tomogram", str(data / "first.mrc")]
    words += ["--coordinates", str(data / "first.csv"), "--out", str(out)]
    words += ["--device", "cpu", "--working-voxel-size", "7", *more]
    return main(words)


def both():
    return ("--diameter", *(f"{name}={size:g}" for name, size in DIAMETERS.items()))


def test_one_click_of_each_finds_the_others(data, tmp_path):
    assert train(data, tmp_path, *both()) == 0
    model = tmp_path / "model.safetensors"
    words = ["pick", "--model", str(model), "--tomogram", str(data / "second.mrc")]
    assert main([*words, "--out", str(tmp_path / "picks"), "--device", "cpu"]) == 0
    picks = read_csv(tmp_path / "picks" / "second.csv", tomogram_id="second")
    truth = read_csv(data / "second.csv", tomogram_id="second")
    f1 = {}
    for name in DIAMETERS:
        found, wanted = picks.of_class(name), truth.of_class(name)
        hits = match_picks(
            found.positions_zyx, wanted.positions_zyx, max_distance=DIAMETERS[name] / 20
        )
        f1[name] = 2 * len(hits.distances) / (len(found) + len(wanted))
    assert f1["large"] > 0.8, f1


def test_the_model_says_how_it_was_made(data, tmp_path):
    assert train(data, tmp_path, *both()) == 0
    card = read_card(tmp_path / "model.safetensors")
    assert card.annotation == "sparse"
    assert card.training["stopped_by"] == "solved"
    assert card.training["steps"] == 0
    assert card.training["parameters"]["instant"] is True
    assert card.tomograms[0].particles == {"large": 1, "small": 1}
    assert all(0 < one.threshold < 1 for one in card.classes)
    assert all(one.metrics == {} for one in card.classes)
    assert read_exemplars(tmp_path / "model.safetensors")


def test_the_same_command_again_returns_at_once(data, tmp_path, caplog):
    assert train(data, tmp_path, *both()) == 0
    before = (tmp_path / "model.safetensors").read_bytes()
    with caplog.at_level("INFO"):
        assert train(data, tmp_path, *both()) == 0
    assert "is finished already" in caplog.text
    assert (tmp_path / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("more", [("--network", "deepetpicker"), ("--from-scratch",)])
def test_without_shipped_weights_there_is_nothing_to_build_on(
    data, tmp_path, caplog, more
):
    assert train(data, tmp_path / "out", *both(), *more) == 2
    assert "--instant builds on" in caplog.text


def test_a_mask_that_leaves_almost_nothing_is_refused(data, tmp_path, caplog):
    mask = np.zeros(SHAPE_ZYX, np.int8)
    mask[20:24, 40:44, 50:54] = 1
    write_volume(tmp_path / "mask.mrc", mask, VOXEL_SIZE)
    more = ("--mask", str(tmp_path / "mask.mrc"))
    assert train(data, tmp_path / "out", *both(), *more) == 3
    assert "places of the tomograms may be looked at, expected 500" in caplog.text
    assert not list((tmp_path / "out").glob(".features*"))
    assert not (tmp_path / "out" / "model.safetensors").exists()
