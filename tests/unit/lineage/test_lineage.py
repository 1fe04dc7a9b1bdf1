"""A folder's models as a tree, and exemplars deleted by owner."""

import json
import re

import numpy as np
import pytest

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.model.card import (
    ModelCard,
    TomogramCard,
    read_card,
)
from etpicker_plugin.engine.model.exemplars import Exemplar, read_exemplars
from etpicker_plugin.engine.model.model_file import save_model
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.species import Species


def card(**changes):
    values = {
        "network": "fast",
        "classes": (
            Species(
                name="a",
                diameter_ang=150.0,
                label_diameter_ang=70.0,
                threshold=0.3,
                metrics={"f1": 0.876},
            ),
        ),
        "working_voxel_size": 10.0,
        "annotation": "complete",
        "tomograms": (
            TomogramCard(
                tomogram_id="TS_1",
                shape_zyx=(9, 10, 11),
                voxel_size=10.0,
                sha256="",
                particles={"a": 17, "negative": 4},
                role="training",
            ),
        ),
        "training": {},
        "code_version": "0",
    }
    return ModelCard(**{**values, **changes})


def piece(owner, *, held_out=False, n=1):
    return Exemplar(
        image=np.zeros((8, 16, 24), np.float16),
        positions_zyx=np.full((n, 3), 4, np.float32),
        class_names=("a",) * n,
        annotation={"a": "complete"},
        tomogram_id="TS_1",
        origin_zyx=(0, 0, 0),
        round=0,
        owner=owner,
        licence="CC0",
        held_out=held_out,
        counted_start=(0, 0, 0),
        counted_stop=(8, 16, 24),
    )


@pytest.fixture
def folder(tmp_path):
    """A model, its update, an update of that, and a stranger's child."""
    network = make_network("fast", 1)
    parent = ""
    for number, name in enumerate(("first", "second", "third")):
        path = tmp_path / name / "model.safetensors"
        path.parent.mkdir()
        save_model(path, network, card(round=number, parent_sha256=parent))
        parent = file_sha256(path)
    save_model(
        tmp_path / "stray.safetensors", network, card(round=5, parent_sha256="f" * 64)
    )
    (tmp_path / "other.safetensors").write_bytes(b"not a model")
    return tmp_path


def test_updates_stand_under_what_they_came_from(folder, capsys, caplog):
    assert main(["models", str(folder)]) == 0

    lines = capsys.readouterr().out.splitlines()
    starts = [re.split("  (?:update|never)", line)[0] for line in lines]
    assert starts == [
        "first/model.safetensors",
        "   second/model.safetensors",
        "      third/model.safetensors",
        "(parent ffffffff is not here)",
        "   stray.safetensors",
        "other.safetensors  cannot be used",
    ]
    assert "other.safetensors is not a readable safetensors file" in caplog.text
    assert "a F1 0.88 on held-out data  17 particles in 1 tomogram(s)" in lines[0]


def test_as_json(folder, capsys):
    assert main(["models", str(folder), "--json"]) == 0

    records = json.loads(capsys.readouterr().out)
    assert [r["round"] for r in records] == [0, 1, 2, 5]
    assert records[1]["parent_sha256"] == records[0]["sha256"]


def test_one_bad_card_hides_no_other_model(folder, capsys, caplog):
    path = folder / "second" / "model.safetensors"
    path.write_bytes(path.read_bytes().replace(b"0.876", b"[[1]]"))

    assert main(["models", str(folder), "--json"]) == 0

    records = json.loads(capsys.readouterr().out)
    assert [r["round"] for r in records] == [0, 2, 5]
    assert "card.classes[0].metrics.f1: got a list, expected a number" in caplog.text


def test_files_of_other_programs_are_no_bad_models(folder, capsys):
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3)}, folder / "their.safetensors")

    assert main(["models", str(folder)]) == 0
    assert "their" not in capsys.readouterr().out


def test_a_folder_without_models(tmp_path, caplog):
    assert main(["models", str(tmp_path)]) == 3
    assert "no etpicker model" in caplog.text


@pytest.fixture
def shared(tmp_path):
    path = tmp_path / "model.safetensors"
    kept = [piece("ours", n=3), piece("theirs"), piece("theirs", held_out=True)]
    save_model(path, make_network("fast", 1), card(), exemplars=kept)
    return path


def test_deleting_by_owner_says_what_it_cost(shared, tmp_path):
    before = shared.read_bytes()
    words = ["exemplars", "--model", str(shared), "--out", str(tmp_path / "out")]

    assert main([*words, "--delete-owner", "theirs"]) == 0

    report = json.loads((tmp_path / "out" / "exemplars.json").read_text())
    assert report["cost"] == {
        "replayed_share_left": {"a": 0.75},
        "not_replayed": [],
        "not_measured": ["a"],
    }
    new = tmp_path / "out" / "model.safetensors"
    assert [e.owner for e in read_exemplars(new)] == ["ours"]
    assert read_card(new).parent_sha256 == file_sha256(shared)
    assert shared.read_bytes() == before


def test_an_unknown_owner_is_named(shared, tmp_path, caplog):
    words = ["exemplars", "--model", str(shared), "--out", str(tmp_path / "out")]

    assert main([*words, "--delete-owner", "nobody"]) == 2
    assert "'ours', 'theirs'" in caplog.text
    assert not (tmp_path / "out" / "model.safetensors").exists()
