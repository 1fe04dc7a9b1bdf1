"""The demo's parts: runs that stay, progress that is followed, pictures, the page."""

import json
import logging
import os
import stat
import subprocess

import numpy as np
import pytest

from etpicker_plugin.demo import __main__ as demo
from etpicker_plugin.demo.follow import ProjectFollower
from etpicker_plugin.demo.page import Picture, make_page
from etpicker_plugin.demo.pictures import (
    FALSE_COLOUR,
    MISSED_COLOUR,
    choose_heights,
    draw_slices,
    find_pairs,
    to_data_url,
)
from etpicker_plugin.demo.scipion_home import project_folder, write_scripts
from etpicker_plugin.demo.workflow import stay_on_cpu
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.progress import ProgressEvent


def test_a_new_run_leaves_the_earlier_ones(tmp_path, caplog):
    first, first_project = demo.new_run(tmp_path)
    (first / "report.html").write_text("result")
    with caplog.at_level(logging.INFO):
        second, second_project = demo.new_run(tmp_path)

    assert (first.name, second.name) == ("run_01", "run_02")
    assert (first_project, second_project) == ("etpicker_demo_01", "etpicker_demo_02")
    assert (first / "report.html").read_text() == "result"
    assert "stay as they are" in caplog.text


def test_a_project_whose_run_was_removed_is_not_in_the_way(tmp_path):
    project_folder(tmp_path / "scipion", "etpicker_demo_01").mkdir(parents=True)
    folder, project = demo.new_run(tmp_path)
    assert (folder.name, project) == ("run_02", "etpicker_demo_02")


def test_template_gets_the_phantoms_diameters(tmp_path):
    (tmp_path / "train").mkdir()
    sizes = {"ring": 193.2, "ribosome": 323.3, "gold": 100.0}
    record = {"species": {k: {"diameter_ang": v} for k, v in sizes.items()}}
    (tmp_path / "train" / "train_01.json").write_text(json.dumps(record))
    values = demo.template_values(tmp_path, minutes=2.5)
    assert values["diameter"] == "ribosome:323 ring:193"
    assert values["max_minutes"] == "2.5"


def test_follower_shows_each_whole_line_once(tmp_path):
    path = tmp_path / "Runs" / "000007_ProtEtPickerTrain" / "extra" / "progress.jsonl"
    path.parent.mkdir(parents=True)
    line = {"time": 1.0, "stage": "training", "done": 1, "total": 9, "loss": 0.5}
    path.write_text(json.dumps(line) + '\n{"stage": "tr')
    shown = []
    follower = ProjectFollower(tmp_path, shown.append)

    follower.show_news()
    assert shown == [ProgressEvent("training", 1, 9, {"loss": 0.5})]
    follower.show_news()
    assert len(shown) == 1
    with path.open("a") as stream:
        stream.write('aining", "done": 2, "total": 9}\n')
    follower.show_news()
    assert shown[1:] == [ProgressEvent("training", 2, 9, {})]


def test_our_protocols_stay_on_the_cpu(tmp_path):
    path = tmp_path / "workflow.json"
    names = ("ProtImportTomograms", "ProtEtPickerTrain")
    path.write_text(json.dumps([{"object.className": name} for name in names]))
    stay_on_cpu(path)
    entries = json.loads(path.read_text())
    assert entries == [
        {"object.className": "ProtImportTomograms"},
        {"object.className": "ProtEtPickerTrain", "useGpu": False},
    ]


def test_the_script_opens_the_project_in_the_demo_s_scipion(tmp_path):
    home = tmp_path / "a home"
    script = write_scripts(tmp_path, home, "etpicker_demo_03")
    assert script.stat().st_mode & stat.S_IXUSR
    assert script.read_text().endswith("-m scipion project etpicker_demo_03\n")
    command = f". '{tmp_path}/scipion.sh'; echo $SCIPION_HOME; echo $PATH"
    shown = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert shown[0] == str(home)
    assert os.environ["PATH"] in shown[1]


@pytest.fixture
def found():
    picks = make_particles("t", [[5, 10, 20], [5, 30, 40]], class_names="a")
    truth = make_particles("t", [[5, 10, 21], [5, 12, 60]], class_names="a")
    return find_pairs(picks, truth, {"a": 4.0})


def test_pairs_tell_true_false_and_missed(found):
    assert found["a"].is_true.tolist() == [True, False]
    assert found["a"].is_found.tolist() == [True, False]


def test_heights_are_near_the_most_particles_and_apart():
    truth = [np.array([[12.0, 0, 0]] * 5), np.array([[30.0, 0, 0]] * 3)]
    heights = choose_heights(50, truth)
    assert heights == sorted(heights)
    assert min(np.diff(heights)) >= 10
    assert any(abs(z - 12) < 5 for z in heights)
    assert any(abs(z - 30) < 5 for z in heights)


def test_slices_show_picks_false_picks_and_misses(found):
    data = np.random.default_rng(0).normal(size=(11, 45, 63))
    figure = draw_slices(data, found)
    heights = choose_heights(11, [found["a"].truth_zyx])
    marked = figure.axes[2 * heights.index(5) + 1]
    rings = {
        line.get_color(): (line.get_xdata().mean(), line.get_ydata().mean())
        for line in marked.lines
        if len(line.get_xdata()) == 61
    }
    assert rings[FALSE_COLOUR] == pytest.approx((40, 30), abs=0.1)
    assert rings[MISSED_COLOUR] == pytest.approx((60, 12), abs=0.1)
    (crosses,) = [line for line in marked.lines if line.get_marker() == "+"]
    assert sorted(crosses.get_xdata()) == [21, 60]
    assert figure.axes[0].images[0].get_array().shape == (45, 63)
    assert to_data_url(figure).startswith("data:image/png;base64,iVBOR")


def test_page_needs_nothing_outside_it():
    page = make_page(
        lead="a <b",
        metrics={"ribosome": {"f1": 0.951, "n_picks": 20, "average_precision": None}},
        pictures=[Picture("Training", "curves", "data:image/png;base64,AA==")],
        facts={"Time": "7 min"},
    )
    assert "a &lt;b" in page
    assert "<td>0.95</td>" in page
    assert "<td>20</td>" in page
    assert "<td>-</td>" in page
    assert "7 min" in page
    assert "http" not in page
    assert page.count("src=") == page.count('src="data:')
