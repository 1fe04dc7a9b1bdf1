"""What newer Pythons have built in does the same here."""

import numpy as np
import pytest

from etpicker_plugin.engine.newer_python import without_end, without_start, zip_strict


def test_items_in_step():
    assert list(zip_strict("ab", iter([1, 2]), (None, 3))) == [
        ("a", 1, None),
        ("b", 2, 3),
    ]
    assert list(zip_strict([], ())) == []
    rows = list(zip_strict(np.zeros((2, 3)), ["a", "b"]))
    assert [name for _, name in rows] == ["a", "b"]


@pytest.mark.parametrize("lengths", [(2, 3), (3, 2), (0, 1), (2, 2, 1), (1, 2, 2)])
def test_other_lengths_are_refused_after_what_all_have(lengths):
    walk = zip_strict(*(range(n) for n in lengths))
    for n in range(min(lengths)):
        assert next(walk) == (n,) * len(lengths)
    with pytest.raises(ValueError, match=f"{len(lengths)} iterables are not of one"):
        next(walk)


def test_nothing_is_read_ahead():
    read = []
    walk = zip_strict((read.append(n) or n for n in range(3)), range(3))
    next(walk)
    assert read == [0]


@pytest.mark.parametrize("text", ["TS_1.mrc", ".mrc", "TS.mrc.mrc", "TS", ""])
def test_ends_and_starts(text):
    assert without_end(text, ".mrc") == text.removesuffix(".mrc")
    assert without_end(text, "") == text
    assert without_start(text, "TS") == text.removeprefix("TS")
