"""Long CSV files: pandas reads the same as line by line, and finds no other faults."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats import long_csv
from etpicker_plugin.engine.formats.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.formats.csv_header import read_header
from etpicker_plugin.engine.formats.long_csv import read_long
from etpicker_plugin.engine.orientation import from_relion_angles
from etpicker_plugin.engine.particles import make_particles

ORDINARY = {
    "plain": "class,x,y,z\na,1.5,2.25,3\nb,-4,5e1,6.\n",
    "scores": "class,x,y,z,score\na,1,2,3,0.1\nb,4,5,6,\nc,4,5,6,nan\n",
    "semicolons": "class;x;y;z\na,b;1.5;2;3\n\nb;4;5;6\n",
    "tabs": "class\tx\ty\tz\tscore\na b\t1\t2\t3\t.5\nb\t4\t5\t6\t\n",
    "an empty column": "class,x,y,z,,\na,1,2,3,,\nb,4,5,6,,\n",
    "another order": "note,z,y,score,x,Class\n1,3,2,.5,1,a\n,6,5,.25,4,b\n",
    "spaces": " class , x,y,z\n a b , 1,\t2,3 \n\nb ,4,5,6\n",
    "quotes": 'class,x,y,z\n"a ""b"", c","1",2,3\n7,4,5,6\nNA,4,5,6\n',
    "angles": "class,x,y,z,rot,tilt,psi\na,1,2,3,30,60,-90\nb,4,5,6,,,\nc,4,5,6,1,,2\n",
    "Windows": "\ufeffclass,x,y,z\r\na,1,2,3\r\nb,4,5,6\r\n",
}
UNUSUAL_CELLS = [
    *("1_0", "inf", "1e400", "-nan", "True", "0x10", "\uff11", "None", "1 2", "1\x00"),
    *("one", "", '"1', "1\x0b", "1e", "+", ".", "1e13", '"0,5"', "Infinity", "1d2"),
]


@pytest.fixture
def both(tmp_path, monkeypatch):
    """Return a function that reads a text line by line, and as a long one."""

    def read(text):
        path = tmp_path / "a.csv"
        path.write_text(text, encoding="utf-8", newline="")
        results = []
        for least in (10**9, 0):
            monkeypatch.setattr(long_csv, "LONG_TEXT", least)
            try:
                results.append(read_csv(path, tomogram_id="T"))
            except InputDataError as error:
                results.append(str(error))
        return results

    return read


def assert_equal(by_line, at_once):
    if isinstance(by_line, str):
        assert at_once == by_line
        return
    np.testing.assert_array_equal(at_once.positions_zyx, by_line.positions_zyx)
    np.testing.assert_array_equal(at_once.scores, by_line.scores)
    assert at_once.class_names.tolist() == by_line.class_names.tolist()
    assert (at_once.rotations is None) == (by_line.rotations is None)
    if by_line.rotations is not None:
        np.testing.assert_array_equal(at_once.rotations, by_line.rotations)


@pytest.mark.parametrize("text", ORDINARY.values(), ids=ORDINARY.keys())
def test_ordinary_text_is_read_at_once(both, monkeypatch, text):
    by_line, at_once = both(text)

    assert len(by_line) > 1
    assert_equal(by_line, at_once)
    stream = io.StringIO(text.removeprefix("\ufeff"), newline="")
    header = read_header(stream, score_column="", path=Path("a.csv"))
    assert read_long(stream, header) is not None


@pytest.mark.parametrize("column", ["x", "score", "psi"])
@pytest.mark.parametrize("cell", UNUSUAL_CELLS)
def test_unusual_cells_are_read_or_refused_as_line_by_line(both, column, cell):
    cells = {"class": "a", "x": "1", "y": "2", "z": "3", "score": "4"}
    cells |= {"rot": "5", "tilt": "6", "psi": "7", column: cell}
    line = ",".join(cells.values())
    assert_equal(*both(f"{','.join(cells)}\nb,1,2,3,4,5,6,7\n\n{line}\n"))


LINES = [",1,2,3", "a,1,2", ",,,", '"a,1,2,3', "a", "a,1,2,3,", "a,1,2,3,4", " ", ","]
LINES += ['a"b,1,2,3', '"a\nb",1,2,3', '"a"b,1,2,3', '"a,1,2,3\nb",1,2,3', "a,1\r2,3"]


@pytest.mark.parametrize("line", LINES)
def test_unusual_lines_are_read_or_refused_as_line_by_line(both, line):
    assert_equal(*both(f"class,x,y,z\nb,1,2,3\n{line}\nc,4,5,6\n"))


def test_a_fault_far_down_is_named_by_its_line(both):
    by_line, at_once = both("class,x,y,z\n" + "a,1,2,3\n" * 30000 + "a,1,2,here\n")

    assert "line 30002, z: got 'here', expected a number" in by_line
    assert at_once == by_line


def test_a_long_file_round_trips(tmp_path):
    generator = np.random.default_rng(0)
    count = 9000
    names = np.array(["a, b", "c"])[generator.integers(0, 2, count)]
    angles = generator.uniform(-90, 90, (count, 3)).round(4)
    scores = generator.uniform(0, 1, count).round(6)
    angles[7], scores[8] = np.nan, np.nan
    particles = make_particles(
        "T",
        generator.uniform(-5, 4000, (count, 3)).round(3),
        class_names=names,
        scores=scores,
        rotations=from_relion_angles(angles),
    )
    path = tmp_path / "long.csv"
    write_csv(particles, path)
    assert len(path.read_text()) > long_csv.LONG_TEXT

    read = read_csv(path, tomogram_id="T")

    np.testing.assert_array_equal(read.positions_zyx, particles.positions_zyx)
    np.testing.assert_array_equal(read.scores, scores)
    np.testing.assert_allclose(read.rotations, particles.rotations, atol=1e-5)
    assert read.class_names.tolist() == names.tolist()


def test_names_are_quoted_where_they_need_it(tmp_path):
    names = ["a", "a, b", 'a "b"', "a\nb", "", " a"]
    path = tmp_path / "a.csv"
    write_csv(make_particles("T", np.zeros((6, 3)), class_names=names), path)

    with path.open(newline="") as stream:
        assert [row[0] for row in csv.reader(stream)][1:] == names
    assert path.read_text().splitlines()[1] == "a,0.000,0.000,0.000,"
