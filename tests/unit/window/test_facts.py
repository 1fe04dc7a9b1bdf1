"""Diameters and thresholds known from what lies beside the coordinates."""

import json

import pytest

from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.tests.support.untrained import make_untrained_model
from etpicker_plugin.window.document.facts import read_facts

RECORD = {
    "diameters_ang": {"ring": 193.0, "ribosome": 323.0},
    "thresholds": {"ring": 0.21, "ribosome": 0.001},
    "model": "gone.safetensors",
    "config": {"threshold": {"ribosome": 0.001}},
}


def test_the_record_of_picking_says_diameters_and_thresholds(tmp_path):
    (tmp_path / "TS.json").write_text(json.dumps(RECORD))
    facts = read_facts([str(tmp_path / "TS.csv")])
    assert facts.diameters == {"ring": 193, "ribosome": 323}
    assert facts.thresholds == {"ring": 0.21}  # The other is not the model's own.


def pick_with(tmp_path, *, model):
    """Write a record of picking at low thresholds; return its CSV and the model's."""
    folder = tmp_path / "run" / "picks"
    folder.mkdir(parents=True)
    file = make_untrained_model(tmp_path / "model.safetensors")
    card = read_card(file)
    given = {"config": {"threshold": {one.name: 0.001 for one in card.classes}}}
    record = {**given, "model": model, "model_sha256": file_sha256(file)}
    (folder / "TS.json").write_text(json.dumps(record))
    return str(folder / "TS.csv"), {one.name: one.threshold for one in card.classes}


@pytest.mark.parametrize("absolute", [True, False])
def test_what_was_asked_for_instead_is_looked_up_in_the_model(tmp_path, absolute):
    name = "model.safetensors"
    path, wanted = pick_with(tmp_path, model=str(tmp_path / name) if absolute else name)
    assert read_facts([path]).thresholds == wanted


def test_another_model_of_that_name_says_nothing(tmp_path):
    path, _ = pick_with(tmp_path, model="model.safetensors")
    with (tmp_path / "model.safetensors").open("ab") as file:
        file.write(b"x")
    assert read_facts([path]).thresholds == {}


def test_another_annotation_says_its_diameters_but_no_guess(tmp_path):
    classes = [
        {"name": "ring", "diameter_ang": 193.0, "threshold": 0.4},
        {"name": "blob", "diameter_ang": 200.0, "threshold": 0.0, "guessed": True},
    ]
    (tmp_path / "classes.json").write_text(json.dumps({"classes": classes}))
    facts = read_facts([str(tmp_path / "TS.csv")])
    assert facts.diameters == {"ring": 193}
    assert facts.thresholds == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        '{"diameters_ang": [3], "classes": 7, "config": 1}',
        '{"diameters_ang": {"a": "x", "b": 1e99, "c": true, "d": null, "e": NaN}}',
        "[" * 100_000,
        '{"model": 3, "config": {"threshold": {"a": 1}}, "thresholds": "no"}',
    ],
)
def test_what_cannot_be_read_is_not_known(tmp_path, text):
    for name in ("TS.json", "classes.json"):
        (tmp_path / name).write_text(text)
    facts = read_facts([str(tmp_path / "TS.csv")])
    assert (facts.diameters, facts.thresholds) == ({}, {})
