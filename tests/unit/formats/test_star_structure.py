"""STAR files of every make: read right, or refused with the line and the reason."""

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.star_file import read_star_file
from etpicker_plugin.engine.formats.star_numbers import read_columns

READ = {
    "a loop": ("data_a\nloop_\n_x #1\n_y #2\n1 2\n3 4\n", {5: [1, 2], 6: [3, 4]}),
    "counters and comments": (
        "# version 30001\ndata_a # of ours\n\nloop_ # rows\n_x #1\n_y\n1 2 # here\n",
        {7: [1, 2]},
    ),
    "no counters, tabs": ("data_a\nloop_\n_x\n_y\n\t1\t2  \n", {5: [1, 2]}),
    "Windows and a mark": (
        "\ufeffdata_a\r\nloop_\r\n_x\r\n_y\r\n1 2\r\n",
        {5: [1, 2]},
    ),
    "old Macs": ("data_a\rloop_\r_x\r_y\r1 2\r", {5: [1, 2]}),
    "blank lines and comments inside": (
        "data_a\nloop_\n_x\n_y\n1 2\n\n# cut\n3 4\n",
        {5: [1, 2], 8: [3, 4]},
    ),
    "quotes": (
        "data_a\nloop_\n_x\n_y\n'a b' \"c'd\"\nO5' 5'3\n\"\" '#e'\nf#g \"h\"i\"\n",
        {5: ["a b", "c'd"], 6: ["O5'", "5'3"], 7: ["", "#e"], 8: ["f#g", 'h"i']},
    ),
    "names like keywords": (
        "data_a\nloop_\n_x\n_y\ndata_1.mrc 2\nloop_1 3\n'data_' 4\n_z 5\n",
        {5: ["data_1.mrc", 2], 6: ["loop_1", 3], 7: ["data_", 4], 8: ["_z", 5]},
    ),
    "a blank that only Python knows": (
        "data_a\nloop_\n_x\n_y\n1\x0b2\n\xa03 4\n",
        {5: [1, 2], 6: [3, 4]},
    ),
    "no loop": ("data_a\n_x  1\n_y 'b c' # two\n", {2: [1, "b c"]}),
    "other capitals": ("DATA_a\nLoop_\n_x\n_y\n1 2\n", {5: [1, 2]}),
    "no rows": ("data_a\nloop_\n_x\n_y\n", {}),
}


@pytest.mark.parametrize(("text", "rows"), READ.values(), ids=READ.keys())
def test_values_and_their_lines(tmp_path, text, rows):
    path = tmp_path / "a.star"
    path.write_bytes(text.encode())

    (table,) = read_star_file(path, text_labels=())

    assert table.block == "a"
    assert list(table.rows.columns) == ["x", "y"]
    found = {n: row.tolist() for n, row in table.rows.astype(str).iterrows()}
    assert found == {n: [str(v) for v in row] for n, row in rows.items()}


def test_texts_stay_texts_and_unknown_numbers_are_nan(tmp_path):
    path = tmp_path / "a.star"
    path.write_text("data_\nloop_\n_name\n_x\n007 nan\nnan 2.5\n")

    (table,) = read_star_file(path, text_labels=("name",))

    assert table.rows["name"].tolist() == ["007", "nan"]
    assert table.rows["x"].isna().tolist() == [True, False]


def test_blocks_and_loops_in_their_order(tmp_path):
    path = tmp_path / "a.star"
    path.write_text("data_a\n_x 1\nloop_\n_y\n2\n3\ndata_b\nloop_\n_z\n4\n")

    tables = read_star_file(path, text_labels=())

    lines = [(t.block, t.line) for t in tables]
    assert lines == [("a", 2), ("a", 3), ("b", 8)]
    assert tables[2].name == "data_b (line 8)"
    assert [t.is_loop for t in tables] == [False, True, True]
    assert [t.rows.iloc[-1].tolist() for t in tables] == [[1], [3], [4]]


REFUSED = {
    "no block": ("x y\n", "line 1: expected data_, got 'x y'"),
    "a label twice": (
        "data_a\nloop_\n_x\n_y\n_x\n1 2 3\n",
        "line 5: the label _x stands twice, first in line 3",
    ),
    "a label twice without loop": ("data_a\n_x 1\n_x 2\n", "line 3: .*_x stands twice"),
    "a short row": (
        "data_a\nloop_\n_x\n_y\n1 2\n3\n",
        r"line 6: 1 value\(s\), expected 2.*loop in line 2 .*_y",
    ),
    "a long row": (
        "data_a\nloop_\n_x\n_y\n1 2 3\n",
        r"line 5: 3 value\(s\), expected 2",
    ),
    "a quoted short row": (
        "data_a\nloop_\n_x\n_y\n'1 2'\n",
        r"line 5: 1 value\(s\), expected 2",
    ),
    "a row over two lines": (
        "data_a\nloop_\n_x\n_y\n1\n2\n",
        r"line 5: 1 value\(s\), expected 2",
    ),
    "an open quote": ("data_a\nloop_\n_x\n_y\n1 'b\n", "line 5: a quote is opened"),
    "a text of lines": (
        "data_a\nloop_\n_x\n_y\n1\n;b\nc\n;\n",
        r"line 5: 1 value\(s\)",
    ),
    "a text of lines alone": (
        "data_a\n_x\n;b\n;\n",
        "line 2: the label _x has no value",
    ),
    "semicolon": ("data_a\nloop_\n_x\n;b\n;\n", "line 4: a value of several lines"),
    "loop_ forgotten": (
        "data_a\n_x #1\n_y #2\n1 2\n",
        "line 2: the label _x has no value. Is loop_ missing",
    ),
    "no labels": ("data_a\nloop_\n1 2\n", "line 3: loop_ without labels"),
    "no underscore": (
        "data_a\nloop_\n_x\n_y\nrlnZ #3\n1 2 3\n",
        "line 5: the label rlnZ does not begin with _",
    ),
    "two values": ("data_a\n_x 1 2\n", "line 2: the label _x has 2 values"),
    "a value beside a loop's label": ("data_a\nloop_\n_x 1\n", "line 3: .*_x alone"),
    "a label behind rows": (
        "data_a\nloop_\n_rlnX\n_rlnY\n1 2\n_rlnZ\n",
        "line 6: the label _rlnZ stands behind the rows",
    ),
    "a row without loop": ("data_a\n_x 1\n2\n", "line 3: expected a label"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_line_and_reason(tmp_path, text, message):
    path = tmp_path / "a.star"
    path.write_text(text)

    with pytest.raises(InputDataError, match=rf"a\.star cannot be read.*{message}"):
        read_star_file(path, text_labels=())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("data_a\n_x 1\n".encode("utf-16"), "UTF-16 text, expected UTF-8"),
        (b"data_a\n_x \0\0\0\n", "line 2 holds zero bytes"),
        ("data_a\n_x Å\n".encode("latin-1"), r"line 2 is no UTF-8 text \(byte 0xc5\)"),
    ],
)
def test_what_is_no_text_is_told(tmp_path, data, message):
    path = tmp_path / "a.star"
    path.write_bytes(data)

    with pytest.raises(InputDataError, match=message):
        read_star_file(path, text_labels=())


def test_a_number_of_too_many_digits_is_told(tmp_path):
    path = tmp_path / "a.star"
    path.write_text(f"data_a\n\nloop_\n_x\n_y\n{'9' * 400} 3\n")
    # pandas before 3.1 refuses the table, later ones leave the number to its reader.
    told = (
        r"whole number in data_a \(line 3|line 6: x holds something else than numbers"
    )
    with pytest.raises(InputDataError, match=told):
        read_columns(read_star_file(path, text_labels=())[0].rows, ["x"], path=path)


def test_numbers_are_read_to_their_last_digit(tmp_path):
    numbers = np.random.default_rng(4).normal(0, 1000, 500).tolist()
    path = tmp_path / "a.star"
    path.write_text("data_a\n\nloop_\n_x\n" + "\n".join(map(repr, numbers)) + "\n")
    (table,) = read_star_file(path, text_labels=())
    assert table.rows["x"].tolist() == numbers
