"""What a user can get wrong is said before any training, with the exit code for it."""

import mrcfile
import numpy as np
import pytest
import torch

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.model.pretrained import WEIGHTS
from etpicker_plugin.tests.support.phantoms import DIAMETERS, make_phantoms


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    make_phantoms(folder)
    return folder


def train(data, out, *, tomograms=("TS_a",), csvs=None, diameters=None, more=()):
    names = [f"{k}={v}" for k, v in (diameters or DIAMETERS).items()]
    words = ["train", "--tomogram", *[str(data / f"{t}.mrc") for t in tomograms]]
    words += [
        "--coordinates",
        *map(str, csvs or [data / f"{t}.csv" for t in tomograms]),
    ]
    words += ["--diameter", *names, "--out", str(out), "--steps", "2", *more]
    return main(words)


def write_csv(path, *rows):
    path.write_text("\n".join(["class,x,y,z", *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["large,900,20,20"], ["outside", "900"]),
        (["other,20,20,20"], ["no particle of the classes", "other"]),
        ([], ["no particle of the classes", "none"]),
        (["large,10,x,3"], ["line 2"]),
    ],
)
def test_coordinates(data, tmp_path, caplog, rows, words):
    csv = write_csv(tmp_path / "a.csv", *rows)

    code = train(data, tmp_path / "out", csvs=[csv])

    messages = " ".join(r.getMessage() for r in caplog.records)
    assert code == 3
    assert all(word in messages for word in words), messages
    assert not list((tmp_path / "out").glob("*.safetensors"))


def test_a_class_that_is_nowhere(data, tmp_path, caplog):
    code = train(data, tmp_path / "out", diameters={**DIAMETERS, "ghost": 100.0})

    assert code == 3
    assert "No particle of class ghost" in caplog.text


@pytest.mark.parametrize(
    ("diameter", "word"), [(25.0, "too small"), (600.0, "more than half")]
)
def test_impossible_diameters(data, tmp_path, caplog, diameter, word):
    code = train(data, tmp_path / "out", diameters={"large": diameter})

    assert code == 3
    assert word in caplog.text


def test_unequal_numbers_of_files(data, tmp_path, caplog):
    code = train(
        data, tmp_path / "out", tomograms=("TS_a", "TS_b"), csvs=[data / "TS_a.csv"]
    )

    assert code == 2
    assert "names 2 file(s) and --coordinates 1" in caplog.text


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there(data, tmp_path, caplog):
    code = train(data, tmp_path / "out", more=("--device", "cuda"))

    assert code == 5
    assert "no usable GPU" in caplog.text


def test_a_voxel_size_that_contradicts_the_header(data, tmp_path, caplog):
    code = train(data, tmp_path / "out", more=("--voxel-size", "13"))

    assert code == 3
    assert "10 Å in the header, 13 Å given" in caplog.text


def test_a_thin_tomogram_trains_and_picks(tmp_path):
    # Thinner than a patch, a tile and the network's grid: 5 slices.
    generator = np.random.default_rng(0)
    volume = generator.normal(0, 1, (5, 61, 75))
    centres = [(20, 15), (50, 30), (30, 48), (60, 52), (12, 40)]
    z, y, x = np.ogrid[:5, :61, :75]
    for cx, cy in centres:
        volume -= 4 * (((z - 2) ** 2 + (y - cy) ** 2 + (x - cx) ** 2) < 30)
    with mrcfile.new(tmp_path / "thin.mrc") as mrc:
        mrc.set_data(volume.astype(np.float32))
        mrc.set_volume()
        mrc.voxel_size = 10.0
    write_csv(tmp_path / "thin.csv", *[f"large,{a},{b},2" for a, b in centres])

    code = train(
        tmp_path,
        tmp_path / "out",
        tomograms=("thin",),
        diameters={"large": 120.0},
        more=("--patch-size", "32", "--batch-size", "2"),
    )
    model = tmp_path / "out" / "model.safetensors"
    words = ["pick", "--model", str(model), "--tomogram", str(tmp_path / "thin.mrc")]
    picked = main([*words, "--out", str(tmp_path / "picks"), "--max-picks", "9"])

    assert (code, picked) == (0, 0)
    assert (tmp_path / "picks" / "thin.csv").exists()
    assert (tmp_path / "picks" / "thin.star").exists()


@pytest.mark.parametrize(
    ("more", "begun"),
    [
        ((), file_sha256(WEIGHTS)),
        (("--from-scratch",), ""),
        (("--network", "deepetpicker", "--working-voxel-size", "10"), ""),
    ],
)
def test_the_card_says_which_weights_it_began_from(data, tmp_path, more, begun):
    small = ("--patch-size", "16", "--batch-size", "1")

    assert train(data, tmp_path, more=(*small, *more)) == 0

    card = read_card(tmp_path / "model.safetensors")
    assert card.training["pretrained_sha256"] == begun


def test_the_card_says_what_the_annotation_leaves_out_at_the_faces(data, tmp_path):
    # TS_a is 63 and 75 voxels long in y and x, and the particle 14 wide.
    places = [f"large,{15 + 3 * i % 45},{15 + 7 * i % 33},{i}" for i in range(20)]
    small = ("--patch-size", "16", "--batch-size", "2", "--annotation", "sparse")
    diameter = {"large": DIAMETERS["large"]}

    def border(name, *rows, model=None):
        csv = write_csv(tmp_path / f"{name}.csv", *rows)
        out = tmp_path / name
        if model is None:
            code = train(data, out, csvs=[csv], diameters=diameter, more=small)
        else:
            words = ["update", "--model", str(model), "--coordinates", str(csv)]
            words += ["--tomogram", str(data / "TS_a.mrc"), "--out", str(out)]
            code = main([*words, "--steps", "2", *small])
        assert code == 0
        return read_card(out / "model.safetensors").border_ang

    assert border("first", *places) == DIAMETERS["large"]
    assert border("free", *places, "large,3,30,5", "large,30,3,5") == 0
    first = tmp_path / "first" / "model.safetensors"
    inside, near_a_face = places[:3], "large,30,60,8"
    assert border("kept", *inside, model=first) == DIAMETERS["large"]
    assert border("lost", *inside, near_a_face, model=first) == 0
