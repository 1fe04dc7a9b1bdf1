"""What the live picker is asked, and which of several questions is answered."""

import io
import json

import numpy as np
import pytest

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.live.inbox import Inbox
from etpicker_plugin.engine.live.requests import Save, Solve, read_request


def solve(number, **more):
    asked = {
        "do": "solve",
        "number": number,
        "classes": [
            {"name": "a", "diameter_ang": 100},
            {"name": "b", "diameter_ang": 200},
        ],
        "marks": {"TS_1": {"b": [[1, 2, 3], [4, 5, 6.5]], "negative": [[7, 8, 9]]}},
        **more,
    }
    return json.dumps(asked)


def test_positions_are_turned_to_zyx():
    request = read_request(solve(3, first={"tomogram": "TS_1", "z": 12}))
    assert request.number == 3
    assert request.diameters == {"a": 100.0, "b": 200.0}
    assert request.clicked_classes() == ["b"]
    np.testing.assert_array_equal(request.places("TS_1", "b"), [[3, 2, 1], [6.5, 5, 4]])
    assert request.places("TS_2", "b").shape == (0, 3)
    assert request.has_marks("TS_1")
    assert (request.first, request.first_z) == ("TS_1", 12.0)
    assert read_request(solve(4)).first == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "no JSON"),
        ('{"do": "dance"}', "expected one of: solve, save"),
        ('{"do": "save"}', "'path' is missing"),
        (solve(-1), "got -1, expected a whole number from 0"),
        (solve(1, marks={"TS_1": {"a": [[1, 2]]}}), "2 value.s., expected 3"),
        (solve(1, classes=[{"name": "a", "diameter_ang": 0}]), "diameter_ang"),
        (solve(1, classes=[{"name": "a b", "diameter_ang": 9}]), "cannot be used"),
        (solve(1, classes=[{"name": "negative", "diameter_ang": 9}]), "negative"),
    ],
)
def test_what_is_no_request_is_refused(line, words):
    with pytest.raises(ConfigError, match=words):
        read_request(line)


def test_of_several_questions_the_last_is_answered():
    lines = [solve(1), solve(2), "\n", '{"do": "save", "path": "x"}', "no", solve(3)]
    inbox = Inbox(io.StringIO("\n".join(lines) + "\n"))
    found = []
    while (item := inbox.take()) is not None:
        found.append(item)
    # How many of the first two are seen in time depends on the reader.
    *first, save, fault, last = found
    assert [type(one) for one in first] in ([Solve], [Solve, Solve])
    assert first[-1].number == 2
    assert save == Save("x")
    assert isinstance(fault, ConfigError)
    assert last.number == 3
