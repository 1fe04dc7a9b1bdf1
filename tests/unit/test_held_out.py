"""An F1 and what it is worth."""

import pytest

from etpicker_plugin.engine.held_out import describe_metrics


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"f1": 0.934, "particles": 41}, "F1 0.93 on 41 held-out particles"),
        ({"f1": 0.0, "particles": 1}, "F1 0.00 on 1 held-out particle, too few to"),
        ({"f1": 1.0, "particles": 10}, "F1 1.00 on 10 held-out particles"),
        ({"f1": 0.0, "particles": 0}, "F1 not measured, no particle was held out"),
        ({"f1": 0.876}, "F1 0.88 on held-out data"),
        ({}, ""),
    ],
)
def test_an_f1_says_on_what_it_was_measured(metrics, words):
    said = describe_metrics(metrics)

    assert said.startswith(words)
    assert ("too few to judge by" in said) == (0 < metrics.get("particles", 99) < 10)
