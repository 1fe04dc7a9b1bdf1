"""What a live picker says of answers that it was not told, from what it sends."""

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.live.comparing import find_held_out
from etpicker_plugin.engine.live.held_out import Count
from etpicker_plugin.engine.live.requests import Solve
from etpicker_plugin.engine.negative import NEGATIVE

DIAMETER = 100.0
VOXEL_SIZES = {"TS_1": 10.0, "TS_2": 20.0}
HELD = {
    "TS_1": {
        "a": np.array([[3.0, 20, 40], [3, 20, 50], [9, 30, 40]]),
        NEGATIVE: np.array([[7.0, 8, 9]]),
    },
    "TS_2": {"a": np.array([[3.0, 20, 40]])},
}
KEPT = Solve(
    number=5, diameters={"a": DIAMETER}, marks={"TS_1": {"a": np.array([[1.0, 2, 3]])}}
)


class Played:
    """Sends what it is given, a moment between each."""

    def __init__(self, *events):
        self.events = events
        self.sent = 0

    def solve(self, request):
        for event in self.events:
            yield None
            self.sent += 1
            yield event

    def has_answered(self, request):
        return any(e["event"] == "cut_off" for e in self.events[: self.sent])

    def voxel_size(self, tomogram):
        return VOXEL_SIZES[tomogram]


def found(tomogram, xyz, scores, *, whole=True):
    classes = {"a": {"xyz": xyz, "scores": scores}}
    return {
        "event": "candidates",
        "tomogram": tomogram,
        "whole": whole,
        "classes": classes,
    }


CUT = {"event": "cut_off", "classes": {"a": {"cut_off": 0.5}}}
# Right; 4 voxels off, and half a diameter is 5; right, but below the cut-off; wrong.
XYZ = [[40, 20, 3], [50, 24, 3], [40, 30, 9], [9, 8, 7]]
FIRST = found("TS_1", XYZ, [0.9, 0.5, 0.4, 0.6])
# 4 voxels off, and half a diameter is 2.5 of these.
SECOND = found("TS_2", [[40, 24, 3]], [0.9])


def test_what_reaches_the_cut_off_near_enough_counts():
    part = found("TS_1", [[40, 30, 9]], [0.9], whole=False)
    told = []
    step = {"event": "progress", "what": "features", "done": 1, "total": 3}
    rest = found("TS_3", [], [])
    session = Played(step, part, FIRST, CUT, SECOND, rest, rest)
    count = find_held_out(session, KEPT, HELD, on_progress=told.append)
    assert count == Count(particles=2, rejected=1)
    assert [(e.stage, e.done, e.total) for e in told] == [("features", 1, 3)]
    assert session.sent == 5  # It does not wait for tomograms that say nothing of it.


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([{"event": "refused", "text": "TS_2 vanished."}, FIRST, CUT], "TS_2 vanished"),
        (
            [
                {"event": "refused", "text": "TS_2 was changed."},
                {"event": "refused", "text": "a: a click on nothing."},
                FIRST,
                CUT,
            ],
            "TS_2 was changed",
        ),
        ([{"event": "refused", "text": "Too small."}], "Too small"),
        ([], "no class has a click"),
    ],
)
def test_without_an_answer_it_says_why(events, words):
    with pytest.raises(InputDataError, match=words):
        find_held_out(Played(*events), KEPT, HELD, on_progress=lambda _event: None)
