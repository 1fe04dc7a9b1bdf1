"""Plain text, against what is worked out by hand."""

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_txt import read_txt, write_txt
from etpicker_plugin.tests.support.hand_made import (
    assert_hand_made,
    hand_made,
    text_file,
)


def test_txt_by_hand(tmp_path):
    path = text_file(tmp_path, "a.txt", "# x y z\n12.25 50 7\n\n30,\t3, 20\n")

    particles = read_txt(path, tomogram_id="TS_01", class_name="ribosome")

    assert_hand_made(
        particles, classes=["ribosome"] * 2, scores=[np.nan] * 2, turned=False
    )


def test_txt_as_written(tmp_path):
    path = tmp_path / "a.txt"

    write_txt(hand_made(turned=False), path)

    assert path.read_text() == "12.250 50.000 7.000\n30.000 3.000 20.000\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3\n4 5\n", r"line 2: 2 column\(s\)"),
        ("1 2 3 4\n", r"line 1: 4 column\(s\), expected 3"),
        ("# c\n1 2 three\n", "line 2: got 'three'"),
        ("1 2 inf\n", "line 1: got 'inf'"),
        ("1 2 -nan\n", "line 1: got '-nan', expected a finite number"),
        ("1 2 1e300\n", "line 1: got '1e300', expected .*at most"),
        ("1 2 1_0\n", "line 1: got '1_0'"),
        ("12,5 20 7\n", "line 1: ',' and blanks both stand in '12,5 20 7'"),
        ("12,5 20,5 7,5\n", "line 1: ',' and blanks"),
        ("12,5\t20\t7\n", "line 1: ',' and blanks"),
        ("12,5,20,5,7,5\n", r"line 1: 6 column\(s\), expected 3"),
        ("12,5;20;7\n", "line 1: got '12,5', expected .*decimal point"),
        ("1,,3\n", "line 1: ',' and blanks"),
        ("1,234.5 2 3\n", "line 1: ',' and blanks"),
    ],
)
def test_bad_txt(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        read_txt(text_file(tmp_path, "a.txt", text), tomogram_id="TS_01")


@pytest.mark.parametrize(
    "text",
    ["12.25, 50,7\n30,3,20,\n", "12.25;50;7\n 30 ; 3; 20\n", "12.25\t50 7\r\n30 3 20"],
)
def test_txt_with_other_separators(tmp_path, text):
    particles = read_txt(text_file(tmp_path, "a.txt", text), tomogram_id="TS_01")

    assert particles.positions_zyx.tolist() == [[7, 50, 12.25], [20, 3, 30]]
