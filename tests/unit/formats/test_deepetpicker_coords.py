"""DeepETPicker's files, against what is worked out by hand."""

import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.deepetpicker_coords import read_coords, write_coords
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.hand_made import CLASSES, text_file


def test_coords_by_hand(tmp_path):
    path = text_file(tmp_path, "a.coords", "1\t12\t50\t7\n3\t30\t3\t20\n")

    particles = read_coords(path, tomogram_id="TS_01", class_order=("ribosome", "x"))

    assert particles.positions_zyx.tolist() == [[7, 50, 12], [20, 3, 30]]
    assert particles.class_names.tolist() == ["ribosome", "class_3"]


def test_coords_without_a_class_are_of_the_first(tmp_path):
    path = text_file(tmp_path, "a.coords", "12 50 7\n")

    particles = read_coords(path, tomogram_id="TS_01", class_order=("ring", "x"))

    assert particles.class_names.tolist() == ["ring"]
    assert particles.positions_zyx.tolist() == [[7, 50, 12]]


def test_coords_as_written_are_rounded_not_cut(tmp_path):
    path = tmp_path / "a.coords"
    particles = make_particles(
        "TS_01", [[7.4, 49.6, 12.25], [20, 3, 30]], class_names=CLASSES
    )

    write_coords(particles, path, class_numbers={"ring": 1, "ribosome": 2})

    assert path.read_text() == "2\t12\t50\t7\n1\t30\t3\t20\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3 4\n2 3 4\n", r"line 2: 3 column\(s\)"),
        ("0 1 2 3\n", "line 1: class 0"),
        ("1 1 2 3\n1.5 1 2 3\n", "line 2: class 1.5"),
        ("1 2 x 3\n", "line 1: got 'x'"),
        ("12,5 20 7\n13,5 21 8\n", "line 1: ',' and blanks both stand"),
        ("1 2 nan 3\n", "line 1: got 'nan'"),
    ],
)
def test_bad_coords(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        read_coords(text_file(tmp_path, "a.coords", text), tomogram_id="TS_01")
