"""Names that an older model or a raw file has go through picking and extraction."""

import dataclasses
import logging
import re
import shutil

import mrcfile
import pytest
import starfile

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.model.model_file import load_model, save_model
from etpicker_plugin.tests.support.untrained import (
    make_tiny_tomograms,
    make_untrained_model,
)


def old_model(path, *names):
    """Write a model whose classes have names that training now refuses."""
    network, card = load_model(make_untrained_model(path))
    classes = tuple(
        dataclasses.replace(species, name=name)
        for species, name in zip(card.classes, names, strict=True)
    )
    old = path.with_name("old.safetensors")
    save_model(old, network, dataclasses.replace(card, classes=classes))
    return old


def pick(model, *tomograms, out, more=()):
    words = ["pick", "--model", str(model), "--tomogram", *map(str, tomograms)]
    return main([*words, "--max-picks", "2", "--out", str(out), *more])


def test_an_older_models_class_and_a_raw_files_blanks(tmp_path, caplog):
    model = old_model(tmp_path / "m.safetensors", "26S proteasome", "it's #2")
    tomograms = make_tiny_tomograms(tmp_path, ["my tomo", "TS_2"])
    out = tmp_path / "out"

    with caplog.at_level(logging.WARNING):
        assert pick(model, *tomograms, out=out) == 0

    said = [m for m in caplog.messages if "STAR files hold words" in m]
    assert len(said) == 2  # once for tomograms, once for classes
    assert "'my tomo' is my_tomo" in said[0]
    assert "'26S proteasome' is 26S_proteasome" in said[1]
    picks = read_csv(out / "my tomo.csv", tomogram_id="my tomo")
    assert set(picks.class_names.tolist()) == {"26S proteasome", "it's #2"}
    table = starfile.read(out / "my tomo.star")
    assert set(table["rlnTomoName"]) == {"my_tomo"}
    assert set(table["etpickerClassName"]) == {"26S_proteasome", "it_s__2"}
    assert list(table["etpickerClassName"]) == [
        {"26S proteasome": "26S_proteasome", "it's #2": "it_s__2"}[name]
        for name in picks.class_names
    ]
    assert not (out / "failed").exists()
    assert pick(model, *tomograms, out=out) == 0  # it is picked already


@pytest.mark.parametrize(
    ("names", "tomograms", "message"),
    [
        (("a b", "a_b"), ["TS_1"], "Classes of the model: .* would both be a_b"),
        (("a", "b"), ["my tomo", "my_tomo"], "Tomograms: .* would both be my_tomo"),
    ],
)
def test_two_of_one_word_are_refused_at_once(
    tmp_path, caplog, names, tomograms, message
):
    model = old_model(tmp_path / "m.safetensors", *names)
    paths = make_tiny_tomograms(tmp_path, tomograms)

    assert pick(model, *paths, out=tmp_path / "out") == 2

    assert any(re.match(message, m) for m in caplog.messages)
    assert not list((tmp_path / "out").glob("*.csv"))


def test_a_probability_map_that_would_leave_the_folder(tmp_path, caplog):
    model = old_model(tmp_path / "m.safetensors", "../../up", "b")
    (path,) = make_tiny_tomograms(tmp_path, ["TS_1"])
    out = tmp_path / "a" / "b" / "out"

    assert pick(model, path, out=out, more=["--probability-map"]) == 2
    assert "no file can be named after the model's class '../../up'" in caplog.text
    assert not list(tmp_path.rglob("*probability*"))
    assert pick(model, path, out=out) == 0


def test_masks_in_another_order(tmp_path):
    model = make_untrained_model(tmp_path / "m.safetensors")
    tomograms = make_tiny_tomograms(tmp_path, ["TS_1", "TS_10"])
    for name, half in (("TS_1", slice(0, 18)), ("TS_10", slice(18, 36))):
        shutil.copy(tmp_path / f"{name}.mrc", tmp_path / f"mask_{name}.mrc")
        with mrcfile.open(tmp_path / f"mask_{name}.mrc", mode="r+") as mrc:
            mrc.data[:] = 0
            mrc.data[:, :, half] = 1
    masks = [str(tmp_path / f"mask_{n}.mrc") for n in ("TS_10", "TS_1")]

    assert pick(model, *tomograms, out=tmp_path / "o", more=["--mask", *masks]) == 0

    x_of = {
        n: read_csv(tmp_path / "o" / f"{n}.csv", tomogram_id=n).positions_zyx[:, 2]
        for n in ("TS_1", "TS_10")
    }
    assert len(x_of["TS_1"])
    assert len(x_of["TS_10"])
    assert x_of["TS_1"].max() < 18.0 < x_of["TS_10"].min() + 1.0


def test_boxes_of_a_tomogram_with_blanks(tmp_path, caplog):
    (path,) = make_tiny_tomograms(tmp_path, ["my tomo"])
    (tmp_path / "my tomo.csv").write_text("class,x,y,z\n80S ribosome,18,14,10\n")
    words = ["extract", "--coordinates", str(tmp_path / "my tomo.csv"), "--tomogram"]
    words += [str(path), "--diameter", "80S ribosome=60", "--tilt-range", "-60", "60"]

    with caplog.at_level(logging.WARNING):
        assert main([*words, "--box-size", "8", "--out", str(tmp_path / "out")]) == 0

    table = starfile.read(tmp_path / "out" / "particles.star")["particles"]
    assert set(table["rlnMicrographName"]) == {"my_tomo.mrc"}
    assert set(table["etpickerClassName"]) == {"80S_ribosome"}
    assert all((tmp_path / "out" / n).is_file() for n in table["rlnImageName"])
    assert "'my tomo' is my_tomo" in caplog.text


def test_a_new_class_is_refused_before_it_is_learnt(tmp_path, caplog):
    model = make_untrained_model(tmp_path / "m.safetensors")
    (path,) = make_tiny_tomograms(tmp_path, ["TS_1"])
    csv = tmp_path / "TS_1.csv"
    csv.write_text("class,x,y,z\n26S proteasome,18,14,10\n")
    words = ["--tomogram", str(path), "--coordinates", str(csv), "--diameter"]
    words += ["26S proteasome=100", "--steps", "2", "--out", str(tmp_path / "out")]

    for command in (["train"], ["update", "--model", str(model)]):
        caplog.clear()
        assert main([*command, *words]) == 2
        assert "for example 26S_proteasome" in caplog.text
        assert not list((tmp_path).rglob("out/*.safetensors"))
