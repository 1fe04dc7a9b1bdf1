"""Inputs edited between two runs of every command are noticed; so are cut results."""

import json
import os
import shutil

import numpy as np
import pytest

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.picking.partial import PartialPicks
from etpicker_plugin.engine.training import run
from etpicker_plugin.tests.support.phantoms import (
    DIAMETERS,
    draw,
    make_phantoms,
    write_tomogram,
)
from etpicker_plugin.tests.support.untrained import (
    MOST_PICKS,
    TINY_ZYX,
    make_tiny_tomograms,
    make_untrained_model,
)

LEARN = ["--steps", "2", "--batch-size", "2", "--patch-size", "32", "--threads", "1"]
NAMED = [f"{name}={value:g}" for name, value in DIAMETERS.items()]


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    make_phantoms(folder)
    make_untrained_model(folder / "old.safetensors")
    return folder


@pytest.fixture(autouse=True)
def _log(caplog):
    caplog.set_level("INFO")


@pytest.fixture
def data(phantoms, tmp_path):
    """Return a copy that a test may edit."""
    return shutil.copytree(phantoms, tmp_path / "data")


def learn(command, data, out, *more):
    words = [command, "--tomogram", str(data / "TS_a.mrc"), "--out", str(out)]
    words += ["--coordinates", str(data / "TS_a.csv"), "--diameter", *NAMED, *LEARN]
    if command == "update":
        words += ["--model", str(data / "old.safetensors")]
    else:
        words += ["--working-voxel-size", "10"]
    return main([*words, *more])


class StopError(Exception):
    """Stands for a kill after the last step."""


def stop(*_arguments, **_keywords):
    raise StopError


def leave_unfinished(command, data, out, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(run, "save_model", stop)
        with pytest.raises(StopError):
            learn(command, data, out)
    assert (out / "training_state.safetensors").exists()
    assert not (out / "model.safetensors").exists()


def move_a_click(csv):
    lines = csv.read_text().splitlines()
    name, x, y, z = lines[1].split(",")
    lines[1] = f"{name},{float(x) + 0.5:.3f},{y},{z}"
    csv.write_text("\n".join(lines) + "\n")


# train and update -----------------------------------------------------------------


@pytest.mark.parametrize("command", ["train", "update"])
@pytest.mark.parametrize("finished", [True, False])
def test_edited_clicks_are_another_run(
    command, finished, data, tmp_path, monkeypatch, caplog
):
    out = tmp_path / "out"
    if finished:
        assert learn(command, data, out) == 0
    else:
        leave_unfinished(command, data, out, monkeypatch)
    before = {p.name: p.read_bytes() for p in out.glob("*.safetensors")}
    move_a_click(data / "TS_a.csv")

    assert learn(command, data, out) == 2

    assert "coordinates of TS_a has changed" in caplog.text
    assert "give another --out" in caplog.text
    assert {p.name: p.read_bytes() for p in out.glob("*.safetensors")} == before


@pytest.mark.parametrize("command", ["train", "update"])
def test_the_same_inputs_elsewhere_are_the_same_run(
    command, data, tmp_path, monkeypatch, caplog
):
    out = tmp_path / "out"
    leave_unfinished(command, data, out, monkeypatch)
    moved = shutil.move(data, tmp_path / "moved")

    assert learn(command, moved, out) == 0
    assert "Going on from step 2" in caplog.text
    before = (out / "model.safetensors").read_bytes()
    assert learn(command, moved, out, "--threads", "2") == 0
    assert "finished already" in caplog.text
    assert (out / "model.safetensors").read_bytes() == before


def test_another_tomogram_under_the_same_name_is_another_run(data, tmp_path, caplog):
    assert learn("train", data, tmp_path / "out") == 0
    shutil.copy(data / "TS_b.mrc", data / "TS_a.mrc")
    assert learn("train", data, tmp_path / "out") == 2
    assert "tomogram TS_a has changed" in caplog.text


def test_another_old_model_is_another_update(data, tmp_path, caplog):
    assert learn("update", data, tmp_path / "out") == 0
    (data / "old.safetensors").unlink()
    make_untrained_model(data / "old.safetensors", seed=1)
    assert learn("update", data, tmp_path / "out") == 2
    assert "model has changed" in caplog.text


def test_clicks_mended_after_a_refusal_are_learnt_in_the_same_folder(data, tmp_path):
    csv = data / "TS_a.csv"
    good = csv.read_text()
    csv.write_text("class,x,y,z\nlarge,900,20,20\n")
    assert learn("train", data, tmp_path / "out") == 3
    csv.write_text(good)
    assert learn("train", data, tmp_path / "out") == 0


# pick -----------------------------------------------------------------------------


@pytest.fixture
def tiny(tmp_path):
    make_untrained_model(tmp_path / "model.safetensors")
    make_tiny_tomograms(tmp_path, ["TS_1", "TS_2"])
    return tmp_path


def pick(folder, *more, names=("TS_1", "TS_2")):
    words = ["pick", "--model", str(folder / "model.safetensors"), "--out"]
    words += [str(folder / "out"), "--max-picks", str(MOST_PICKS), "--device", "cpu"]
    words += ["--tomogram", *(str(folder / f"{n}.mrc") for n in names), "--threads"]
    return main([*words, "1", *more])


def without_comments(path):
    """A table's first line holds the time at which it was written."""
    return [line for line in path.read_text().splitlines() if line[:1] != "#"]


def test_the_sidecar_says_how_many_picks_there_are(tiny):
    assert pick(tiny) == 0
    record = json.loads((tiny / "out/TS_1.json").read_text())
    picks = read_csv(tiny / "out/TS_1.csv", tomogram_id="TS_1")
    assert record["picks"] == len(picks) > 0
    assert sorted(record["files"]) == ["TS_1.csv", "TS_1.star"]
    assert record["run"]["inputs"][1] == ["tomogram TS_1", record["tomogram_sha256"]]


@pytest.mark.parametrize("kind", ["csv", "star"])
@pytest.mark.parametrize("change", ["cut short", "edited", "gone"])
def test_picks_that_do_not_agree_are_made_again(tiny, kind, change, caplog):
    assert pick(tiny) == 0
    out = tiny / "out"
    files = [out / f"TS_1.{k}" for k in ("csv", "star")]
    before = [without_comments(f) for f in files]
    wrong = out / f"TS_1.{kind}"
    other = (out / "TS_2.csv").stat().st_mtime_ns
    text = wrong.read_text()
    if change == "gone":
        wrong.unlink()
    else:
        now = text[: len(text) // 2] if change == "cut short" else text + "\n"
        wrong.write_text(now)

    assert pick(tiny) == 0

    assert [without_comments(f) for f in files] == before
    assert f"TS_1.{kind} is not as it was written" in caplog.text
    assert "TS_2 is picked already" in caplog.text
    assert (out / "TS_2.csv").stat().st_mtime_ns == other
    aside = {p.name: p.read_text() for p in out.glob("*.old-*")}
    assert aside == ({} if change == "gone" else {f"TS_1.{kind}.old-1": now})
    caplog.clear()
    assert pick(tiny) == 0
    assert caplog.text.count("picked already") == 2


def test_a_users_file_of_that_name_is_kept(tiny):
    (tiny / "out").mkdir()
    (tiny / "out/TS_1.csv").write_text("class,x,y,z\nlarge,1,2,3\n")
    assert pick(tiny) == 0
    kept = (tiny / "out/TS_1.csv.old-1").read_text()
    assert kept == "class,x,y,z\nlarge,1,2,3\n"


def test_picks_of_another_tomogram_are_refused_with_the_reason(tiny, caplog):
    assert pick(tiny) == 0
    shutil.copy(tiny / "TS_2.mrc", tiny / "TS_1.mrc")
    assert pick(tiny) == 2
    assert "tomogram TS_1 has changed" in caplog.text


def vanish(folder):
    (folder / "TS_1.mrc").unlink()


def replace(folder):
    shutil.copy(folder / "TS_2.mrc", folder / "x.mrc")
    (folder / "x.mrc").rename(folder / "TS_1.mrc")


def overwrite(folder):
    shutil.copyfile(folder / "TS_2.mrc", folder / "TS_1.mrc")


def cut_short(folder):
    whole = (folder / "TS_1.mrc").read_bytes()
    (folder / "TS_1.mrc").write_bytes(whole[:2000])


def change_the_mask(folder):
    write_tomogram(folder / "mask_1.mrc", np.zeros(TINY_ZYX, np.float32))


def cut_the_mask_short(folder):
    os.truncate(folder / "mask_1.mrc", 1100)  # To read a map of it would be SIGBUS.


def remove_the_mask(folder):
    (folder / "mask_1.mrc").unlink()


OF_THE_MASK = (change_the_mask, cut_the_mask_short, remove_the_mask)


@pytest.mark.parametrize(
    "change", [vanish, replace, overwrite, cut_short, *OF_THE_MASK]
)
def test_a_tomogram_that_changes_while_it_is_picked_fails_alone(
    tiny, change, monkeypatch, caplog
):
    generator = np.random.default_rng(5)
    big = draw((41, 63, 75), [("large", 40.0, 30.0, 20.0)], generator=generator)
    write_tomogram(tiny / "TS_1.mrc", big)
    if change in OF_THE_MASK:
        write_tomogram(tiny / "TS_1.mrc", big[: TINY_ZYX[0], : TINY_ZYX[1], :36])
    masks = [tiny / "mask_1.mrc", tiny / "mask_2.mrc"]
    for name, mask in zip(("TS_1", "TS_2"), masks, strict=True):
        shape = TINY_ZYX if name == "TS_2" or change in OF_THE_MASK else big.shape
        write_tomogram(mask, np.ones(shape, np.float32))
    add, done = PartialPicks.add, []

    def add_and_change(self, number, peaks):
        add(self, number, peaks)
        if not done:
            change(tiny)
            done.append(number)

    monkeypatch.setattr(PartialPicks, "add", add_and_change)

    assert pick(tiny, "--tile-size", "32", "--mask", *map(str, masks)) == 0

    out = tiny / "out"
    assert done
    assert sorted(p.name for p in out.glob("[!.]*.*")) == [
        *("TS_2.csv", "TS_2.json", "TS_2.star"),
    ]
    assert [p.name for p in (out / "failed").iterdir()] == ["TS_1.json"]
    note = json.loads((out / "failed/TS_1.json").read_text())
    assert note["kind"] == "InputDataError"
    assert "again" in note["message"]
    assert not list(out.glob(".TS_1*"))
    assert "1 tomogram(s) could not be picked: TS_1" in caplog.text
