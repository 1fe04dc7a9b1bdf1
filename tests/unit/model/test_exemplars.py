"""Exemplars travel in the model file, and the model picks without them."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from etpicker_plugin.engine.errors import CheckpointError
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.model.checksums import CHECKSUMS_KEY
from etpicker_plugin.engine.model.exemplars import (
    EXEMPLARS_KEY,
    Exemplar,
    read_exemplars,
    size_in_bytes,
)
from etpicker_plugin.engine.model.model_file import load_model, save_model
from etpicker_plugin.engine.model.network import (
    embed,
    grow_network,
    make_network,
)
from etpicker_plugin.engine.species import Species

CARD = ModelCard(
    network="fast",
    classes=(
        Species(name="a", diameter_ang=150.0, label_diameter_ang=70.0, threshold=0.3),
    ),
    working_voxel_size=10.0,
    annotation="complete",
    tomograms=(),
    training={},
    code_version="0",
)


def exemplar(**changes):
    image = np.random.default_rng(0).normal(0, 1, (16, 24, 40)).astype(np.float16)
    image[:, :2] = np.nan
    values = {
        "image": image,
        "positions_zyx": np.array([[3, 4, 5], [-2, 30, 7], [9, 11, 38.5]], np.float32),
        "class_names": ("a", "b", "a"),
        "annotation": {"a": "sparse", "b": "complete"},
        "tomogram_id": "TS_1",
        "origin_zyx": (8, 0, 16),
        "round": 2,
        "owner": "lab",
        "licence": "CC0",
        "held_out": True,
        "counted_start": (0, 0, 0),
        "counted_stop": (16, 24, 38),
        "negatives_zyx": ((1.5, 20.0, -3.25), (7.0, 8.0, 9.0)),
    }
    return Exemplar(**{**values, **changes})


def test_exemplars_come_back_from_the_model_file(tmp_path):
    path = tmp_path / "model.safetensors"
    network = make_network("fast", 1).eval()
    kept = [exemplar(), exemplar(owner="other", held_out=False)]

    save_model(path, network, CARD, exemplars=kept)
    loaded = read_exemplars(path)

    assert len(loaded) == 2
    for before, after in zip(kept, loaded, strict=True):
        for field in dataclasses.fields(before):
            first, second = getattr(before, field.name), getattr(after, field.name)
            if isinstance(first, np.ndarray):
                np.testing.assert_array_equal(first, second)
                assert first.dtype == second.dtype
            else:
                assert first == second, field.name


def test_exemplars_of_before_negatives_were_kept_have_none(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(path, make_network("fast", 1).eval(), CARD, exemplars=[exemplar()])
    with safe_open(path, framework="pt") as opened:
        metadata = opened.metadata()
    records = json.loads(metadata[EXEMPLARS_KEY])
    del records[0]["negatives_zyx"]
    metadata[EXEMPLARS_KEY] = json.dumps(records)
    del metadata[CHECKSUMS_KEY]  # which they had not either
    save_file(load_file(path), path, metadata)

    assert read_exemplars(path)[0].negatives_zyx == ()


def test_the_model_picks_the_same_without_them(tmp_path):
    network = make_network("fast", 1).eval()
    save_model(tmp_path / "with", network, CARD, exemplars=[exemplar()])
    save_model(tmp_path / "without", network, CARD)
    volume = torch.randn(1, 1, 16, 24, 32)

    first, _ = load_model(tmp_path / "with")
    second, _ = load_model(tmp_path / "without")

    assert torch.equal(first(volume), second(volume))
    assert read_exemplars(tmp_path / "without") == []
    assert (tmp_path / "without").stat().st_size < (tmp_path / "with").stat().st_size


def test_damaged_exemplars_are_named_and_the_weights_still_load(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(path, make_network("fast", 1), CARD, exemplars=[exemplar()])
    damaged = path.read_bytes().replace(b"counted_stop", b"counted_stuP")
    path.write_bytes(damaged)

    load_model(path)
    with pytest.raises(CheckpointError, match="exemplars cannot be read"):
        read_exemplars(path)


def test_only_particles_in_the_counted_box_count():
    assert exemplar().count() == {"a": 1, "b": 0}
    assert exemplar(counted_stop=(16, 24, 40)).count() == {"a": 2, "b": 0}


def test_size_is_that_of_the_arrays():
    assert size_in_bytes([exemplar()]) == 16 * 24 * 40 * 2 + 3 * 3 * 4


@pytest.mark.parametrize("name", ["fast", "deepetpicker"])
@pytest.mark.parametrize("n_old", [1, 2])
def test_a_grown_network_says_of_old_classes_what_it_said(name, n_old):
    torch.manual_seed(0)
    network = make_network(name, n_old).eval()
    grown = grow_network(network, n_old + 2).eval()
    volume = torch.randn(2, 1, 16, 24, 32)

    before, after = network(volume), grown(volume)

    assert after.shape[1] == n_old + 2
    if name == "fast":
        torch.testing.assert_close(after[:, :n_old], before)
    else:  # classes share a softmax, of which the new ones take a little
        difference = torch.sigmoid(after[:, :n_old]) - torch.sigmoid(before)
        assert difference.abs().max() < 0.06


def test_embedding_tells_volumes_apart_and_takes_any_size():
    torch.manual_seed(0)
    network = make_network("fast", 1).eval()
    quiet, loud = torch.zeros(11, 17, 30), 3 * torch.randn(11, 17, 30)

    first, second = embed(network, quiet), embed(network, loud)

    assert first.shape == second.shape == (256,)
    assert (first - second).norm() > 0.1


def test_a_voxel_that_was_changed_is_noticed(tmp_path):
    path = tmp_path / "model.safetensors"
    image = np.full((16, 24, 40), 0.5, np.float16)
    save_model(path, make_network("fast", 1), CARD, exemplars=[exemplar(image=image)])
    data = path.read_bytes()
    path.write_bytes(data.replace(image.tobytes()[:64], b"\x01" * 64, 1))

    load_model(path)
    with pytest.raises(CheckpointError, match="exemplars not as written"):
        read_exemplars(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"class_names": ["a"]}, "centres of float32 (3, 3), not (1, 3)"),
        ({"origin_zyx": [1, 2]}, "expected 3"),
        ({"origin_zyx": [1, 2, 2.5]}, "got 2.5, expected a whole number"),
        ({"annotation": {"a": "all"}}, "one of: complete, sparse"),
        ({"held_out": 1}, "true or false"),
        ({"negatives_zyx": [[1, 2, None]]}, "got None, expected a number"),
        ({"new": 1}, "'new' is not known"),
    ],
)
def test_records_that_do_not_fit_are_named(tmp_path, change, words):
    path = tmp_path / "model.safetensors"
    save_model(path, make_network("fast", 1), CARD, exemplars=[exemplar()])
    with safe_open(path, framework="pt") as opened:
        metadata = opened.metadata()
    records = json.loads(metadata[EXEMPLARS_KEY])
    records[0].update(change)
    del metadata[CHECKSUMS_KEY]
    save_file(load_file(path), path, {**metadata, EXEMPLARS_KEY: json.dumps(records)})

    with pytest.raises(CheckpointError, match="exemplars cannot be read") as caught:
        read_exemplars(path)
    assert words in str(caught.value)
