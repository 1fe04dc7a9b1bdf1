"""The model file: the same network back, and a clear error for any other file."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from etpicker_plugin.engine.errors import CheckpointError
from etpicker_plugin.engine.model.card import (
    CARD_KEY,
    ModelCard,
    TomogramCard,
    card_to_json,
    read_card,
    read_usable_card,
)
from etpicker_plugin.engine.model.checksums import CHECKSUMS_KEY
from etpicker_plugin.engine.model.model_file import load_model, save_model
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.species import Species

CARD = ModelCard(
    network="fast",
    classes=(
        Species(
            name="ribosome",
            diameter_ang=300.0,
            label_diameter_ang=90.0,
            threshold=0.4,
            metrics={"f1": 0.9},
        ),
    ),
    working_voxel_size=13.5,
    annotation="sparse",
    tomograms=(
        TomogramCard(
            tomogram_id="TS_01",
            shape_zyx=(20, 30, 40),
            voxel_size=10.0,
            sha256="ab",
            particles={"ribosome": 7},
            role="training",
        ),
    ),
    training={"steps": 12},
    code_version="0.1.0",
)

CARD_CLASSES = json.loads(card_to_json(CARD))["classes"]


@pytest.fixture
def model(tmp_path):
    network = make_network("fast", 1, seed=0).eval()
    save_model(tmp_path / "model.safetensors", network, CARD)
    return tmp_path / "model.safetensors", network


def test_the_same_logits_and_card_come_back(model):
    path, network = model
    volume = torch.randn(1, 1, 16, 24, 32)

    loaded, card = load_model(path)

    assert torch.equal(loaded(volume), network(volume))
    assert card == CARD
    assert read_card(path) == CARD


def test_others_may_read_a_model_as_any_other_file(model):
    path, _ = model
    beside = path.with_name("beside.txt")
    beside.write_text("an ordinary file")

    assert path.stat().st_mode == beside.stat().st_mode


def test_a_model_of_another_normalisation_is_refused(tmp_path):
    earlier = replace(CARD, normalisation="robust-standard-score")
    path = tmp_path / "earlier.safetensors"
    save_model(path, make_network("fast", 1), earlier)

    with pytest.raises(CheckpointError, match=r"'robust-standard-score'.*Train it"):
        load_model(path)
    with pytest.raises(CheckpointError, match="Train it again"):
        read_usable_card(path)
    assert read_card(path) == earlier


def test_a_model_is_never_overwritten(model):
    path, network = model
    before = path.read_bytes()

    with pytest.raises(CheckpointError, match="never overwritten"):
        save_model(path, network, CARD)
    assert path.read_bytes() == before


def test_a_cut_file_is_named_damaged(model):
    path, _ = model
    path.write_bytes(path.read_bytes()[:5000])

    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        load_model(path)


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", b"x" * 4000])
def test_foreign_bytes_are_refused(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)

    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        read_card(path)


def test_a_safetensors_file_without_a_card_is_foreign(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({"a": torch.zeros(3)}, str(path))

    with pytest.raises(CheckpointError, match="no etpicker model card"):
        load_model(path)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        read_card(tmp_path / "model.safetensors")


def rewrite_card(path, change):
    values = json.loads(card_to_json(CARD))
    change(values)
    save_file(load_file(str(path)), str(path), metadata={CARD_KEY: json.dumps(values)})


def test_a_newer_format_asks_for_a_newer_etpicker(model):
    path, _ = model
    rewrite_card(path, lambda values: values.update(format_version=99))

    with pytest.raises(CheckpointError, match="format version 99"):
        load_model(path)


def test_an_incomplete_card_is_refused(model):
    path, _ = model
    rewrite_card(path, lambda values: values.pop("classes"))

    with pytest.raises(CheckpointError, match="incomplete"):
        load_model(path)


def test_weights_of_another_network_are_refused(model):
    path, _ = model
    rewrite_card(path, lambda values: values.update(network="deepetpicker"))

    with pytest.raises(CheckpointError, match="do not fit the network"):
        load_model(path)


def test_an_unknown_network_is_refused(model):
    path, _ = model
    rewrite_card(path, lambda values: values.update(network="transformer"))

    with pytest.raises(CheckpointError, match="transformer"):
        load_model(path)


def test_batch_statistics_are_kept(model):
    path, network = model
    tensors = load_file(str(path))

    assert np.array_equal(
        tensors["network.stem.1.running_var"], network.stem[1].running_var
    )


# what was changed since -----------------------------------------------------------


def changed(path, change):
    with safe_open(path, framework="pt") as opened:
        metadata = opened.metadata()
    tensors = load_file(str(path))
    change(tensors, metadata)
    save_file(tensors, str(path), metadata=metadata)


def turn_a_weight(tensors, metadata):
    tensors["network.stem.1.running_var"][0] += 0.25


def raise_the_threshold(tensors, metadata):
    metadata[CARD_KEY] = metadata[CARD_KEY].replace("0.4", "0.5")


@pytest.mark.parametrize(
    ("change", "part"), [(turn_a_weight, "weights"), (raise_the_threshold, "card")]
)
def test_a_changed_part_is_refused(model, change, part):
    path, _ = model
    changed(path, change)

    with pytest.raises(CheckpointError, match=f"{part} not as written.*copy it again"):
        load_model(path)


def test_models_of_before_checksums_load(model):
    path, network = model

    def unseal(tensors, metadata):
        del metadata[CHECKSUMS_KEY]
        turn_a_weight(tensors, metadata)

    changed(path, unseal)
    loaded, _ = load_model(path)

    before = network.stem[1].running_var
    assert torch.equal(loaded.stem[1].running_var[1:], before[1:])
    assert loaded.stem[1].running_var[0] == before[0] + 0.25


def test_checksums_that_cannot_be_read_are_damage(model):
    path, _ = model
    changed(path, lambda tensors, metadata: metadata.update({CHECKSUMS_KEY: "{}"}))

    with pytest.raises(CheckpointError, match="'card' is missing"):
        read_card(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path, value):
    network = make_network("fast", 1, seed=0).eval()
    with torch.no_grad():
        next(network.parameters()).view(-1)[0] = value
    save_model(tmp_path / "model.safetensors", network, CARD)

    with pytest.raises(CheckpointError, match="NaN or infinite"):
        load_model(tmp_path / "model.safetensors")


def test_weights_of_another_type_are_refused(model):
    path, _ = model

    def halve(tensors, metadata):
        del metadata[CHECKSUMS_KEY]
        for name in tensors:
            tensors[name] = tensors[name].half()

    changed(path, halve)
    with pytest.raises(CheckpointError, match=r"torch.float16, expected torch.float32"):
        load_model(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"working_voxel_size": "13.5"}, "card.working_voxel_size: got '13.5'"),
        ({"working_voxel_size": 10**400}, "very many digits"),
        ({"working_voxel_size": float("nan")}, "got nan, expected a finite number"),
        ({"classes": []}, "1 or more"),
        ({"classes": CARD_CLASSES * 2}, "2 classes with 1 names"),
        ({"tomograms": [{"tomogram_id": 3}]}, "is missing"),
        ({"training": {"forgetting": 5}}, "card.training.forgetting: got 5"),
        ({"round": -1}, "card.round: got -1"),
        ({"annotation": "some"}, "one of: complete, sparse"),
        ({"colour": "red"}, "'colour' is not known"),
    ],
)
def test_a_card_of_wrong_types_or_ranges_is_named(model, change, words):
    path, _ = model
    rewrite_card(path, lambda values: values.update(change))

    with pytest.raises(CheckpointError, match="incomplete or wrong") as caught:
        load_model(path)
    assert words in str(caught.value)


@pytest.mark.parametrize("card", ["[" * 100_000, "[]", '"text"', "{", "null"])
def test_a_card_that_is_none_is_refused(model, card):
    path, _ = model
    save_file(load_file(str(path)), str(path), metadata={CARD_KEY: card})

    with pytest.raises(CheckpointError, match="card cannot be read"):
        read_card(path)
