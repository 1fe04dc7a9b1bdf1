"""An update learns a new species, keeps the old, and is caught when spoilt."""

import json

import numpy as np
import pytest

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.evaluation.matching import match_picks
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.model.exemplars import read_exemplars
from etpicker_plugin.tests.support.phantoms import DIAMETERS, make_phantom, write_truth

SHAPE_ZYX = (45, 91, 115)
COUNTS = {"large": 14, "small": 16}
SMALL = ["--patch-size", "32", "--batch-size", "4", "--device", "cpu"]
ALONE = ["--replay-weight", "0", "--distillation-weight", "0", "--feature-weight", "0"]
ALONE += ["--importance-weight", "0", "--other-classes", "absent"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """First tomogram: large marked. Second: both there, small marked. Third: truth."""
    folder = tmp_path_factory.mktemp("scenes")
    for seed, name in enumerate(("first", "second", "third")):
        truth = make_phantom(folder / f"{name}.mrc", SHAPE_ZYX, COUNTS, seed=seed)
        if name != "third":
            wanted = "large" if name == "first" else "small"
            write_truth(folder / f"{name}.csv", [p for p in truth if p[0] == wanted])
    return folder


def learn(command, data, name, species, out, *more):
    words = [command, "--tomogram", str(data / f"{name}.mrc"), "--out", str(out)]
    words += ["--coordinates", str(data / f"{name}.csv")]
    words += ["--diameter", f"{species}={DIAMETERS[species]:g}", *SMALL, *more]
    assert main(words) == 0
    return out / "model.safetensors"


@pytest.fixture(scope="module")
def base(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("base")
    more = ["--steps", "80", "--working-voxel-size", "10", "--owner", "first lab"]
    return learn("train", data, "first", "large", out, *more)


@pytest.fixture(scope="module")
def updated(data, base, tmp_path_factory):
    out = tmp_path_factory.mktemp("updated")
    more = ["--model", str(base), "--steps", "80", "--owner", "second lab"]
    return learn("update", data, "second", "small", out, *more)


def f1_of(model, data, out):
    """Return F1 of each class that the model knows, on the third tomogram."""
    words = ["pick", "--model", str(model), "--tomogram", str(data / "third.mrc")]
    assert main([*words, "--out", str(out), "--device", "cpu"]) == 0
    picks = read_csv(out / "third.csv", tomogram_id="third")
    truth = read_csv(data / "third.csv", tomogram_id="third")
    scores = {}
    for name in read_card(model).class_names():
        found, wanted = picks.of_class(name), truth.of_class(name)
        hits = match_picks(
            found.positions_zyx, wanted.positions_zyx, max_distance=DIAMETERS[name] / 20
        )
        scores[name] = 2 * len(hits.distances) / (len(found) + len(wanted))
    return scores


def test_the_new_is_learnt_and_the_old_is_kept(data, base, updated, tmp_path):
    before = f1_of(base, data, tmp_path / "before")
    after = f1_of(updated, data, tmp_path / "after")

    assert before["large"] > 0.85
    assert after["large"] > before["large"] - 0.1
    assert after["small"] > 0.7


def test_learning_the_new_alone_forgets_the_old(data, base, tmp_path):
    more = ["--model", str(base), "--steps", "80", *ALONE, "--exemplars", "none"]
    alone = learn("update", data, "second", "small", tmp_path / "alone", *more)

    before = f1_of(base, data, tmp_path / "before")
    assert f1_of(alone, data, tmp_path / "after")["large"] < before["large"] - 0.2
    record = json.loads((alone.parent / "forgetting.json").read_text())
    assert record["verdict"] == "kept old"
    assert record["recommended"] == str(base)


def test_the_new_model_knows_where_it_comes_from(base, updated):
    card = read_card(updated)

    assert card.round == 1
    assert card.parent_sha256 == file_sha256(base)
    assert [(t.tomogram_id, t.round) for t in card.tomograms] == [
        ("first", 0),
        ("second", 1),
    ]
    kept = {(e.tomogram_id, e.owner) for e in read_exemplars(updated)}
    assert kept == {("first", "first lab"), ("second", "second lab")}
    record = json.loads((updated.parent / "forgetting.json").read_text())
    assert set(record["classes"]) == {"large", "small"}
    assert {cell["group"] for cell in record["matrix"]} == {
        "first training",
        "update 1",
    }
    page = (updated.parent / "report.html").read_text(encoding="utf-8")
    assert "data:image/png;base64" in page
    assert "first training" in page


def test_an_update_with_shuffled_marks_is_not_promoted(data, base, tmp_path):
    generator = np.random.default_rng(5)
    spoilt = tmp_path / "spoilt"
    spoilt.mkdir()
    (spoilt / "second.mrc").symlink_to(data / "second.mrc")
    high = np.array(SHAPE_ZYX[::-1]) - 5
    write_truth(
        spoilt / "second.csv",
        [("small", *generator.uniform(5, high)) for _ in range(COUNTS["small"])],
    )
    more = ["--model", str(base), "--steps", "60"]

    model = learn("update", spoilt, "second", "small", tmp_path / "out", *more)

    record = json.loads((model.parent / "forgetting.json").read_text())
    assert record["verdict"] == "kept old"
    assert any("small" in reason for reason in record["reasons"])
    assert record["recommended"] == str(base)
    assert model.is_file()


def test_without_exemplars_it_says_what_that_costs_and_goes_on(
    data, base, tmp_path, caplog
):
    words = ["exemplars", "--model", str(base), "--delete-all"]
    assert main([*words, "--out", str(tmp_path / "bare")]) == 0
    bare = tmp_path / "bare" / "model.safetensors"

    more = ["--model", str(bare), "--steps", "2"]
    model = learn("update", data, "second", "small", tmp_path / "out", *more)

    assert "keeps no exemplars" in caplog.text
    record = json.loads((model.parent / "forgetting.json").read_text())
    assert record["classes"]["large"]["f1_after"] is None
    assert any("large: no held-out" in reason for reason in record["reasons"])


def test_a_finished_update_is_left_as_it_is(data, base, updated, caplog):
    before = updated.read_bytes()
    more = ["--model", str(base), "--steps", "80", "--owner", "second lab"]
    learn("update", data, "second", "small", updated.parent, *more)

    assert updated.read_bytes() == before
    words = ["update", "--model", str(base), "--tomogram", str(data / "second.mrc")]
    words += ["--coordinates", str(data / "second.csv"), "--out", str(updated.parent)]
    assert main([*words, "--diameter", "small=90", "--steps", "3"]) == 2
    assert "never overwritten" in caplog.text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--diameter", "large=200"], 2, "knows large with 140"),
        (
            ["--diameter", "large=140", "--kind", "large=vesicle"],
            2,
            "knows large as a class of the kind 'particle'",
        ),
        ([], 2, "small in the coordinates is new"),
        (["--diameter", "small=40"], 3, "4.0 voxels at the 10"),
        (["--diameter", "ghost=90"], 3, "no particle of the classes ghost"),
        (["--diameter", "small=90", "--batch-size", "1"], 2, "--batch-size"),
    ],
)
def test_what_cannot_be_learnt_is_said_at_once(
    data, base, tmp_path, caplog, words, code, message
):
    command = ["update", "--model", str(base), "--tomogram", str(data / "second.mrc")]
    command += ["--coordinates", str(data / "second.csv"), "--out", str(tmp_path)]

    assert main([*command, *words]) == code
    assert message in caplog.text
    assert not (tmp_path / "model.safetensors").exists()
