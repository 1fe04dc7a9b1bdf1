"""How a training ended, in a sentence."""

import pytest

from etpicker_plugin.engine.model.training_end import describe_end, why_stopped


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ((True, True, True), "asked"),
        ((False, True, True), "patience"),
        ((False, False, True), "time"),
        ((False, False, False), "steps"),
    ],
)
def test_what_ended_it(facts, reason):
    asked, out_of_patience, out_of_time = facts

    assert reason == why_stopped(
        asked=asked, out_of_patience=out_of_patience, out_of_time=out_of_time
    )


def test_the_sentence_of_a_new_and_of_an_older_model():
    course = {"steps": 120, "best_step": 90, "minutes": 2.34, "stopped_by": "time"}

    assert describe_end(course) == (
        "Training ended after 120 steps, 2.3 min: its time limit was reached. The best "
        "is step 90."
    )
    assert describe_end({"steps": 120}) == "Training ended after 120 steps."
    assert describe_end({}) == ""
