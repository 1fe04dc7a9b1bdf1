"""Dynamo's tables, against what is worked out by hand."""

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.dynamo_table import (
    read_dynamo,
    read_dynamo_names,
    write_dynamo,
)
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.hand_made import (
    CLASSES,
    FRAME,
    NUMBERS,
    SHAPE_ZYX,
    ZYX,
    assert_hand_made,
    hand_made,
    text_file,
)

NINE = "0 0 0 0 0 0 0 0 0"


DYNAMO = (
    f"1 1 0 0 0 0 90 90 180 0.75 {NINE} 1 0 1 0 12.25 50 7 {NINE} 10\n"
    f"2 1 0 1 -2 0.5 180 90 180 0.5 {NINE} 1 0 2 0 29 5 19.5 {NINE} 10\n"
)


def dynamo_words(path):
    return [[float(w) for w in line.split()] for line in path.read_text().splitlines()]


def test_dynamo_by_hand(tmp_path):
    path = text_file(tmp_path, "a.tbl", DYNAMO)

    (particles,) = read_dynamo(path, frames={"TS_01": FRAME}, class_order=CLASSES)

    assert_hand_made(particles)


def test_dynamo_counted_from_one(tmp_path):
    path = text_file(tmp_path, "a.tbl", DYNAMO)

    (particles,) = read_dynamo(path, frames={"TS_01": FRAME}, first_voxel=1)

    assert np.allclose(particles.positions_zyx, ZYX - 1)


def test_dynamo_as_written(tmp_path):
    path = tmp_path / "a.tbl"

    write_dynamo([(hand_made(), FRAME)], path, class_numbers=NUMBERS)

    first, second = dynamo_words(path)
    assert len(first) == 36
    expected = [1, 1, 0, 0, 0, 0, 90, 90, 180, 0.75]
    assert first[:5] == expected[:5]
    assert np.allclose(np.abs(first[6:10]), np.abs(expected[6:]))
    assert second[0] == 2
    assert [first[i] for i in (19, 21, 23, 24, 25, 35)] == [1, 1, 12.25, 50, 7, 10]
    assert [second[i] for i in (19, 21, 23, 24, 25, 35)] == [1, 2, 30, 3, 20, 10]
    assert (tmp_path / "a.doc").read_text() == "1 TS_01.mrc\n"
    (read,) = read_dynamo(path, frames={"TS_01": FRAME}, class_order=CLASSES)
    assert_hand_made(read)


def test_dynamo_written_from_one(tmp_path):
    path = tmp_path / "a.tbl"

    write_dynamo([(hand_made(), FRAME)], path, class_numbers=NUMBERS, first_voxel=1)

    assert dynamo_words(path)[0][23:26] == [13.25, 51, 8]


def test_dynamo_tomograms_by_the_map_beside_it(tmp_path):
    path = text_file(
        tmp_path, "a.tbl", DYNAMO + DYNAMO.replace(" 1 0 1 0 ", " 7 0 1 0 ")
    )
    text_file(tmp_path, "a.doc", "7 /data/TS_02.mrc\n1 /data/TS_01.rec\n")
    other = TomogramFrame(tomogram_id="TS_02", shape_zyx=SHAPE_ZYX, voxel_size=10.0)

    second, first = read_dynamo(path, frames={"TS_02": other, "TS_01": FRAME})

    assert (second.tomogram_id, len(second)) == ("TS_02", 1)
    assert second.positions_zyx.tolist() == [[7, 50, 12.25]]
    assert (first.tomogram_id, len(first)) == ("TS_01", 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DYNAMO.replace("50 7", "far 7"), "line 1: got 'far'"),
        ("1 2 3\n", r"line 1: 3 column\(s\), expected a Dynamo table"),
        (DYNAMO.replace(" 10\n", " 2.5\n"), r"pixel size \(column 36\) is 2\.5 Å"),
        (DYNAMO + DYNAMO.replace(" 1 0 1 0", " 3 0 1 0"), "numbers 1, 3 .*a.doc"),
        (DYNAMO.replace("2 1 0 1", "2 1 0"), r"line 2: 35 column\(s\).*first has 36"),
        (DYNAMO.replace("50 7", "50 nan"), "line 1: got 'nan'"),
        (DYNAMO.replace("12.25", "12,25"), "line 1: got '12,25', .*decimal point"),
        (DYNAMO.replace(" 1 0 2 0", " 1 0 1.5 0"), "line 2: got '1.5', .*whole number"),
    ],
)
def test_bad_dynamo(tmp_path, text, message):
    path = text_file(tmp_path, "a.tbl", text)

    with pytest.raises(InputDataError, match=message):
        read_dynamo(path, frames={"TS_01": FRAME})


def test_dynamo_s_map_names_another_tomogram(tmp_path):
    path = text_file(tmp_path, "a.tbl", DYNAMO)
    text_file(tmp_path, "a.doc", "1 TS_09.mrc\n")

    with pytest.raises(
        InputDataError,
        match="without a tomogram: TS_09; tomograms without coordinates: TS_01",
    ):
        read_dynamo(path, frames={"TS_01": FRAME})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 TS_01.mrc\n1 TS_02.mrc\n", "line 2: the number 1 stands twice"),
        ("\u00b2 TS_01.mrc\n", "line 1: got '\u00b2'"),
        ("1\n", "line 1: expected 'NUMBER FILE'"),
    ],
)
def test_a_bad_map_of_dynamo(tmp_path, text, message):
    path = text_file(tmp_path, "a.tbl", DYNAMO)
    text_file(tmp_path, "a.doc", text)

    with pytest.raises(InputDataError, match=message):
        read_dynamo(path, frames={"TS_01": FRAME})


def test_names_with_commas_and_blanks_in_dynamo_s_map(tmp_path):
    path = text_file(tmp_path, "a.tbl", DYNAMO)
    text_file(tmp_path, "a.doc", "1 /my data/TS 1,5.mrc\n")

    assert read_dynamo_names(path) == ["TS 1,5"]


def test_dynamo_s_map_cannot_hold_a_blank(tmp_path):
    frame = TomogramFrame(tomogram_id="TS 01", shape_zyx=SHAPE_ZYX, voxel_size=10.0)

    with pytest.raises(InputDataError, match="cannot stand in a Dynamo table"):
        write_dynamo([(hand_made(), frame)], tmp_path / "a.tbl", class_numbers=NUMBERS)
    assert list(tmp_path.iterdir()) == []


def test_dynamo_zeros_are_no_scores_and_no_orientation(tmp_path):
    row = f"1 1 0 0 0 0 0 0 0 0 {NINE} 1 0 0 0 1 2 3\n"

    (particles,) = read_dynamo(
        text_file(tmp_path, "a.tbl", row), frames={"TS_01": FRAME}, class_order=["ring"]
    )

    assert particles.rotations is None
    assert np.isnan(particles.scores).all()
    assert particles.class_names.tolist() == ["ring"]


GROUPED = make_particles(
    "TS_01",
    [[7, 50, 12.25], [20, 3, 30], [20, 3, 31], [1, 2, 3], [4, 5, 6]],
    class_names=["mt", "mt", "mt", "liposome", "ribosome"],
    optional={
        "filament": ["mt_7", "mt_2", "mt_7", "", ""],
        "vesicle": ["", "", "", "l", ""],
    },
)


def grouped_table(folder):
    path = folder / "a.tbl"
    numbers = {"mt": 1, "liposome": 2, "ribosome": 3}
    write_dynamo([(GROUPED, FRAME)], path, class_numbers=numbers)
    return path


def test_filaments_and_vesicles_are_regions_and_annotations(tmp_path):
    rows = [line.split() for line in grouped_table(tmp_path).read_text().splitlines()]

    assert [row[20] for row in rows] == ["1", "2", "1", "3", "0"]
    assert [row[22] for row in rows] == ["1", "2", "1", "3", "0"]
    assert [row[21] for row in rows] == ["1", "1", "1", "2", "3"]


@pytest.mark.parametrize("groups", ["filament", "vesicle"])
def test_groups_are_what_is_said_of_them(tmp_path, groups):
    (back,) = read_dynamo(
        grouped_table(tmp_path), frames={"TS_01": FRAME}, groups=groups
    )

    assert set(back.optional) == {groups}
    assert back.optional[groups].tolist() == ["1", "2", "1", "3", ""]


def test_groups_of_which_nothing_is_said_are_left_out(tmp_path, caplog):
    caplog.set_level("INFO")
    (back,) = read_dynamo(grouped_table(tmp_path), frames={"TS_01": FRAME})

    assert not back.optional
    assert "filaments or vesicles, say so: --groups" in caplog.text


def test_annotations_are_groups_where_there_are_no_regions(tmp_path):
    path = grouped_table(tmp_path)
    rows = [line.split() for line in path.read_text().splitlines()]
    for row in rows:
        row[20] = "0"
    path.write_text("".join(" ".join(row) + "\n" for row in rows))
    (back,) = read_dynamo(path, frames={"TS_01": FRAME}, groups="filament")

    assert back.optional["filament"].tolist() == ["1", "2", "1", "3", ""]
