"""``etpicker evaluate`` from files to files, with numbers worked out by hand.

Voxels are of 10 Å and a ribosome of 100 Å, so a pick is true within 5 voxels.
"""

import json
import re

import pytest

from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.evaluation.evaluate import evaluate
from etpicker_plugin.engine.progress import ignore_progress

TRUTH = {
    "TS_1": "class,x,y,z\nribosome,10,20,30\nribosome,40,50,20\nring,5,6,7\n"
    "gold,1,1,1\n",
    "TS_2": "class,x,y,z\nribosome,10,10,10\nribosome,30,30,30\n",
}
PICKS = {
    # Off by 3 voxels along x and by 4 along z, one false, and a class not judged.
    "TS_1": "class,x,y,z,score\nribosome,13,20,30,0.9\nribosome,40,50,24,0.8\n"
    "ribosome,60,60,10,0.7\ngold,1,1,1,0.9\n",
    # Six voxels away is no hit; the ring is in the other tomogram.
    "TS_2": "class,x,y,z,score\nribosome,10,10,16,0.95\nring,5,6,7,0.5\n",
}


def run(folder, picks, truth, **parameters):
    paths = {"picks": [], "truth": []}
    for kind, texts in (("picks", picks), ("truth", truth)):
        (folder / kind).mkdir()
        for name, text in texts.items():
            path = folder / kind / f"{name}.csv"
            path.write_text(text, encoding="utf-8")
            paths[kind].append(str(path))
    config = EvaluateConfig(
        picks=tuple(paths["picks"]),
        truth=tuple(paths["truth"]),
        voxel_size=10.0,
        out=str(folder),
        **{"diameter": {"ribosome": 100.0, "ring": 80.0}, **parameters},
    )
    evaluate(config, folder, on_progress=ignore_progress)
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def test_two_tomograms_by_hand(tmp_path):
    metrics = run(tmp_path, PICKS, TRUTH)

    assert list(metrics["classes"]) == ["ribosome", "ring"]
    ribosome, ring = metrics["classes"].values()
    assert (ribosome["n_picks"], ribosome["n_truth"]) == (4, 4)
    assert ribosome["n_true_positive"] == 2
    assert ribosome["precision"] == 0.5
    assert ribosome["recall"] == 0.5
    assert ribosome["f1"] == 0.5
    assert ribosome["mean_distance_voxels"] == pytest.approx(3.5)
    assert ribosome["mean_distance_ang"] == pytest.approx(35.0)
    assert ribosome["mean_offset_voxels_xyz"] == pytest.approx([1.5, 0.0, 2.0])
    # Ranked 0.95 false, 0.9 true, 0.8 true, 0.7 false.
    assert ribosome["average_precision"] == pytest.approx(0.25 / 2 + 0.25 * 2 / 3)
    assert ribosome["best_f1"] == pytest.approx(4 / 7)
    assert ribosome["best_threshold"] == 0.8
    assert (ring["n_picks"], ring["n_truth"], ring["n_true_positive"]) == (1, 1, 0)
    assert (ring["precision"], ring["recall"], ring["f1"]) == (0, 0, 0)
    assert ring["average_precision"] == 0
    assert ring["mean_distance_voxels"] is None
    first = metrics["tomograms"]["TS_1"]["ribosome"]
    assert first["precision"] == pytest.approx(2 / 3)
    assert first["recall"] == 1.0
    assert first["f_beta"] == pytest.approx(17 * (2 / 3) / (16 * 2 / 3 + 1))
    assert metrics["tomograms"]["TS_2"]["ribosome"]["recall"] == 0.0
    assert metrics["settings"]["match_distance"] == 0.5
    # 0.95 is false and 0.9 true; 0.8 is true, 0.7 false.
    high = {"n_picks": 2, "mean_score": pytest.approx(0.925), "share_true": 0.5}
    reliability = metrics["reliability"]["ribosome"]
    assert [b["n_picks"] for b in reliability["bins"]] == [1, 1, 2]
    assert reliability["bins"][-1] == high
    error = (0.7 + 0.2 + 2 * 0.425) / 4
    assert reliability["expected_calibration_error"] == pytest.approx(error)


def test_the_column_of_the_scores_is_chosen_in_the_picks_alone(tmp_path):
    picks = {
        "TS_1": "class,x,y,z,score,CC\nribosome,13,20,30,0.9,0.1\n"
        "ribosome,40,50,24,0.8,0.9\nribosome,60,60,10,0.7,0.5\n",
        "TS_2": "class,x,y,z,score,CC\nribosome,10,10,16,0.95,0.3\n",
    }

    metrics = run(tmp_path, picks, TRUTH, score_column="CC")

    # Ranked 0.9 true, 0.5 false, 0.3 false, 0.1 true; four particles.
    ribosome = metrics["classes"]["ribosome"]
    assert ribosome["average_precision"] == pytest.approx(0.25 + 0.25 * 2 / 4)
    assert (ribosome["best_threshold"], ribosome["best_f1"]) == (0.1, 0.5)
    (tmp_path / "other").mkdir()
    with pytest.raises(InputDataError, match=r"TS_1.csv: no column lcc, which --score"):
        run(tmp_path / "other", picks, TRUTH, score_column="lcc")


def test_the_report_needs_nothing_outside_it(tmp_path):
    name = "rib<b>&x"
    run(
        tmp_path,
        {"TS_1": f"class,x,y,z,score\n{name},13,20,30,0.9\n"},
        {"TS_1": f"class,x,y,z\n{name},10,20,30\n"},
        diameter={name: 100.0},
    )

    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    sources = re.findall(r'(?:src|href)\s*=\s*"([^"]{0,22})', page)
    assert sources == ["data:image/png;base64,"] * 3
    assert "http" not in re.sub(r"base64,[^\"]*", "", page)
    assert "<script" not in page
    assert "<td>rib&lt;b&gt;&amp;x</td>" in page
    assert "rib<b>" not in page
    assert "<h3>TS_1</h3>" in page
    for picture in ("precision_recall.png", "scores.png", "reliability.png"):
        assert (tmp_path / picture).read_bytes()[1:4] == b"PNG"


def test_files_pair_by_position(tmp_path):
    truth = {"second_true": TRUTH["TS_2"], "first_true": TRUTH["TS_1"]}

    metrics = run(tmp_path, PICKS, truth, diameter={"ribosome": 100.0})

    assert list(metrics["tomograms"]) == ["TS_1", "TS_2"]
    assert metrics["tomograms"]["TS_1"]["ribosome"]["n_truth"] == 2
    assert metrics["classes"]["ribosome"]["n_true_positive"] == 0


def test_the_same_names_in_another_order_pair_by_name(tmp_path):
    turned = {name: TRUTH[name] for name in ("TS_2", "TS_1")}

    metrics = run(tmp_path, PICKS, turned, diameter={"ribosome": 100.0})

    (tmp_path / "same").mkdir()
    same = run(tmp_path / "same", PICKS, TRUTH, diameter={"ribosome": 100.0})
    assert metrics["tomograms"] == same["tomograms"]
    assert metrics["classes"]["ribosome"]["n_true_positive"] == 2


def test_two_of_one_name_are_refused():
    with pytest.raises(ConfigError, match="Several tomograms are named x"):
        EvaluateConfig(
            picks=("a/x.csv", "b/x.csv"),
            truth=("1.csv", "2.csv"),
            diameter={"ribosome": 100.0},
            voxel_size=10.0,
            out="out",
        )


def test_empty_picks_and_a_class_that_the_truth_lacks(tmp_path, caplog):
    metrics = run(
        tmp_path,
        {"TS_1": "class,x,y,z,score\n"},
        {"TS_1": TRUTH["TS_1"]},
        diameter={"ribosome": 100.0, "ghost": 80.0},
    )

    ribosome, ghost = metrics["classes"].values()
    assert (ribosome["n_picks"], ribosome["n_truth"]) == (0, 2)
    assert (ribosome["precision"], ribosome["recall"], ribosome["f1"]) == (0, 0, 0)
    assert ribosome["mean_distance_voxels"] is None
    assert ribosome["average_precision"] is None
    assert (ghost["n_truth"], ghost["recall"]) == (0, 0)
    assert "Class ribosome: there are no picks of it." in caplog.text
    assert "Class ghost: the truth holds none of it" in caplog.text
    assert "Class ribosome: the truth" not in caplog.text
    assert (tmp_path / "report.html").stat().st_size > 0


def test_picks_without_scores_one_class_off_by_a_voxel(tmp_path, caplog):
    places = [(10 * n, 7 * n, 3 * n) for n in range(10)]
    picks = "class,x,y,z\nring,500,500,500\n"
    truth = "class,x,y,z\n"
    for name, shift in (("ring", 1), ("ribosome", 0.25)):
        truth += "".join(f"{name},{x},{y},{z}\n" for x, y, z in places)
        picks += "".join(f"{name},{x},{y},{z + shift}\n" for x, y, z in places)

    metrics = run(tmp_path, {"a": picks}, {"a": truth})

    ring, ribosome = metrics["classes"]["ring"], metrics["classes"]["ribosome"]
    assert ring["precision"] == pytest.approx(10 / 11)
    assert ring["recall"] == 1.0
    assert ring["mean_distance_voxels"] == pytest.approx(1.0)
    assert ring["mean_offset_voxels_xyz"] == pytest.approx([0, 0, 1])
    assert ring["average_precision"] is None
    assert ring["best_threshold"] is None
    assert metrics["reliability"]["ring"] is None
    assert ribosome["mean_distance_voxels"] == pytest.approx(0.25)
    assert "Class ring: picks lie off by 0.00 0.00 1.00 voxels" in caplog.text
    assert "Class ribosome: picks lie off" not in caplog.text


def test_a_missing_file_is_an_input_error(tmp_path):
    config = EvaluateConfig(
        picks=(str(tmp_path / "nowhere.csv"),),
        truth=(str(tmp_path / "nowhere.csv"),),
        diameter={"ring": 80.0},
        voxel_size=10.0,
        out=str(tmp_path),
    )

    with pytest.raises(InputDataError, match=r"nowhere\.csv: no such file"):
        evaluate(config, tmp_path, on_progress=ignore_progress)
    assert list(tmp_path.iterdir()) == []
