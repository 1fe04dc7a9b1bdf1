"""Numbers of filaments, worked out by hand. Å; a filament is 100 Å wide."""

import json

import numpy as np
import pytest

from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.evaluation.evaluate import evaluate
from etpicker_plugin.engine.evaluation.filament_pictures import draw_filaments
from etpicker_plugin.engine.evaluation.filaments import compare_filaments, summarise
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.progress import ignore_progress


def line(*corners):
    return np.array(corners, float)


LONG = line((0, 0, 0), (0, 0, 1000))
FAR = line((500, 0, 0), (500, 0, 1000))


def judged(picks, truth):
    return summarise([compare_filaments(picks, truth, width=100.0, within=50.0)])


def test_a_filament_off_by_a_known_distance():
    # Given by other points, and turned by 0.02 rad: 20 Å off at an end, 0 at the other.
    pick = line((0, 0, 0), (0, 10, 500), (0, 20, 1000))
    numbers = judged([pick], [LONG])
    assert numbers["recall_length"] == 1
    assert numbers["precision_length"] == 1
    assert numbers["mean_distance_ang"] == pytest.approx(10, abs=0.2)
    assert numbers["distance_95_ang"] == pytest.approx(19, abs=0.2)
    assert numbers["tangent_error_deg"] == pytest.approx(np.degrees(0.02), abs=0.01)
    assert numbers["filament_f1"] == 1
    assert numbers["splits_per_filament"] == 0
    assert (numbers["n_picks"], numbers["n_truth"], numbers["n_found"]) == (1, 1, 1)
    assert numbers["length_truth_ang"] == 1000
    assert numbers["length_picks_ang"] == pytest.approx(np.hypot(1000, 20))


def test_lengths_count_not_points():
    half = line((0, 0, 0), *[(0, 0, x) for x in range(50, 451, 2)])
    numbers = judged([half, line((300, 0, 0), (300, 0, 150))], [LONG, FAR])
    assert numbers["recall_length"] == pytest.approx(500 / 2000, abs=0.01)
    assert numbers["precision_length"] == pytest.approx(450 / 600, abs=0.01)
    assert numbers["filament_f1"] == 0


@pytest.mark.parametrize(("end", "found"), [(770, 1), (730, 0)])
def test_four_fifths_of_the_length_is_found(end, found):
    """The end covers half a width more."""
    numbers = judged([line((0, 0, 0), (0, 0, end))], [LONG])
    assert numbers["n_found"] == found


def test_a_pick_that_goes_on_beyond_is_not_on_it():
    numbers = judged([line((0, 0, 0), (0, 0, 1400))], [LONG])
    assert numbers["recall_length"] == 1
    assert numbers["precision_length"] == pytest.approx(1050 / 1400, abs=0.01)
    assert numbers["filament_f1"] == 0


def test_pieces_are_splits_and_a_pick_along_two_is_a_merge():
    pieces = [line((0, 0, a), (0, 0, b)) for a, b in ((0, 250), (350, 600), (700, 999))]
    numbers = judged([*pieces, FAR], [LONG, FAR])
    assert numbers["splits_per_filament"] == 2 / 2
    assert numbers["merges_per_filament"] == 0
    assert numbers["filament_f1"] == pytest.approx(2 * 1 / (4 + 2))

    two = [line((0, 0, 0), (0, 0, 500)), line((0, 0, 600), (0, 0, 1000))]
    numbers = judged([LONG], two)
    assert numbers["merges_per_filament"] == 1
    assert numbers["splits_per_filament"] == 0
    assert numbers["precision_length"] == 1


def test_one_pick_is_one_filaments_and_crossings_are_no_pieces():
    twice = judged([LONG, LONG + 10], [LONG])
    assert twice["n_found"] == 1
    assert twice["filament_f1"] == pytest.approx(2 / 3)
    assert twice["splits_per_filament"] == 1
    across = line((0, -500, 500), (0, 500, 500))
    both = judged([LONG, across], [LONG, across])
    assert both["filament_f1"] == 1
    assert both["splits_per_filament"] == both["merges_per_filament"] == 0


def test_without_picks_or_truth():
    numbers = judged([], [LONG])
    assert numbers["recall_length"] == numbers["precision_length"] == 0
    assert numbers["mean_distance_ang"] is None
    assert judged([LONG], [])["filament_f1"] == 0
    assert judged([], [])["splits_per_filament"] == 0


# ------------------------- the command ------------------------------------------
TRUTH = (
    "class,x,y,z,filament\nmt,10,20,30,a\nmt,60,20,30,a\nribosome,5,6,7,\n"
    "mt,10,50,30,b\nmt,110,50,30,b\n"
)
PICKS = (
    "class,x,y,z,score,filament\nmt,10,20,31,0.9,1\nmt,60,20,31,0.5,1\n"
    "ribosome,5,6,8,0.9,\n"
)


def run(folder, picks=PICKS, truth=TRUTH, **changed):
    for kind, text in (("picks", picks), ("truth", truth)):
        (folder / kind).mkdir()
        (folder / kind / "TS_1.csv").write_text(text)
    config = EvaluateConfig(
        picks=(str(folder / "picks/TS_1.csv"),),
        truth=(str(folder / "truth/TS_1.csv"),),
        kind={"mt": "filament"},
        **{"diameter": {"mt": 100.0, "ribosome": 300.0}, **changed},
        voxel_size=10.0,
        out=str(folder),
    )
    evaluate(config, folder, on_progress=ignore_progress)
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def test_filaments_beside_particles_from_files_to_files(tmp_path):
    metrics = run(tmp_path)
    assert list(metrics["classes"]) == ["mt", "ribosome"]
    assert metrics["classes"]["ribosome"]["f1"] == 1
    mt = metrics["classes"]["mt"]
    assert mt == metrics["tomograms"]["TS_1"]["mt"]
    assert mt["recall_length"] == pytest.approx(500 / 1500)
    assert mt["precision_length"] == 1
    assert mt["mean_distance_ang"] == pytest.approx(10)
    assert mt["filament_f1"] == pytest.approx(2 / 3)
    assert mt["splits_per_filament"] == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<th>recall length</th>" in page
    assert "<th>mean distance (Å)</th>" in page
    assert "<td>10.0</td>" in page
    assert "<th>best F1</th>" in page
    assert "colour alone is false" in page
    assert (tmp_path / "filaments.png").read_bytes()[1:4] == b"PNG"


def test_filaments_alone_have_a_report_without_the_particles_curves(tmp_path):
    run(tmp_path, diameter={"mt": 100.0})
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "best F1" not in page
    assert not (tmp_path / "precision_recall.png").exists()


def test_what_is_no_filament_is_told_with_its_file(tmp_path):
    with pytest.raises(InputDataError, match=r"truth/TS_1\.csv: .*'c' has one point"):
        run(tmp_path, truth=TRUTH + "mt,1,2,3,c\n")
    (tmp_path / "other").mkdir()
    with pytest.raises(InputDataError, match=r"picks/TS_1\.csv: .* name no filament"):
        run(tmp_path / "other", picks="class,x,y,z\nmt,1,2,3\n")


@pytest.mark.parametrize(("depth", "views"), [(0.0, ["xy"]), (7.0, ["xy", "xz"])])
def test_a_micrograph_is_seen_from_one_side(depth, views):
    own = make_particles(
        "M", [(0, 3, 4), (depth, 30, 40)], class_names="mt", optional={"filament": "a"}
    )
    figure = draw_filaments({"M": (own, own)}, ["mt"])

    assert [a.get_xlabel() + a.get_ylabel() for a in figure.axes] == views
