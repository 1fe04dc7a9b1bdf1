"""JSON of anybody: each check lets its own pass, and names what it refuses."""

import json

import pytest

from etpicker_plugin.engine.json_checks import (
    JsonFault,
    anything,
    list_of,
    map_of,
    number,
    one_of,
    or_none,
    parse,
    record,
    text,
    whole,
    yes_or_no,
)

POINT = record({"x": number(0, 9)}, {"name": text, "on": yes_or_no})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("[" * 101 + "]" * 101, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "'c' stands twice"),
        ("[NaN]", "holds NaN"),
        ("[-Infinity]", "holds -Infinity"),
        ("[1,", "no JSON"),
        ("", "no JSON"),
        (b"\xff\xfe[]", "no JSON"),
        ("9" * 5000, "no JSON"),
    ],
)
def test_a_text_that_is_no_sound_json(words, message):
    with pytest.raises(JsonFault, match=message):
        parse(words)


def test_sound_texts():
    assert parse('{"a": [1, 2.5, null, "Å"]}') == {"a": [1, 2.5, None, "Å"]}
    assert parse(b'{"\xc3\x85": true}') == {"Å": True}
    assert str(parse("[NaN]", finite=False)) == "[nan]"
    assert str(parse("[" * 100 + "]" * 100)) == "[" * 100 + "]" * 100
    assert parse("3") == 3


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (number(), True, "got True, expected a number"),
        (number(), "1", "got '1', expected a number"),
        (number(), float("inf"), "expected a finite number"),
        (number(), 10**400, "very many digits, expected a finite number"),
        (number(0, 1), 1.01, "expected a finite number from 0 to 1"),
        (number(2), 1, "of 2 or more"),
        (whole(), 1.0, "expected a whole number"),
        (whole(), False, "expected a whole number"),
        (whole(0), -1, "from 0 to"),
        (whole(), 2**53 + 1, "from "),
        (text, 3, "expected a text"),
        (text, "\ud800", "whole characters"),
        (yes_or_no, 1, "true or false"),
        (one_of("a", "b"), "c", "one of: a, b"),
        (one_of("a", "b"), [], "one of: a, b"),
        (list_of(text), "abc", "expected a list"),
        (list_of(text), {"a": 1}, "got an object, expected a list"),
        (list_of(text, 3), ["a"], r"1 value\(s\), expected 3"),
        (list_of(text, least=1), [], "expected 1 or more"),
        (list_of(list_of(whole())), [[1], [2, "x"]], r"here\[1\]\[1\]: got 'x'"),
        (map_of(whole()), [1], "expected an object"),
        (map_of(whole()), {"a": None}, "here.a: got None"),
        (POINT, {}, "'x' is missing"),
        (POINT, {"x": 1, "y": 2}, "'y' is not known"),
        (POINT, {"x": 10}, "here.x: got 10"),
        (POINT, {"x": 1, "on": "yes"}, "here.on: got 'yes'"),
        (POINT, [], "got a list, expected an object"),
    ],
)
def test_what_is_refused_is_named(check, value, message):
    with pytest.raises(JsonFault, match=message):
        check(value, "here")


def test_what_passes_comes_back():
    value = {"x": 9, "name": "p", "on": False}
    assert POINT(value, "") == value
    assert record({}, others=True)({"any": [1]}, "") == {"any": [1]}
    assert list_of(or_none(number()))([1.5, None], "") == (1.5, None)
    assert map_of(list_of(whole(1, 3), 2))({"a": [1, 3]}, "") == {"a": (1, 3)}
    assert anything(json, "") is json


def test_what_is_shown_is_short():
    with pytest.raises(JsonFault) as caught:
        number()("x" * 10_000, "here")
    assert len(str(caught.value)) < 120
