"""Whole commands on MRC files as other programs write them."""

import json
import logging

import numpy as np
import pytest

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.training.material import Material
from etpicker_plugin.tests.support.mrc_headers import stored_in, write_mrc
from etpicker_plugin.tests.support.phantoms import make_phantom
from etpicker_plugin.tests.support.untrained import make_untrained_model

SHAPE = (20, 28, 36)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_untrained_model(tmp_path_factory.mktemp("model") / "model.safetensors")


@pytest.fixture(scope="module")
def voxels():
    noise = np.random.default_rng(0).normal(120, 30, SHAPE)
    return np.clip(noise, 0, 250).round().astype("i2")


def pick(model, folder, names, *more):
    tomograms = [str(folder / f"{name}.mrc") for name in names]
    words = ["pick", "--model", str(model), "--tomogram", *tomograms]
    words += ["--out", str(folder / "out"), "--max-picks", "4", "--threads", "1"]
    return main([*words, "--device", "cpu", *more])


def picks_of(folder, name):
    return (folder / "out" / f"{name}.csv").read_text()


def test_one_volume_in_many_files_gives_the_same_picks(model, voxels, tmp_path):
    plain = write_mrc(tmp_path / "plain.mrc", voxels)
    write_mrc(tmp_path / "big.mrc", voxels, order=">")
    unsigned = voxels.astype("u1")
    values = (float(voxels.min()), float(voxels.max()))
    write_mrc(tmp_path / "imod.mrc", unsigned, imod_flags=0, version=0)
    write_mrc(tmp_path / "old.mrc", unsigned, version=0, values=values)
    write_mrc(tmp_path / "wrong.mrc", unsigned, version=20140, values=values)
    for axes in ((1, 3, 2), (3, 1, 2), (3, 2, 1)):
        name = "axes_{}{}{}".format(*axes)
        write_mrc(tmp_path / f"{name}.mrc", stored_in(voxels, axes), axes=axes)
    write_mrc(tmp_path / "stamp.mrc", voxels, stamp=b"\0\0\0\0")
    names = sorted(p.stem for p in tmp_path.glob("*.mrc"))

    assert pick(model, tmp_path, names) == 0

    expected = picks_of(tmp_path, plain.stem)
    assert len(expected.splitlines()) == 1 + 2 * 4  # Of each class.
    assert {name: picks_of(tmp_path, name) for name in names} == dict.fromkeys(
        names, expected
    )


def test_what_cannot_be_used_is_left_out_and_the_others_go_on(model, voxels, tmp_path):
    refused = {
        "short": "was cut off",
        "axes": "axis order",
        "cubes": "not cubes",
        "negative": "size (x, y, z) -36, 28, 20",
        "coarse": "100 Å per voxel, but the network works at 10 Å",
        "packed": "compressed with gzip",
        "gone": "no such file",
    }
    whole = write_mrc(tmp_path / "good.mrc", voxels).read_bytes()
    (tmp_path / "short.mrc").write_bytes(whole[:-7])
    write_mrc(tmp_path / "axes.mrc", voxels, axes=(1, 1, 2))
    write_mrc(tmp_path / "cubes.mrc", voxels, cell=(360.0, 280.0, 100.0))
    write_mrc(tmp_path / "negative.mrc", voxels, size=(-36, 28, 20))
    write_mrc(tmp_path / "coarse.mrc", voxels, cell=(3600.0, 2800.0, 2000.0))
    (tmp_path / "packed.mrc").write_bytes(b"\x1f\x8b" + bytes(5000))

    assert pick(model, tmp_path, ["good", *refused]) == 0

    assert picks_of(tmp_path, "good")
    notes = {
        path.stem: json.loads(path.read_text())
        for path in (tmp_path / "out" / "failed").glob("*.json")
    }
    assert set(notes) == set(refused)
    for name, words in refused.items():
        assert notes[name]["kind"] == "InputDataError"
        assert words in notes[name]["message"]


def test_a_missing_mask_fails_its_tomogram_alone(model, voxels, tmp_path):
    for name in ("one", "two"):
        write_mrc(tmp_path / f"{name}.mrc", voxels)
    write_mrc(tmp_path / "mask.mrc", (voxels > 100).astype("i1"))
    masks = [str(tmp_path / name) for name in ("none.mrc", "mask.mrc")]

    assert pick(model, tmp_path, ["one", "two"], "--mask", *masks) == 0

    note = json.loads((tmp_path / "out/failed/one.json").read_text())
    assert "none.mrc: no such file" in note["message"]
    assert picks_of(tmp_path, "two")


def test_a_mask_hides_the_same_however_it_is_stored(model, voxels, tmp_path):
    inside = np.zeros(SHAPE, bool)
    inside[2:16, 4:20, 15:33] = True
    masks = {"plain": (0, 1), "bytes": (0, 255), "shifted": (128, 129)}
    for name, values in masks.items():
        write_mrc(tmp_path / f"{name}.mrc", voxels)
        stored = stored_in(np.where(inside, values[1], values[0]), (2, 1, 3))
        write_mrc(tmp_path / f"m_{name}.mrc", stored.astype("u1"), axes=(2, 1, 3))

    paths = [str(tmp_path / f"m_{name}.mrc") for name in masks]
    assert pick(model, tmp_path, masks, "--mask", *paths) == 0

    texts = {picks_of(tmp_path, name) for name in masks}
    (text,) = texts
    rows = [line.split(",")[1:4] for line in text.splitlines()[1:]]
    assert rows
    for x, y, z in np.asarray(rows, float).round().astype(int):
        assert inside[z, y, x]


def test_a_voxel_size_is_overruled_by_insisting_alone(model, voxels, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    write_mrc(tmp_path / "right.mrc", voxels)
    write_mrc(tmp_path / "wrong.mrc", voxels, cell=(180.0, 140.0, 100.0))
    given = ("--voxel-size", "10")

    assert pick(model, tmp_path, ["wrong"], *given) == 3
    assert "5 Å in the header, 10 Å given" in caplog.text
    assert "--trust-voxel-size" in caplog.text
    assert pick(model, tmp_path, ["right", "wrong"], *given, "--trust-voxel-size") == 0
    assert picks_of(tmp_path, "right") == picks_of(tmp_path, "wrong")
    # The same run with or without the flag: the voxel size is what counts.
    assert pick(model, tmp_path, ["right"], *given) == 0
    assert "right is picked already" in caplog.text
    assert pick(model, tmp_path, ["wrong"], "--trust-voxel-size") == 2


def test_a_voxel_size_of_one_angstrom_is_doubted(model, voxels, tmp_path, caplog):
    write_mrc(tmp_path / "denoised.mrc", voxels, cell=(36.0, 28.0, 20.0))

    assert pick(model, tmp_path, ["denoised"], "--voxel-size", "10") == 0
    assert "its header says 1 Å" in caplog.text
    caplog.clear()
    pick(model, tmp_path, ["denoised"])
    assert "a voxel size of 1 Å in the header, as programs write" in caplog.text


def test_a_tomogram_may_go_when_it_has_been_learnt_from(tmp_path, monkeypatch):
    tomogram = tmp_path / "TS_1.mrc"
    make_phantom(tomogram, (41, 43, 47), {"large": 5}, seed=1)
    describe = Material.describe_tomograms

    def describe_later(self):
        tomogram.unlink(missing_ok=True)
        return describe(self)

    monkeypatch.setattr(Material, "describe_tomograms", describe_later)
    words = ["train", "--tomogram", str(tomogram), "--diameter", "large=140"]
    words += ["--coordinates", str(tmp_path / "TS_1.csv"), "--steps", "2"]
    words += ["--out", str(tmp_path / "out"), "--device", "cpu", "--exemplars", "none"]

    assert main(words) == 0
    assert not tomogram.exists()
