"""The live picker as a process: lines in, lines out."""

import json
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.evaluation.matching import match_picks
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.tests.support.phantoms import DIAMETERS, make_phantom

SHAPE_ZYX = (45, 91, 115)
COUNTS = {"large": 14, "small": 16}
CLASSES = [{"name": "large", "diameter_ang": DIAMETERS["large"]}]
LIMITED = """
import resource, sys
from etpicker_plugin.engine.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(main(sys.argv[2:]))
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    for seed, name in enumerate(("first", "second")):
        make_phantom(folder / f"{name}.mrc", SHAPE_ZYX, COUNTS, seed=seed)
    return folder


class Live:
    """A process that is asked and read line by line."""

    def __init__(self, process):
        self.process = process
        self.number = 0

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def until(self, *kinds):
        """Return the events up to the first of these kinds."""
        events = []
        for line in self.process.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] in kinds:
                return events
        raise AssertionError(f"it ended: {self.process.stderr.read()}")

    def solve(self, marks, *, classes=CLASSES, first="first", z=20.0):
        """Return the events of an answer."""
        self.number += 1
        looked_at = {"tomogram": first, "z": z}
        self.ask(
            do="solve",
            number=self.number,
            classes=classes,
            marks=marks,
            first=looked_at,
        )
        events = self.until("solved")
        assert {event["number"] for event in events} == {self.number}
        return events


@contextmanager
def live(out, *tomograms, most=10**12, code=0):
    words = ["live", "--tomogram", *tomograms, "--out", out, "--device", "cpu"]
    process = subprocess.Popen(
        [sys.executable, "-c", LIMITED, str(most), *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        found = Live(process)
        assert found.until("ready") == [{"event": "ready"}]
        yield found
        process.stdin.close()
        assert process.wait(30) == code, process.stderr.read()


def truth_of(data, name, species="large"):
    """Return xyz."""
    found = read_csv(data / f"{name}.csv", tomogram_id=name).of_class(species)
    return found.positions_zyx[:, ::-1]


def one_click(data):
    return {"first": {"large": truth_of(data, "first")[:1].tolist()}}


def whole(events, tomogram, name="large"):
    """Return xyz and scores of the last event on all of a tomogram."""
    found = [
        event["classes"][name]
        for event in events
        if event["event"] == "candidates"
        and event["tomogram"] == tomogram
        and event["whole"]
    ][-1]
    return np.array(found["xyz"]).reshape(-1, 3), np.array(found["scores"])


def cut_off(events, name="large"):
    return [e for e in events if e["event"] == "cut_off"][-1]["classes"][name]


def refusals(events):
    return [event["text"] for event in events if event["event"] == "refused"]


def f1_of(picks, truth):
    hits = match_picks(picks, truth, max_distance=DIAMETERS["large"] / 20)
    return 2 * len(hits.distances) / (len(picks) + len(truth))


def test_one_click_finds_the_others_there_and_elsewhere(data, tmp_path):
    with live(tmp_path, data / "first.mrc", data / "second.mrc") as asked:
        events = asked.solve(one_click(data))
    cut = cut_off(events)
    assert 0 < cut["least"] < cut["cut_off"] < cut["most"] < 1
    for name in ("first", "second"):
        positions, scores = whole(events, name)
        kept = positions[scores >= cut["cut_off"]]
        assert f1_of(kept, truth_of(data, name)) > 0.8, name
    seen = [e for e in events if e["event"] == "candidates" and not e["whole"]]
    assert any(e["z"][0] <= 20 < e["z"][1] for e in seen)
    for event in seen:
        z = [place[2] for place in event["classes"]["large"]["xyz"]]
        assert all(event["z"][0] <= plane < event["z"][1] for plane in z)
    told = {(e["tomogram"], e["what"]) for e in events if e["event"] == "progress"}
    assert told == {
        (name, what)
        for name in ("first", "second")
        for what in ("features", "candidates")
    }


def test_what_is_rejected_falls(data, tmp_path):
    """Of the class of the small ones, clicked once: two of the large ones, rejected."""
    small, large = truth_of(data, "first", "small"), truth_of(data, "first")
    marks = {"first": {"small": small[:1].tolist()}}
    classes = [{"name": "small", "diameter_ang": DIAMETERS["small"]}]
    with live(tmp_path, data / "first.mrc") as asked:
        before = whole(asked.solve(marks, classes=classes), "first", "small")
        wrong = large[np.argsort(-score_near(before, large))[:2]]
        marks["first"]["negative"] = wrong.tolist()
        after = whole(asked.solve(marks, classes=classes), "first", "small")
    assert score_near(before, wrong).min() > 0.05  # usual places score 0.02
    assert (score_near(after, wrong) < 0.6 * score_near(before, wrong)).all()
    assert score_near(after, small).mean() > 0.6 * score_near(before, small).mean()


def test_classes_are_told_apart(data, tmp_path):
    small, large = truth_of(data, "first", "small"), truth_of(data, "first")
    marks = {"first": {"large": large[:1].tolist(), "small": small[:2].tolist()}}
    classes = [*CLASSES, {"name": "small", "diameter_ang": DIAMETERS["small"]}]
    with live(tmp_path, data / "first.mrc") as asked:
        events = asked.solve(marks, classes=classes)
    for name, own, other in ("large", large, small), ("small", small, large):
        found = whole(events, "first", name)
        assert score_near(found, own).mean() > 2 * score_near(found, other).mean()
        assert set(cut_off(events, name)) == {"cut_off", "least", "most"}


def test_unusual_clicks_hundreds_against_one_none_and_on_nothing(data, tmp_path):
    small, large = truth_of(data, "first", "small"), truth_of(data, "first")
    scatter = np.random.default_rng(4).normal(0, 0.5, (7, len(small), 3))
    many = (small + scatter).reshape(-1, 3)[:100].tolist()
    classes = [*CLASSES, {"name": "small", "diameter_ang": DIAMETERS["small"]}]
    marks = {"first": {"large": large[:1].tolist(), "small": many}}
    with live(tmp_path, data / "first.mrc") as asked:
        events = asked.solve(marks, classes=classes)
        found = whole(events, "first", "large")
        assert score_near(found, large).mean() > 2 * score_near(found, small).mean()
        assert f1_of(found[0][found[1] >= cut_off(events)["cut_off"]], large) > 0.6

        # Its only click taken back, and rejected instead: it has none any more.
        marks["first"] = {"small": many, "negative": marks["first"]["large"]}
        events = asked.solve(marks, classes=classes)
        assert {name for e in events for name in e.get("classes", {})} == {"small"}
        # All taken back: there is nothing to look for.
        marks["first"] = {"negative": many[:5]}
        assert [e["event"] for e in asked.solve(marks)] == ["solved"]

        # One on nothing is doubted, and answered.
        nothing = far_from_all(data)
        events = asked.solve({"first": {"large": [nothing]}})
        (text,) = refusals(events)
        assert "1 of 1 click(s) lie where nothing stands out" in text
        assert ", ".join(map(str, nothing)) in text
        assert events[-1]["event"] == "solved"


def far_from_all(data):
    """Return a place xyz that is the farthest from any particle."""
    truth = [truth_of(data, "first", name) for name in ("small", "large")]
    grid = np.stack(np.meshgrid(*map(np.arange, SHAPE_ZYX[::-1]), indexing="ij"), -1)
    grid = grid[12:-12:5, 12:-12:5, 12:-12:5].reshape(-1, 3)
    apart = np.linalg.norm(grid[:, None] - np.concatenate(truth), axis=2).min(axis=1)
    return grid[apart.argmax()].tolist()


def score_near(found, places):
    """Return the best score within half a small diameter of each place; else 0."""
    positions, scores = found
    reach = DIAMETERS["small"] / 20
    distances = np.linalg.norm(positions[None] - places[:, None], axis=2)
    return np.where(distances < reach, scores[None], 0).max(axis=1)


def test_the_saved_model_picks_the_same(data, tmp_path):
    model = tmp_path / "live.safetensors"
    with live(tmp_path / "kept", data / "first.mrc", data / "second.mrc") as asked:
        asked.ask(do="save", path=str(model))
        assert "no model to save" in asked.until("refused")[-1]["text"]
        events = asked.solve(one_click(data))
        asked.ask(do="save", path=str(model))
        assert asked.until("saved")[-1] == {"event": "saved", "path": str(model)}
        asked.ask(do="save", path=str(model))
        assert "never overwritten" in asked.until("refused")[-1]["text"]
    cut = cut_off(events)["cut_off"]
    words = ["pick", "--model", str(model), "--tomogram", str(data / "second.mrc")]
    assert main([*words, "--out", str(tmp_path / "picks"), "--device", "cpu"]) == 0
    picks = read_csv(tmp_path / "picks" / "second.csv", tomogram_id="second")
    positions, scores = whole(events, "second")
    kept = np.flatnonzero(scores >= cut + 0.01)
    picked = picks.positions_zyx[:, ::-1]
    assert len(kept) > 8
    assert abs(len(picked) - len(kept)) <= 2  # Some may lie at the cut-off.
    distances = np.linalg.norm(positions[kept][:, None] - picked[None], axis=2)
    assert distances.min(axis=1).max() < 0.3
    nearest = distances.argmin(axis=1)
    assert np.abs(picks.scores[nearest] - scores[kept]).max() < 0.02
    card = read_card(model)
    assert [s.threshold for s in card.classes] == [cut]
    assert card.annotation == "sparse"
    assert card.training["stopped_by"] == "solved"
    assert card.training["clicks"] == one_click(data)
    assert [t.particles for t in card.tomograms] == [{"large": 1}]


def test_a_killed_process_goes_on_where_it_was(data, tmp_path):
    marks = one_click(data)
    with live(tmp_path, data / "first.mrc", code=-9) as asked:
        asked.ask(do="solve", number=1, classes=CLASSES, marks=marks)
        done = asked.until("progress")[-1]["done"]
        asked.process.kill()
    with live(tmp_path, data / "first.mrc") as asked:
        events = asked.solve(marks)
    made = [e["done"] for e in events if e.get("what") == "features"]
    assert all(number > done for number in made)
    with live(tmp_path, data / "first.mrc") as asked:
        again = asked.solve(marks)
    assert not [e for e in again if e.get("what") == "features"]
    with live(tmp_path / "anew", data / "first.mrc") as asked:
        anew = asked.solve(marks)
    for one, other in zip(whole(again, "first"), whole(anew, "first"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_tomogram_that_changed_is_refused(data, tmp_path):
    copies = [tmp_path / f"{name}.mrc" for name in ("first", "second")]
    for copy in copies:
        copy.write_bytes((data / copy.name).read_bytes())
    kept, marks = tmp_path / "kept", one_click(data)
    with live(kept, *copies) as asked:
        assert refusals(asked.solve(marks)) == []
        values = bytearray(copies[0].read_bytes())
        values[2000:2100] = bytes(100)
        copies[0].write_bytes(values)
        changed = asked.solve(marks)
        assert "was changed or replaced" in refusals(changed)[0]
        copies[0].write_bytes((data / "first.mrc").read_bytes())
        assert refusals(asked.solve(marks)) == []
        copies[1].unlink()
        (text,) = refusals(asked.solve(marks))
        assert "vanished" in text
        assert refusals(asked.solve(marks)) == []  # It is said once: it has no marks.
    copies[0].write_bytes(values)
    with live(kept, copies[0]) as asked:
        (text,) = refusals(asked.solve(marks))
        assert "a tomogram that has changed since" in text


def test_what_cannot_be_used_is_said_and_the_rest_answered(data, tmp_path):
    marks = one_click(data)
    marks["first"]["large"].append([500, 2, 3])
    marks["elsewhere"] = {"large": [[1, 2, 3]]}
    with live(tmp_path, data / "first.mrc") as asked:
        events = asked.solve(marks)
        outside, unknown = refusals(events)
        assert "(115, 91, 45)" in outside
        assert "elsewhere" in unknown
        assert len(whole(events, "first")[0]) > 5
        assert asked.solve({}) == [{"event": "solved", "number": 2}]
        asked.ask(do="dance")
        assert "expected one of: solve, save" in asked.until("refused")[-1]["text"]
        tiny = [{"name": "large", "diameter_ang": 12.0}]
        (text,) = refusals(asked.solve(one_click(data), classes=tiny))
        assert "too small to be seen" in text


def test_no_room_for_features_is_said_before_it_begins(data, tmp_path):
    with live(tmp_path, data / "first.mrc", most=3_000_000) as asked:
        events = asked.solve(one_click(data))
        (text,) = refusals(events)
        assert "features of first" in text
        assert "ulimit -f" in text
        assert [e["event"] for e in events] == ["refused", "solved"]
    assert list(tmp_path.glob("*.features")) == []


def test_a_newer_question_is_answered_instead(data, tmp_path):
    first, others = one_click(data), truth_of(data, "first")[:3].tolist()
    with live(tmp_path, data / "first.mrc") as asked:
        for number in (1, 2, 3):
            marks = first if number < 3 else {"first": {"large": others}}
            asked.ask(
                do="solve", number=number, classes=CLASSES, marks=marks, first=None
            )
        events = asked.until("solved")
    assert events[-1] == {"event": "solved", "number": 3}
