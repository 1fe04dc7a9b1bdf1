"""Vesicles found one to one, by hand-made picks."""

import json

import numpy as np
import pytest

from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.evaluation.evaluate import evaluate
from etpicker_plugin.engine.evaluation.vesicles import judge_vesicles
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.progress import ignore_progress


def made(*rows):
    """Return vesicles of (x, y, z, radius in Å)."""
    table = np.array(rows, float).reshape(-1, 4)
    return make_particles(
        "TS_1",
        table[:, 2::-1],
        class_names="liposome",
        optional={"radius": table[:, 3]},
    )


def judge(picks, truth, **changes):
    sizes = {"diameter_ang": 600.0, "voxel_size": 10.0, "match_distance": 0.5}
    return judge_vesicles(picks, truth, **{**sizes, **changes})


TRUTH = made((50, 60, 20, 300), (120, 30, 25, 200), (90, 150, 10, 400))


def test_numbers_worked_out_by_hand():
    picks = made(
        (53, 64, 20, 330),  # 50 Å off, 10 % larger
        (120, 30, 36, 200),  # 110 Å off, more than half of 200: not found
        (90, 150, 9, 392),  # 10 Å off, 2 % smaller
        (10, 10, 10, 300),
    )
    found = judge([picks], [TRUTH])

    assert found["precision"] == pytest.approx(2 / 4)
    assert found["recall"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx(4 / 7)
    assert found["centre_error_ang"] == pytest.approx(30)
    assert found["radius_error"] == pytest.approx(0.06)
    assert (found["n_picks"], found["n_truth"], found["n_found"]) == (4, 3, 2)


def test_a_vesicle_is_found_once():
    found = judge([made((50, 60, 20, 300), (51, 60, 20, 300))], [TRUTH])

    assert found["precision"] == pytest.approx(1 / 2)
    assert found["recall"] == pytest.approx(1 / 3)
    assert found["centre_error_ang"] == 0


def test_of_two_about_one_centre_the_radius_decides():
    truth = made((50, 60, 20, 300), (50, 60, 21, 180))
    found = judge([made((50, 60, 20, 182), (50, 60, 21, 297))], [truth])

    assert found["f1"] == 1
    assert found["radius_error"] == pytest.approx(0.5 * (2 / 180 + 3 / 300))


def test_tomograms_are_counted_together_and_not_mixed():
    found = judge([made((50, 60, 20, 300)), made()], [made(), TRUTH])

    assert (found["n_found"], found["n_picks"], found["n_truth"]) == (0, 1, 3)
    assert found["f1"] == 0
    assert found["centre_error_ang"] is None
    assert found["radius_error"] is None


def test_without_radii_half_the_diameter_is_the_measure():
    bare = make_particles("TS_1", [[20, 60, 50]], class_names="liposome")
    picks = made((50, 74, 20, 310))  # 140 Å off

    found = judge([picks], [bare])
    assert found["f1"] == 1
    assert found["radius_error"] is None
    assert judge([picks], [bare], diameter_ang=400.0)["f1"] == 0
    unknown = made((50, 60, 20, np.nan), (120, 30, 25, 200))
    both = judge([made((50, 60, 20, 310), (120, 30, 25, 210))], [unknown])
    assert both["radius_error"] == pytest.approx(0.05)


def test_a_radius_that_is_none_is_refused():
    with pytest.raises(InputDataError, match="has a radius of -3"):
        judge([made()], [made((50, 60, 20, -3))])


# ------------------------- the command -----------------------------------------
HEAD = "class,x,y,z,score,radius\n"


def run(folder, picks, truth):
    for name, text in (("picks", picks), ("truth", truth)):
        (folder / name).mkdir()
        (folder / name / "TS_1.csv").write_text(HEAD + text, encoding="utf-8")
    config = EvaluateConfig(
        picks=(str(folder / "picks" / "TS_1.csv"),),
        truth=(str(folder / "truth" / "TS_1.csv"),),
        voxel_size=10.0,
        diameter={"liposome": 600.0, "ring": 80.0},
        kind={"liposome": "vesicle"},
        out=str(folder),
    )
    evaluate(config, folder, on_progress=ignore_progress)
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def test_the_command_judges_vesicles_beside_particles(tmp_path):
    metrics = run(
        tmp_path,
        "liposome,50,60,23,0.9,306\nliposome,9,9,9,0.8,300\nring,5,6,7,0.9,\n",
        "liposome,50,60,20,,300\nring,5,6,8,,\n",
    )

    liposome, ring = (metrics["classes"][name] for name in ("liposome", "ring"))
    assert liposome["f1"] == pytest.approx(2 / 3)
    assert liposome["centre_error_ang"] == pytest.approx(30)
    assert liposome["radius_error"] == pytest.approx(0.02)
    assert ring["f1"] == 1
    assert "liposome" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_file_of_a_wrong_radius_is_named(tmp_path):
    with pytest.raises(InputDataError, match=r"TS_1.csv: .*radius of -3 Å"):
        run(tmp_path, "liposome,50,60,23,0.9,306\n", "liposome,50,60,20,,-3\n")


def test_radii_that_look_like_diameters_are_told_once(tmp_path, caplog):
    rows = "".join(f"liposome,{x},60,20,,610\n" for x in (50, 150, 250))
    run(tmp_path, "liposome,50,60,23,0.9,306\n", rows)

    told = [r for r in caplog.records if "they are diameters" in r.message]
    assert len(told) == 1
