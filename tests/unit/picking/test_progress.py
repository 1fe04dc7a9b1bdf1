"""The time left for all tomograms, by a clock that the test turns."""

import pytest

from etpicker_plugin.engine.picking import progress
from etpicker_plugin.engine.picking.progress import TomogramsProgress
from etpicker_plugin.engine.progress import ProgressEvent


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_which_tomogram_and_the_time_left(clock):
    heard = []
    report = TomogramsProgress(heard.append, total=3)

    report.next_tomogram()
    clock[0] += 5.0
    report(ProgressEvent("picking a", 1, 4))
    clock[0] += 15.0
    report(ProgressEvent("picking a", 4, 4))
    report.next_tomogram()  # read back: it reports nothing
    report.next_tomogram()
    clock[0] += 8.0
    report(ProgressEvent("picking c", 1, 2))

    assert [e.values["tomogram"] for e in heard] == ["1 of 3", "1 of 3", "3 of 3"]
    # A quarter in 5 s: 20 s for one, of which 2.75 are left. One in 20 s: 2 are left.
    # One and a half in 28 s: half of one is left.
    assert [e.left_s for e in heard] == pytest.approx([55.0, 40.0, 28 / 1.5 * 0.5])


def test_what_a_killed_run_had_done_says_nothing_of_the_pace(clock):
    heard = []
    report = TomogramsProgress(heard.append, total=1)

    report.next_tomogram()
    clock[0] += 2.0
    report(ProgressEvent("picking a", 8, 10))  # seven were done before

    assert heard[0].left_s == pytest.approx(4.0)  # a tenth in 2 s, two tenths left


def test_a_second_stage_has_a_pace_of_its_own(clock):
    heard = []
    report = TomogramsProgress(heard.append, total=2)

    report.next_tomogram()
    clock[0] += 10.0
    report(ProgressEvent("picking a", 1, 1))
    clock[0] += 20.0
    report(ProgressEvent("comparing a with maps", 50, 100))
    clock[0] += 20.0
    report(ProgressEvent("comparing a with maps", 100, 100))
    report.next_tomogram()
    clock[0] += 5.0
    report(ProgressEvent("picking b", 1, 2))

    # 20 s of the first and 50 s of the second; then 50 s. Of one and a half in 55 s,
    # half of one is left.
    assert [e.left_s for e in heard] == pytest.approx([10, 70, 50, 55 / 1.5 * 0.5])
