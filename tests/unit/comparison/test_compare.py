"""``etpicker compare`` from folders to folders, with numbers worked out by hand.

Voxels are of 10 Å, the particle of 100 Å: two picks within 5 voxels are the same.
"""

import json
import re

import mrcfile
import numpy as np
import pytest

from etpicker_plugin.engine.comparison.compare import compare
from etpicker_plugin.engine.config.compare import CompareConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.progress import ignore_progress

SHAPES = {"TS_1": (31, 47, 63), "TS_2": (33, 41, 59), "TS_3": (31, 43, 61)}
# Six particles per tomogram, at least 10 voxels apart.
PLACES = np.array(
    [[8, 8, 8], [8, 20, 30], [20, 8, 45], [22, 30, 12], [10, 34, 50], [24, 22, 28]],
    dtype=float,
)
SHIFTED = PLACES[2:] + np.array([0, 2, 0])


def write_tomogram(path, shape_zyx, voxel_size=10.0):
    with mrcfile.new(path) as mrc:
        mrc.set_data(np.zeros(shape_zyx, np.int8))
        mrc.set_volume()
        mrc.voxel_size = voxel_size


def write_set(folder, places, *, names=SHAPES, class_name="ring"):
    folder.mkdir()
    for name in names:
        lines = [f"{class_name},{x},{y},{z},{0.5}" for z, y, x in places]
        text = "\n".join(["class,x,y,z,score", *lines]) + "\n"
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    for name, shape in SHAPES.items():
        write_tomogram(tmp_path / f"{name}.mrc", shape)
    write_set(tmp_path / "a", PLACES[:4])
    write_set(tmp_path / "b", SHIFTED)
    write_set(tmp_path / "true", PLACES[:5])
    return tmp_path


def config_of(folder, out="out", **parameters):
    values = {
        "picks": {"A": str(folder / "a"), "B": str(folder / "b")},
        "tomogram": tuple(str(folder / f"{n}.mrc") for n in SHAPES),
        "diameter": {"ring": 100.0},
        "out": str(folder / out),
    }
    return CompareConfig(**{**values, **parameters})


def run(folder, **parameters):
    config = config_of(folder, **parameters)
    out = folder / parameters.get("out", "out")
    out.mkdir(exist_ok=True)
    compare(config, out, on_progress=ignore_progress)
    return json.loads((out / "compare.json").read_text(encoding="utf-8"))


def test_counts_offset_and_coordinates_of_every_subset(folder):
    found = run(folder)

    assert {k: s["n"] for k, s in found["subsets"].items()} == {
        "A only": 6,
        "B only": 6,
        "A∩B": 6,
    }
    (pair,) = found["pairs"]
    assert pair["n_both"] == 6
    assert pair["dice"] == 0.5
    assert pair["offset_voxels_xyz"] == pytest.approx([0, 2, 0])
    assert pair["origin_alarm"] is True
    assert "B lies +2.0 ± 0.0 voxels along y of A" in pair["message"]
    both = read_csv(folder / "out/subsets/A_and_B/TS_2.csv", tomogram_id="TS_2")
    np.testing.assert_allclose(both.positions_zyx, PLACES[2:4])
    alone = read_csv(folder / "out/subsets/B_only/TS_1.csv", tomogram_id="TS_1")
    np.testing.assert_allclose(alone.positions_zyx, SHIFTED[2:])
    np.testing.assert_allclose(alone.scores, 0.5)


def test_a_set_s_scores_stand_in_the_column_that_is_named(folder):
    for path in (folder / "b").glob("*.csv"):
        rows = "".join(f"ring,{x},{y},{z},0.5,{z}\n" for z, y, x in SHIFTED)
        path.write_text("class,x,y,z,score,LCC\n" + rows, encoding="utf-8")

    run(folder, score_column={"B": "LCC"})

    alone = read_csv(folder / "out/subsets/B_only/TS_1.csv", tomogram_id="TS_1")
    np.testing.assert_allclose(alone.scores, SHIFTED[2:, 0])
    both = read_csv(folder / "out/subsets/A_and_B/TS_1.csv", tomogram_id="TS_1")
    np.testing.assert_allclose(both.scores, 0.5)  # A's, of the column 'score'.


def test_the_column_of_a_set_that_is_not_there_is_refused(folder):
    with pytest.raises(ConfigError, match=r"there is no set C. The sets are A, B"):
        config_of(folder, score_column={"C": "LCC"})


def test_scores_against_a_truth_by_hand(folder):
    found = run(folder, truth=str(folder / "true"), resamples=200)

    a, b = (found["sets"][n]["truth"] for n in "AB")
    assert a["scores"]["precision"] == 1.0
    assert a["scores"]["recall"] == pytest.approx(4 / 5)
    assert b["scores"]["precision"] == pytest.approx(3 / 4)
    assert b["scores"]["mean_offset_voxels_xyz"] == pytest.approx([0, 2, 0])
    # Every tomogram is the same, so drawing them anew changes nothing.
    assert a["intervals"]["recall"] == pytest.approx([0.8, 0.8])


def test_the_page_needs_nothing_outside_it_and_says_the_alarm(folder):
    run(folder, truth=str(folder / "true"))
    page = (folder / "out/report.html").read_text(encoding="utf-8")
    sources = re.findall(r'(?:src|href)\s*=\s*"([^"]{0,22})', page)
    assert sources == ["data:image/png;base64,"] * 2
    assert "voxels along y of A" in page
    assert "etpicker compare --picks A=" in page
    assert "average precision" in page


def test_the_only_class_of_a_set_is_taken_whatever_its_name(folder, caplog):
    write_set(folder / "other", PLACES[:2], class_name="particle")
    for csv in (folder / "other").glob("*.csv"):  # Negatives are no particles.
        csv.write_text(csv.read_text(encoding="utf-8") + "negative,9,9,9,\n", "utf-8")
    picks = {"A": str(folder / "a"), "C": str(folder / "other")}
    found = run(folder, picks=picks)
    assert found["subsets"]["A∩C"]["n"] == 6
    assert "its class particle is ring" in caplog.text


def test_tomograms_that_one_set_lacks_are_left_out_of_all(folder, caplog):
    write_set(folder / "part", PLACES[:3], names=["TS_1", "TS_9"])
    picks = {"A": str(folder / "a"), "P": str(folder / "part")}
    found = run(folder, picks=picks)
    assert found["tomograms"] == ["TS_1"]
    assert found["left_out"] == ["TS_2", "TS_3"]
    assert found["sets"]["A"]["n"] == 4
    assert "no tomogram for TS_9" in caplog.text


def test_files_named_after_their_tomograms_and_hidden_ones(folder, caplog):
    plain = run(folder, out="plain")
    for name in SHAPES:
        path = folder / "b" / f"{name}.csv"
        path.rename(path.with_name(f"{name}_picks.csv"))
        (folder / "b" / f"._{name}.csv").write_bytes(b"\0\5\x16\7")

    found = run(folder)

    assert found["subsets"] == plain["subsets"]
    assert "taken by their names: TS_1_picks.csv for TS_1" in caplog.text
    assert "._TS_1" not in caplog.text


def test_a_result_is_never_overwritten(folder):
    run(folder)
    run(folder)
    with pytest.raises(ConfigError, match="never overwritten: give another --out"):
        run(folder, match_distance=20.0)
    write_set(folder / "c", PLACES[:1])
    (folder / "a/TS_1.csv").write_bytes((folder / "c/TS_1.csv").read_bytes())
    with pytest.raises(ConfigError, match="picks A of TS_1 has changed"):
        run(folder)


def test_an_edited_truth_is_noticed(folder):
    run(folder, truth=str(folder / "true"))
    (folder / "true/TS_2.csv").write_bytes((folder / "a/TS_2.csv").read_bytes())
    with pytest.raises(ConfigError, match="truth of TS_2 has changed"):
        run(folder, truth=str(folder / "true"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"b": None}, r"Set B: .*b is no folder"),
        ({"b": {"names": ["TS_9"]}}, r"Set B: no CSV in .* It holds TS_9; the tomo"),
        ({"b": {"places": []}}, r"Set B: not one pick in TS_1, TS_2, TS_3"),
        ({"b": {"places": [[90.0, 1, 1]]}}, r"lie outside the tomogram"),
    ],
)
def test_sets_that_cannot_be_compared(folder, change, message):
    for file in (folder / "b").iterdir():
        file.unlink()
    (folder / "b").rmdir()
    values = change["b"]
    if values is not None:
        write_set(folder / "b", **{"places": PLACES, **values})
    with pytest.raises(InputDataError, match=message):
        run(folder)


def test_sets_without_a_common_tomogram(folder):
    write_set(folder / "p", PLACES, names=["TS_1"])
    write_set(folder / "q", PLACES, names=["TS_2"])
    picks = {"P": str(folder / "p"), "Q": str(folder / "q")}
    with pytest.raises(InputDataError, match=r"covered by all sets \(P: TS_1; Q: TS_2"):
        run(folder, picks=picks)


def test_tomograms_of_different_voxel_sizes(folder):
    write_tomogram(folder / "TS_4.mrc", (30, 40, 50), voxel_size=13.0)
    tomograms = (str(folder / "TS_1.mrc"), str(folder / "TS_4.mrc"))
    with pytest.raises(InputDataError, match=r"TS_1 and TS_4 have voxels of 10 and 13"):
        run(folder, tomogram=tomograms)


def test_two_classes_in_a_set_of_another_name(folder):
    write_set(folder / "two", PLACES[:2], class_name="x")
    path = folder / "two/TS_1.csv"
    path.write_text(path.read_text() + "y,1,2,3,0.1\n", encoding="utf-8")
    picks = {"A": str(folder / "a"), "T": str(folder / "two")}
    with pytest.raises(InputDataError, match=r"no particle of class ring; .* x, y\."):
        run(folder, picks=picks)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"picks": {"A": "a"}}, r"got 1 set\(s\), expected 2 to 5"),
        ({"picks": {"A": "a", "a": "b"}}, "differ in case only"),
        ({"picks": {"A": "a", "control": "b"}}, "name of the random coordinates"),
        ({"picks": {"A": "a", "x/y": "b"}}, "holds a path separator"),
        ({"diameter": {"a": 100.0, "b": 90.0}}, "got 2 classes, expected one"),
        ({"diameter": {"a": 3.0}}, "10 to 5000 Å"),
        ({"match_distance": -1.0}, "expected a number above 0"),
        ({"resamples": 5}, "expected 100 or more"),
    ],
)
def test_parameters_that_are_refused(tmp_path, parameters, message):
    with pytest.raises(ConfigError, match=message):
        config_of(tmp_path, **parameters)
