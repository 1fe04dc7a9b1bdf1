"""What the live picker says is read, or refused; never half taken."""

import json

import pytest

from etpicker_plugin.engine.json_checks import JsonFault
from etpicker_plugin.window.live.events import (
    CutOff,
    CutOffs,
    Progress,
    Ready,
    Refused,
    Saved,
    Solved,
    read_event,
)

PROGRESS = {"number": 7, "tomogram": "TS", "done": 40, "total": 100, "what": "features"}


def line(event, **values):
    return json.dumps({"event": event, **values}).encode() + b"\n"


def test_each_event_is_what_it_says():
    cut = {"cut_off": 0.41, "least": 0.3, "most": 0.55}
    assert read_event(line("ready")) == Ready()
    assert read_event(line("progress", **PROGRESS)) == Progress(**PROGRESS)
    assert read_event(line("cut_off", number=7, classes={"a": cut})) == CutOffs(
        number=7, classes={"a": CutOff(score=0.41, least=0.3, most=0.55)}
    )
    assert read_event(line("solved", number=7)) == Solved(number=7)
    assert read_event(line("saved", path="/x/m")) == Saved(path="/x/m")
    refused = read_event(line("refused", number=7, text="No."))
    assert refused == Refused(text="No.", number=7)
    for values in ({}, {"number": None}):
        assert read_event(line("refused", text="No.", **values)).number is None


def test_candidates_come_xyz_and_are_kept_zyx():
    classes = {
        "a": {"xyz": [[1, 2, 41], [3, 4, 50]], "scores": [0.9, 0.2]},
        "b": {"xyz": [], "scores": []},
    }
    found = read_event(
        line(
            "candidates",
            number=7,
            tomogram="TS",
            z=[40, 80],
            whole=False,
            classes=classes,
        )
    )
    assert (found.number, found.tomogram, found.planes) == (7, "TS", (40, 80))
    assert found.candidates.positions_zyx.tolist() == [[41, 2, 1], [50, 4, 3]]
    assert found.candidates.scores.tolist() == [0.9, 0.2]
    assert found.candidates.class_names.tolist() == ["a", "a"]


@pytest.mark.parametrize(
    "said",
    [
        b"Segmentation fault\n",
        line("sings"),
        line("solved"),
        line("progress", **{**PROGRESS, "total": 0}),
        line("cut_off", number=1, classes={"a": {"cut_off": 0.4}}),
        line("candidates", number=1, tomogram="T", z=[8, 8], classes={}),
        line(
            "candidates",
            number=1,
            tomogram="T",
            z=[0, 8],
            classes={"a": {"xyz": [[1, 2, 3]], "scores": [0.1, 0.2]}},
        ),
        line(
            "candidates",
            number=1,
            tomogram="T",
            z=[0, 8],
            classes={"a": {"xyz": [[1, "up", 3]], "scores": [0.1]}},
        ),
    ],
)
def test_what_is_no_event_is_refused(said):
    with pytest.raises(JsonFault):
        read_event(said)
