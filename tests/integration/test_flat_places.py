"""What flatness costs: learnt in training, kept by an update, used in picking."""

from dataclasses import replace

import numpy as np
import pytest

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.model.model_file import load_model, save_model
from etpicker_plugin.engine.picking.pick import pick
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.tests.support.phantoms import DIAMETERS, write_tomogram
from etpicker_plugin.tests.support.untrained import make_untrained_model

SHAPE_ZYX = (36, 60, 110)
FLAT_FROM_X = 60
COSTLY, FREE = sorted(DIAMETERS)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """TS_f, noise that is flat for high x; TS_n, noise as strong everywhere."""
    folder = tmp_path_factory.mktemp("flat")
    noise = np.random.default_rng(2).normal(0, 1, SHAPE_ZYX).astype(np.float32)
    write_tomogram(folder / "TS_n.mrc", noise)
    noise[:, :, FLAT_FROM_X:] *= 0.5
    write_tomogram(folder / "TS_f.mrc", noise)
    return folder


def picks_of(model, data, out):
    """Return each pick's score, by class and place."""
    out.mkdir()
    config = PickConfig(
        model=str(model),
        tomogram=(str(data / "TS_f.mrc"),),
        out=str(out),
        threshold=dict.fromkeys(DIAMETERS, 0.0001),
        device="cpu",
    )
    found = pick(config, out, on_progress=ignore_progress)["TS_f"]
    places = map(tuple, found.positions_zyx)
    keys = zip(found.class_names, places, strict=True)
    return dict(zip(keys, found.scores, strict=True))


def test_picks_in_the_flat_half_lose_what_the_card_says(data, tmp_path):
    network, card = load_model(make_untrained_model(tmp_path / "free.safetensors"))
    costs = {COSTLY: 1.0, FREE: 0.0}
    classes = [replace(c, flat_log_odds=costs[c.name]) for c in card.classes]
    card = replace(card, classes=tuple(classes))
    save_model(tmp_path / "costly.safetensors", network, card)

    before = picks_of(tmp_path / "free.safetensors", data, tmp_path / "free")
    after = picks_of(tmp_path / "costly.safetensors", data, tmp_path / "costly")

    def left(name, x_from, x_to):
        """The usual share of the scores that is left, of those in a range of x."""
        shares = [
            after[key] / score
            for key, score in before.items()
            if key in after and key[0] == name and x_from <= key[1][2] < x_to
        ]
        assert len(shares) > 10
        return np.median(shares)

    boundary = FLAT_FROM_X + np.array([-8, 8])
    assert left(COSTLY, boundary[1], np.inf) < 0.2
    assert left(COSTLY, 0, boundary[0]) > 0.8
    assert [left(FREE, 0, 60), left(FREE, 60, np.inf)] == pytest.approx([1, 1])


def test_the_cost_is_learnt_and_an_update_without_evidence_keeps_it(data, tmp_path):
    generator = np.random.default_rng(5)
    size = np.array([FLAT_FROM_X - 4, SHAPE_ZYX[1] - 4, SHAPE_ZYX[0] - 4])
    rows = [
        f"{COSTLY},"
        + ",".join(f"{v:.1f}" for v in 2 + generator.uniform(0, 1, 3) * size)
        for _ in range(60)
    ]
    (tmp_path / "flat.csv").write_text("class,x,y,z\n" + "\n".join(rows) + "\n")
    (tmp_path / "few.csv").write_text("class,x,y,z\n" + "\n".join(rows[:3]) + "\n")
    small = ["--patch-size", "16", "--batch-size", "2", "--steps", "2"]
    diameter = ["--diameter", f"{COSTLY}={DIAMETERS[COSTLY]}"]
    first, second = tmp_path / "first", tmp_path / "second"

    def run(command, tomogram, csv, out, *more):
        words = ["--tomogram", str(data / f"{tomogram}.mrc"), "--coordinates"]
        words += [str(tmp_path / csv), "--out", str(out), "--seed", "1"]
        assert main([command, *words, *small, *more]) == 0
        return read_card(out / "model.safetensors").classes[0].flat_log_odds

    learnt = run("train", "TS_f", "flat.csv", first, *diameter)
    model = ["--model", str(first / "model.safetensors")]
    kept = run("update", "TS_n", "few.csv", second, *model)
    assert learnt > 0.3
    assert kept == pytest.approx(learnt, abs=0.15)
