"""Numbers in texts, and the bounds of columns of whole numbers."""

import pytest

from etpicker_plugin.engine.columns import Column
from etpicker_plugin.engine.plain_numbers import plain_number


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), (" -1.5 ", -1.5), ("+.5", 0.5), ("5.", 5), ("1e3", 1000), ("0", 0)],
)
def test_plain_numbers(text, value):
    assert plain_number(text) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nan", "a finite number"),
        ("-Infinity", "a finite number"),
        ("12,5", "decimal point"),
        ("1e300", "at most 1e"),
        ("1e400", "at most 1e"),
        ("1_0", "a number"),
        ("\uff11", "a number"),
        ("0x10", "a number"),
        ("1 2", "a number"),
        ("", "a number"),
    ],
)
def test_what_is_no_plain_number(text, expected):
    with pytest.raises(ValueError, match=expected):
        plain_number(text)


def test_a_whole_number_may_have_all_its_bits_and_not_more():
    column = Column(name="filament", dtype=int, missing=-1)

    assert column.of_text(str(2**63 - 1)) == 2**63 - 1
    assert column.of_text("5.0") == 5
    for text in (str(2**63), "1e30", "1.5", "inf", "1_0"):
        with pytest.raises(ValueError, match=r"number|not of this column"):
            column.of_text(text)
