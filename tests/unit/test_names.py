"""One rule for names: what is refused, why, and what is suggested instead."""

import logging
import unicodedata

import pytest

from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.names import (
    LONGEST_NEW,
    file_fault,
    is_hidden,
    new_name_fault,
    printable,
    require_class_in_file,
    require_classes,
    require_file_name,
    require_new_names,
    require_tomograms,
    star_word,
    suggest,
    text_fault,
    visible,
    warn_star_words,
)

BAD_TEXTS = ["", "  ", "a\nb", "a\tb", "a\0b", "\x1b[2Ja", "a\u202eb", "a\u2028b"]
BAD_TEXTS += ["a\udcffb", "x" * 300, "é" * 76]
BAD_FILES = ["../x", "/etc/x", "a/b", "a\\b", ".hidden", "..", "._TS_01", "."]
BAD_NEW = [
    "26S proteasome",
    "a'b",
    'a"b',
    "a#b",
    "a$b",
    "a=b",
    "a,b",
    "a:b",
    "-a",
    "_a",
]
BAD_NEW += [
    "data_1",
    "loop_x",
    "nan",
    "None",
    "a;b",
    "a&b",
    "a*b",
    "a|b",
    "x" * 61,
    " a",
    "a ",
    "+",
]
BAD_NEW += [unicodedata.normalize("NFD", "é")]
GOOD = [
    "ribosome",
    "26S_proteasome",
    "80S-b.1+2",
    "é",
    "リボソーム",
    "核糖体",
    "x" * 60,
]


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_what_is_no_name_at_all(name):
    assert text_fault(name)
    assert file_fault(name)
    assert new_name_fault(name)
    with pytest.raises(ConfigError, match="cannot be used"):
        require_classes([name], what="--diameter")


@pytest.mark.parametrize("name", BAD_FILES)
def test_what_cannot_be_a_file(name):
    assert not text_fault(name)
    assert new_name_fault(name)
    with pytest.raises(InputDataError, match="cannot be a file's"):
        require_file_name(name, what="run_name")


@pytest.mark.parametrize("name", BAD_NEW)
def test_what_nothing_new_may_be_called(name):
    assert not file_fault(name)
    with pytest.raises(ConfigError, match=r"cannot be used: .*for example"):
        require_new_names([name], what="--diameter")


@pytest.mark.parametrize("name", GOOD)
def test_what_every_file_holds(name):
    require_new_names([name], what="--diameter")
    assert require_file_name(name, what="x") == name
    assert star_word(name) == name


@pytest.mark.parametrize("name", [*BAD_TEXTS, *BAD_FILES, *BAD_NEW])
def test_what_is_suggested_is_allowed(name):
    assert new_name_fault(suggest(name)) == ""


@pytest.mark.parametrize("name", [" a", "a ", "a\u00a0"])
def test_a_class_that_tables_would_strip(name):
    with pytest.raises(ConfigError, match="begins or ends with a blank"):
        require_classes([name], what="--diameter")
    with pytest.raises(InputDataError, match="begins or ends with a blank"):
        require_class_in_file(name, what="Class")


def test_suggestions_by_hand():
    assert suggest("26S proteasome") == "26S_proteasome"
    assert suggest("../x") == "x"
    assert suggest("$\\frac{a}$") == "frac_a"
    assert suggest(unicodedata.normalize("NFD", "é")) == "é"
    assert suggest("#") == "particle"
    assert len(suggest("x" * 300)) == LONGEST_NEW


def test_names_that_differ_in_case_only():
    with pytest.raises(ConfigError, match="Ribo, ribo differ in case only"):
        require_new_names(["Ribo", "ribo"], what="--diameter")


def test_a_message_holds_no_control_characters_and_ends():
    with pytest.raises(ConfigError) as found:
        require_classes(["\x1b[31m" + "x" * 400], what="--diameter")

    assert "\\x1b[31mx" in str(found.value)
    assert printable(str(found.value)) == str(found.value)
    assert len(str(found.value)) < 400


def test_tomograms_of_one_name():
    with pytest.raises(ConfigError, match="Several tomograms are named rec"):
        require_tomograms(["A/rec.mrc", "B/rec.mrc"])
    apart, together = unicodedata.normalize("NFD", "é"), "é"
    with pytest.raises(ConfigError, match="Several tomograms are named é"):
        require_tomograms([f"A/{apart}.mrc", f"B/{together}.mrc"])
    require_tomograms(["A/TS_1.mrc", "A/TS_10.mrc", "my tomo.mrc"])


@pytest.mark.parametrize("path", ["a\nb.mrc", ".mrc", "x" * 200 + ".mrc"])
def test_tomograms_whose_names_no_file_may_have(path):
    with pytest.raises(ConfigError, match="the tomogram's name"):
        require_tomograms([path])


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("my tomo", "my_tomo"),
        ("26S 'x' #1", "26S__x___1"),
        ("a\nb", "a_b"),
        ("data_01", "xdata_01"),
        ("_01", "x_01"),
        ("TS_01", "TS_01"),
    ],
)
def test_words_of_a_star_file(name, word):
    assert star_word(name) == word


def test_words_are_said_once_and_two_of_one_are_refused(caplog):
    with caplog.at_level(logging.WARNING):
        warn_star_words(["TS_01"], what="Tomograms")
        assert not caplog.records
        warn_star_words(["my tomo", "TS_01"], what="Tomograms")
    assert [r.getMessage() for r in caplog.records] == [
        "Tomograms: STAR files hold words, so there 'my tomo' is my_tomo; CSV and JSON "
        "keep the name."
    ]
    with pytest.raises(ConfigError, match="my tomo, my_tomo would both be my_tomo"):
        warn_star_words(["my tomo", "my_tomo"], what="Tomograms")


def test_hidden_files_are_no_data(tmp_path):
    for name in ("b.csv", "a.csv", "._a.csv", ".a.csv"):
        (tmp_path / name).touch()

    assert not is_hidden("..")
    assert [p.name for p in visible(tmp_path.glob("*.csv"))] == ["a.csv", "b.csv"]
