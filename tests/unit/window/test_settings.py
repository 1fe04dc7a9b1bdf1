"""The classes of an annotation: kept, and refused where they are none."""

import json

import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.window.document.settings import Classes


def test_they_come_back_in_their_order(tmp_path):
    path = tmp_path / "classes.json"
    first = Classes(path, {"ring": 120.0, "Å": 80.0})
    first.change("ring", threshold=0.25)

    again = Classes(path, {})
    assert again.names() == ["ring", "Å"]
    assert (again["ring"].diameter_ang, again["ring"].threshold) == (120.0, 0.25)


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ([{"name": "a"}], "'diameter_ang' is missing"),
        ([{"name": "a", "diameter_ang": "80"}], "got '80', expected a number"),
        ([{"name": "a", "diameter_ang": 1e9}], "from 10 to 5000"),
        ([{"name": 3, "diameter_ang": 80}], "expected a text"),
        ([{"name": "a", "diameter_ang": 80, "x": 1}], "'x' is not known"),
        ([{"name": "a", "diameter_ang": 80}] * 2, "twice"),
        ({"a": 80}, "expected a list"),
        (float("nan"), "NaN"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, classes, words):
    path = tmp_path / "classes.json"
    path.write_text(json.dumps({"format": 1, "classes": classes}))
    with pytest.raises(InputDataError, match="Move it away") as caught:
        Classes(path, {})
    assert words in str(caught.value)


def test_nesting_without_end(tmp_path):
    (tmp_path / "classes.json").write_text("[" * 100_000)
    with pytest.raises(InputDataError, match="nested too deeply"):
        Classes(tmp_path / "classes.json", {})
