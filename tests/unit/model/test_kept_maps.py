"""Maps in a model file: the same back, damage named, and models without any."""

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from etpicker_plugin.engine.errors import CheckpointError
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.model.kept_maps import (
    MAPS_KEY,
    KeptMap,
    KeptMaps,
    read_kept_maps,
)
from etpicker_plugin.engine.model.model_file import load_model, save_model
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.species import Species

CARD = ModelCard(
    network="fast",
    classes=(Species(name="ring", diameter_ang=150.0, label_diameter_ang=60.0),),
    working_voxel_size=10.0,
    annotation="complete",
    tomograms=(),
    training={},
    code_version="0.1.0",
)
DENSITY = np.random.default_rng(0).random((5, 7, 6)).astype(np.float32)
KEPT = KeptMaps(
    maps=(KeptMap("ring", DENSITY, 8.5, 148.0),),
    weights=(0.9, 1.1, -0.25),
    defocus_um=3.25,
)


def write(path, maps):
    save_model(path, make_network("fast", 1).eval(), CARD, maps=maps)
    return path


def test_the_same_maps_come_back(tmp_path):
    path = write(tmp_path / "model.safetensors", KEPT)
    found = read_kept_maps(path)
    assert (found.weights, found.defocus_um) == (KEPT.weights, 3.25)
    (one,) = found.maps
    assert (one.name, one.voxel_size, one.extent_ang) == ("ring", 8.5, 148.0)
    np.testing.assert_array_equal(one.density, DENSITY)
    load_model(path)


def test_a_model_without_maps_has_none(tmp_path):
    assert read_kept_maps(write(tmp_path / "model.safetensors", None)) is None


def brighten(tensors, metadata):
    tensors["map.0000"][0, 0, 0] += 1


def weigh_anew(tensors, metadata):
    metadata[MAPS_KEY] = metadata[MAPS_KEY].replace("0.9", "0.8")


def lose(tensors, metadata):
    del tensors["map.0000"]


@pytest.mark.parametrize("change", [brighten, weigh_anew, lose])
def test_changed_maps_are_refused(tmp_path, change):
    path = write(tmp_path / "model.safetensors", KEPT)
    with safe_open(path, framework="pt") as opened:
        metadata = opened.metadata()
    tensors = load_file(str(path))
    change(tensors, metadata)
    save_file(tensors, str(path), metadata=metadata)
    with pytest.raises(CheckpointError, match=r"maps cannot be read.*copy it again"):
        read_kept_maps(path)
