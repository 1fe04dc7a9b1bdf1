"""Marks that look incomplete."""

from etpicker_plugin.engine.annotation import (
    advise_after,
    advise_instant,
    warn_few_marks,
)


def test_few_marks_are_warned_of_where_all_else_is_background():
    (warning,) = warn_few_marks({"a": 19, "b": 20}, annotation="complete")

    assert "a: 19 centre(s) marked" in warning
    assert "Unless every a is marked, choose the annotation 'sparse'" in warning
    assert warn_few_marks({"a": 19}, annotation="sparse") == []


def test_advice_where_as_many_again_are_not_marked():
    judged = {"a": (8, 8), "b": (8, 7), "none held out": (0, 5)}

    (advice,) = advise_after(judged, annotation="complete")

    assert "a: in what was held out it picks 8 place(s)" in advice
    assert "beside 8 marked" in advice
    assert advise_after(judged, annotation="sparse") == []


def test_of_a_handful_of_marks_an_instant_model_is_advised():
    assert advise_instant({"a": 5, "b": 4}).startswith("Of 9 mark(s) little is learnt.")
    assert advise_instant({"a": 10, "b": 1}) == ""
