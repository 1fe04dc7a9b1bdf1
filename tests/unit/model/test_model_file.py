"""The model file: the same network back, and a clear error for any other file."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
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
