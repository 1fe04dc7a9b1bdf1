"""How long training may take."""

import pytest

from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.training.train import time_limit


@pytest.mark.parametrize(
    ("first_look", "max_minutes", "expected"),
    [(False, None, None), (False, 30.0, 30.0), (True, None, 2.0), (True, 5.0, 5.0)],
)
def test_a_first_look_takes_two_minutes_unless_told(first_look, max_minutes, expected):
    config = TrainConfig(
        tomogram=("a.mrc",),
        coordinates=("a.csv",),
        diameter={"a": 300.0},
        out="out",
        first_look=first_look,
        max_minutes=max_minutes,
    )

    assert time_limit(config) == expected
