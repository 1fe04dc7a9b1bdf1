"""Progress: what each listener shows of the same events."""

import json
import logging

import pytest

from etpicker_plugin.engine import progress
from etpicker_plugin.engine.progress import (
    BarProgress,
    JsonLinesProgress,
    LogProgress,
    ProgressEvent,
    describe_duration,
    describe_values,
    event_of,
    ignore_progress,
    read_last_event,
    report_to,
)


def test_values_with_four_digits():
    assert describe_values({"loss": 0.123456, "step": 7, "class": "a"}) == (
        "loss=0.1235 step=7 class=a"
    )


def test_json_lines_are_appended(tmp_path):
    path = tmp_path / "progress.jsonl"
    path.write_text('{"stage": "before"}\n')
    report = JsonLinesProgress(path)

    report(ProgressEvent("train", 1, 3, {"loss": 0.5}))
    report(ProgressEvent("pick", 3, 3))

    before, first, second = map(json.loads, path.read_text().splitlines())
    assert before == {"stage": "before"}
    assert first.pop("time") <= second.pop("time")
    assert first == {"stage": "train", "done": 1, "total": 3, "loss": 0.5}
    assert second == {"stage": "pick", "done": 3, "total": 3}


def logged_lines(caplog, events):
    report = LogProgress()
    with caplog.at_level(logging.INFO, logger=progress.__name__):
        for event in events:
            report(event)
    return [record.getMessage().strip() for record in caplog.records]


def test_the_log_shows_the_begin_and_the_end_of_each_stage(caplog):
    events = [ProgressEvent("train", n, 3, {"loss": 1.0 / n}) for n in (1, 2, 3)]
    events += [ProgressEvent("pick", n, 9) for n in (1, 2)]

    assert logged_lines(caplog, events) == [
        "train 1/3 loss=1",
        "train 3/3 loss=0.3333",
        "pick 1/9",
    ]


def test_the_log_shows_what_is_due(caplog, monkeypatch):
    monkeypatch.setattr(progress, "LOG_INTERVAL_S", 0.0)

    lines = logged_lines(caplog, [ProgressEvent("train", n, 9) for n in (1, 2)])

    assert lines == ["train 1/9", "train 2/9"]


def test_a_bar_per_stage(capsys):
    report = BarProgress()

    report(ProgressEvent("train", 1, 4, {"loss": 0.25}))
    report(ProgressEvent("pick", 2, 8))
    report.close()

    shown = capsys.readouterr().err
    assert "train:  25%" in shown
    assert "1/4" in shown
    assert "loss=0.25" in shown
    assert "pick:  25%" in shown
    assert shown.index("train") < shown.index("pick")


def test_listeners_hear_in_order():
    heard = []
    report = report_to(
        [lambda e: heard.append(("a", e.done)), lambda e: heard.append(("b", e.done))]
    )

    report(ProgressEvent("train", 1, 2))
    report(ProgressEvent("train", 2, 2))

    assert heard == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def test_nobody_needs_to_listen(capsys, caplog):
    with caplog.at_level(logging.DEBUG):
        ignore_progress(ProgressEvent("train", 1, 2))

    assert capsys.readouterr() == ("", "")
    assert caplog.records == []


def test_an_event_cannot_be_changed():
    with pytest.raises(AttributeError):
        ProgressEvent("train", 1, 2).done = 2


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (40, "40 s"), (200, "3 min"), (9000, "2.5 h")],
)
def test_a_time_as_people_say_it(seconds, words):
    assert describe_duration(seconds) == words


def test_the_time_left_stands_in_the_log_and_in_the_file(tmp_path, caplog):
    event = ProgressEvent("train", 1, 3, {"loss": 0.5}, left_s=200.04)
    path = tmp_path / "progress.jsonl"
    JsonLinesProgress(path)(event)

    assert logged_lines(caplog, [event]) == ["train 1/3 loss=0.5, 3 min left"]
    line = path.read_bytes()
    assert json.loads(line)["left_s"] == 200.0
    assert event_of(line) == ProgressEvent("train", 1, 3, {"loss": 0.5}, left_s=200.0)


def test_the_newest_whole_report_of_a_file(tmp_path):
    path = tmp_path / "progress.jsonl"
    assert read_last_event(path) is None
    report = JsonLinesProgress(path)
    for done in range(1, 900):  # more than is read from the end
        report(ProgressEvent("train", done, 1000, {"note": "x" * 100}))
    with path.open("a") as stream:
        stream.write('{"stage": "train", "done": 9')

    assert read_last_event(path).done == 899
    path.write_text("nonsense\n")
    assert read_last_event(path) is None
