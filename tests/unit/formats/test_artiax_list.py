"""ArtiaX's lists, against what is worked out by hand."""

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.artiax_list import read_artiax, write_artiax
from etpicker_plugin.engine.formats.coordinates_txt import read_txt
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.hand_made import (
    CLASSES,
    NO_SCORES,
    NUMBERS,
    assert_hand_made,
    hand_made,
    text_file,
)

ARTIAX = (
    "pos_x\tpos_y\tpos_z\tshift_x\tshift_y\tshift_z\tphi\tthe\tpsi\tclass\tscore\n"
    "12.25\t50\t7\t0\t0\t0\t0\t90\t90\t1\t0.75\n"
    "29\t5\t20\t1\t-2\t0\t0\t90\t0\t2\t0.5\n"
)


def test_artiax_by_hand(tmp_path):
    path = text_file(tmp_path, "a.tsv", ARTIAX)

    assert_hand_made(read_artiax(path, tomogram_id="TS_01", class_order=CLASSES))


def test_artiax_as_written(tmp_path):
    path = tmp_path / "a.tsv"

    write_artiax(hand_made(), path, class_numbers=NUMBERS)

    head, *lines = path.read_text().splitlines()
    assert head == ARTIAX.splitlines()[0]
    rows = np.array([[float(word) for word in line.split("\t")] for line in lines])
    assert np.allclose(rows[:, :6], [[12.25, 50, 7, 0, 0, 0], [30, 3, 20, 0, 0, 0]])
    assert np.allclose(rows[:, 6:], [[0, 90, 90, 1, 0.75], [0, 90, 0, 2, 0.5]])


def test_artiax_s_coords_are_our_txt(tmp_path):
    """Its reader takes the first three words between single blanks."""
    path = text_file(tmp_path, "a.coords", "12.25 50 7\n30 3 20\n")

    particles = read_txt(path, tomogram_id="TS_01", class_name="ring")

    assert_hand_made(
        particles, classes=["ring", "ring"], scores=NO_SCORES, turned=False
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column pos_x"),
        (ARTIAX.replace("\tthe", "\ttheta"), "no column the"),
        (ARTIAX.replace("12.25", "x"), "line 2: got 'x'"),
        (ARTIAX.replace("\t0.5\n", "\n"), r"line 3: 10 cell\(s\)"),
        (ARTIAX.replace("\t0.5\n", "\t0.5\t1\n"), r"line 3: 12 cell\(s\)"),
        (ARTIAX.replace("\n29", "\n\n29").replace("\t20\t", "\tnan\t"), "line 4: got"),
        (ARTIAX.replace("12.25", "12,25"), "line 2: got '12,25', .*decimal point"),
        (ARTIAX.replace("\tscore", "\tpos_x"), "column pos_x stands twice"),
        (ARTIAX.replace("\t2\t0.5", "\t2.5\t0.5"), "line 3: got '2.5', .*whole"),
    ],
)
def test_bad_artiax(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        read_artiax(text_file(tmp_path, "a.tsv", text), tomogram_id="TS_01")


def test_artiax_s_empty_cells_and_another_score(tmp_path, caplog):
    text = ARTIAX.replace("\t0.75\n", "\t0.75\t\t\n").replace("score", "CC")
    path = text_file(tmp_path, "a.tsv", text)

    particles = read_artiax(
        path, tomogram_id="TS_01", class_order=CLASSES, score_column="CC"
    )

    assert_hand_made(particles)
    assert not caplog.text
    read_artiax(path, tomogram_id="TS_01")
    assert "these columns are left out: CC." in caplog.text
    with pytest.raises(InputDataError, match="no column LCC"):
        read_artiax(path, tomogram_id="TS_01", score_column="LCC")


def test_radii_and_groups_are_attributes(tmp_path):
    particles = make_particles(
        "TS_01",
        [[7, 50, 12.25], [20, 3, 30], [8, 9, 1]],
        class_names=["mt", "mt", "liposome"],
        optional={
            "filament": ["mt_9", "mt_2", ""],
            "vesicle": ["", "", "l_4"],
            "radius": [np.nan, np.nan, 310.5],
        },
    )
    path = tmp_path / "a.tsv"
    write_artiax(particles, path, class_numbers={"liposome": 1, "mt": 2})

    head, *lines = [line.split("\t") for line in path.read_text().splitlines()]
    assert head[9:] == ["class", "radius", "filament", "vesicle"]
    assert [line[9:] for line in lines] == [
        ["2", "0", "1", "0"],
        ["2", "0", "2", "0"],
        ["1", "310.5", "0", "1"],
    ]
    back = read_artiax(path, tomogram_id="TS_01")
    assert back.optional["filament"].tolist() == ["1", "2", ""]
    assert back.optional["vesicle"].tolist() == ["", "", "1"]
    np.testing.assert_array_equal(back.optional["radius"], [np.nan, np.nan, 310.5])
