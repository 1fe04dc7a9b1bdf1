"""The CSV, and what lies outside the tomogram, against what is worked out by hand."""

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.checks import check_particles, refuse_outside
from etpicker_plugin.engine.formats.coordinates_csv import lacks_z, read_csv, write_csv
from etpicker_plugin.engine.particles import join_particles, make_particles
from etpicker_plugin.tests.support.hand_made import (
    CLASSES,
    SHAPE_ZYX,
    TURN_B,
    ZYX,
    assert_hand_made,
    hand_made,
    text_file,
)


def test_csv_by_hand(tmp_path):
    path = text_file(
        tmp_path,
        "a.csv",
        "score, Z,note,Y,X,class\n0.75,7,?,50,12.25,ribosome\n\n0.5,20,,3,30,ring\n",
    )

    assert_hand_made(read_csv(path, tomogram_id="TS_01"), turned=False)


def test_csv_as_written(tmp_path):
    path = tmp_path / "a.csv"
    particles = make_particles("TS_01", ZYX, class_names=CLASSES, scores=[0.75, np.nan])

    write_csv(particles, path)

    assert path.read_text() == (
        "class,x,y,z,score\n"
        "ribosome,12.250,50.000,7.000,0.75\n"
        "ring,30.000,3.000,20.000,\n"
    )
    assert_hand_made(
        read_csv(path, tomogram_id="TS_01"), scores=[0.75, np.nan], turned=False
    )


def test_csv_of_a_spreadsheet(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfclass,x,y,z\r\nribosome,12.25,50,7\r\n")

    particles = read_csv(path, tomogram_id="TS_01")

    assert particles.positions_zyx.tolist() == [[7, 50, 12.25]]
    assert np.isnan(particles.scores).all()


@pytest.mark.parametrize(
    "text",
    [
        "class;x;y;z;score\nribosome;12.25;50;7;0.75\nring;30;3;20;0.5\n",
        "score\tclass\tx\ty\tz\n0.75\tribosome\t12.25\t50\t7\n0.5\tring\t30\t3\t20\n",
        "class,x,y,z,score\nribosome,12.25,50,7,0.75,,\nring,30,3,20,0.5\n",
        "class,x,y,z,score,,\nribosome,12.25,50,7,0.75,,\nring,30,3,20,0.5\n",
        ',class,x,y,z,score\n0,"ribosome","12.25",50,7,0.75\n1,ring,30,3,20,0.5\n',
        "class,x,y,z,score\rribosome,12.25,50,7,0.75\rring,30,3,20,0.5\r",
    ],
)
def test_csv_of_other_spreadsheets(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text, newline="")

    assert_hand_made(read_csv(path, tomogram_id="TS_01"), turned=False)


def test_csv_of_utf16_is_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("class,x,y,z\n", encoding="utf-16")

    with pytest.raises(InputDataError, match="UTF-16 text, expected UTF-8"):
        read_csv(path, tomogram_id="T")


def test_a_csv_s_scores_may_stand_in_another_column(tmp_path):
    path = text_file(tmp_path, "a.csv", "class,x,y,z,Score,CC\nring,1,2,3,0.1,0.2\n")

    read = read_csv(path, tomogram_id="T", score_column="cc")

    assert read.scores.tolist() == [0.2]
    with pytest.raises(InputDataError, match="no column LCC, which --score-column"):
        read_csv(path, tomogram_id="T", score_column="LCC")


def test_csv_without_rows_is_an_empty_record(tmp_path):
    particles = read_csv(text_file(tmp_path, "a.csv", "class,x,y,z\n"), tomogram_id="T")

    assert len(particles) == 0
    assert particles.positions_zyx.shape == (0, 3)


BAD_CSV = {
    "": "the file is empty",
    '"' + "a" * 200_000: "line 1 cannot be read as a CSV header",
    "class,x,y\nring,1,2\n": "no column z;",
    "ring,1,2,3\n": "no header line",
    "class,x,y,z,x\nring,1,2,3,4\n": "column x stands twice",
    "class,x,y,z\nring,1,2,3\n\nring,1,two,3\n": "line 4, y: got 'two'",
    "class,x,y,z\nring,1,2,nan\n": "line 2, z: got 'nan'",
    "class,x,y,z\nring,1,2\n": r"line 2: 3 cell\(s\)",
    "class,x,y,z\n ,1,2,3\n": "line 2: the class is empty",
    "class,x,y,z,score\nring,1,2,3,high\n": "line 2, score: got 'high'",
    "class,x,y,z\nring,12,5,28,25,20,75\n": (
        r"line 2: 7 cell\(s\), the header names 4. Is there a comma within a number"
    ),
    "x,y,z,class\n1,32,28,20,ring\n": r"line 2: 5 cell\(s\).*row names",
    "class,x,y,z,score\nring,1,2,3,0.5\nring,1,2,0.5\n": (
        r"line 3: 4 cell\(s\), fewer than the 5"
    ),
    "class,x,y,z,note\nring,1,2,3\n": r"line 2: 4 cell\(s\), fewer than the 5",
    'class,x,y,z\nring,"12,5",2,3\n': "line 2, x: got '12,5', .*decimal point",
    "class;x;y;z\nring;1;2;28,25\n": "line 2, z: got '28,25', .*decimal point",
    "class x y z\nring 1 2 3\n": "no column class, x, y, z; the first line",
    "class,x,y,z\nring,1,inf,3\n": "line 2, y: got 'inf', expected a finite",
    "class,x,y,z\nring,1,2,1e300\n": "line 2, z: got '1e300', .*at most",
    "class,x,y,z\nring,1_0,2,3\n": "line 2, x: got '1_0'",
    "class,x,y,z\nring,\uff11,2,3\n": "line 2, x: got",
    "class,x,y,z,score\nring,1,2,3,inf\n": "line 2, score: got 'inf'",
    'class,x,y,z\nring,1,2,3\n"ring,1,2,3\nring,1,2,3\n': "line 4 cannot be read",
    'class,x,y,z\n"ring\n",1,2,3\n': "line 3, class: a quote is closed in another",
}


@pytest.mark.parametrize(
    ("text", "message"), BAD_CSV.items(), ids=map(str, range(len(BAD_CSV)))
)
def test_bad_csv(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        read_csv(text_file(tmp_path, "a.csv", text), tomogram_id="TS_01")


@pytest.mark.parametrize(
    ("position_zyx", "is_inside"),
    [
        ((-0.5, -0.5, -0.5), True),
        ((32.5, 56.5, 40.5), True),
        ((-0.51, 0, 0), False),
        ((32.6, 0, 0), False),
        ((0, 56.6, 0), False),
        ((0, 0, 40.6), False),
        ((40, 3, 20), False),
    ],
)
def test_the_volume_reaches_half_a_voxel_beyond_its_centres(
    tmp_path, position_zyx, is_inside
):
    particles = make_particles("TS_01", [[1, 2, 3], position_zyx])

    if is_inside:
        checked = check_particles(particles, shape_zyx=SHAPE_ZYX, path=tmp_path)
        assert np.array_equal(checked.positions_zyx, particles.positions_zyx)
    else:
        with pytest.raises(InputDataError, match="1 of 2 lie outside"):
            refuse_outside(particles, shape_zyx=SHAPE_ZYX, path=tmp_path)


def test_outside_is_told_as_x_y_z(tmp_path):
    particles = make_particles("TS_01", [[40, 3, 20]])

    with pytest.raises(
        InputDataError, match=r"= \(20\.0, 3\.0, 40\.0\), .* \(41, 57, 33\)"
    ):
        refuse_outside(particles, shape_zyx=SHAPE_ZYX, path=tmp_path)


def test_duplicates_of_a_class_are_left_out_and_told(tmp_path, caplog):
    particles = make_particles(
        "TS_01",
        [[5, 5, 5], [5, 5.4, 5], [5, 5.8, 5], [5, 5, 5], [5, 6, 5]],
        class_names=["ring", "ring", "ring", "ribosome", "ribosome"],
        scores=[1, 2, 3, 4, 5],
    )

    checked = check_particles(particles, shape_zyx=SHAPE_ZYX, path=tmp_path)

    assert checked.scores.tolist() == [1, 3, 4, 5]
    assert "1 of 5 repeat another of their class" in caplog.text


def test_csv_keeps_orientations_as_relion_s_angles(tmp_path):
    path = tmp_path / "a.csv"

    write_csv(hand_made(), path)

    head, first, second = path.read_text().splitlines()
    assert head == "class,x,y,z,score,rot,tilt,psi"
    assert second == "ring,30.000,3.000,20.000,0.5,90.0000,90.0000,-90.0000"
    assert first.startswith("ribosome,12.250,50.000,7.000,0.75,90.0000,90.0000,")
    assert_hand_made(read_csv(path, tomogram_id="TS_01"))


def test_csv_with_one_orientation_unknown(tmp_path):
    path = tmp_path / "a.csv"
    parts = [
        make_particles("T", [[1, 2, 3]]),
        make_particles("T", [[4, 5, 6]], rotations=np.array([TURN_B], dtype=float)),
    ]

    write_csv(join_particles("T", parts), path)
    read = read_csv(path, tomogram_id="T")

    assert path.read_text().splitlines()[1] == "particle,3.000,2.000,1.000,,,,"
    assert np.isnan(read.rotations[0]).all()
    assert np.allclose(read.rotations[1], TURN_B)


def checked(points, tmp_path, **optional):
    made = make_particles("T", points, class_names="a", optional=optional)
    return check_particles(made, shape_zyx=SHAPE_ZYX, path=tmp_path / "T.csv")


def test_filaments_may_meet_and_close(tmp_path):
    ring = [[5.0, 6, 7], [5, 8, 9], [5, 6, 11], [5, 6, 7]]
    found = checked([*ring, [5, 6, 7], [5, 3, 7]], tmp_path, filament=[*"aaaabb"])
    assert len(found) == 6

    doubled = checked([ring[0], *ring], tmp_path, filament="a")
    np.testing.assert_array_equal(doubled.positions_zyx, ring)


def test_vesicles_about_one_centre_are_two_if_their_radii_differ(tmp_path):
    centres = [[5.0, 6, 7], [5.1, 6, 7], [5, 6, 7.1], [5, 6.1, 7]]
    found = checked(centres, tmp_path, radius=[300.0, 200, 305, np.nan])

    assert found.optional["radius"].tolist() == [300, 200]


def test_of_a_vesicle_whose_centre_is_outside_it_is_said_what_to_do(tmp_path):
    with pytest.raises(InputDataError, match="a face cuts so far that its centre"):
        checked([[-4.0, 6, 7]], tmp_path, radius=[300.0])
    with pytest.raises(InputDataError, match=r"voxels\. Coordinates are 0-based"):
        checked([[-4.0, 6, 7]], tmp_path)


def test_csv_of_a_micrograph_has_no_z(tmp_path):
    path = tmp_path / "mic.csv"
    particles = make_particles(
        "mic", [[0, 50, 12.25], [0, 3, 30]], class_names=CLASSES, scores=[0.75, np.nan]
    )

    write_csv(particles, path, flat=True)

    assert path.read_text() == (
        "class,x,y,score\nribosome,12.250,50.000,0.75\nring,30.000,3.000,\n"
    )
    found = read_csv(path, tomogram_id="mic", flat=True)
    np.testing.assert_array_equal(found.positions_zyx, particles.positions_zyx)
    assert lacks_z(path)
    with pytest.raises(InputDataError, match="no column z"):
        read_csv(path, tomogram_id="mic")


def test_csv_of_a_micrograph_may_have_z(tmp_path):
    path = text_file(tmp_path, "mic.csv", "class,x,y,z\nring,30,3,0\n")

    assert not lacks_z(path)
    found = read_csv(path, tomogram_id="mic", flat=True)
    assert found.positions_zyx.tolist() == [[0, 3, 30]]


def test_a_long_csv_of_a_micrograph(tmp_path):
    rows = [f"ring;{i}.5;{2 * i}" for i in range(20_000)]
    path = text_file(tmp_path, "mic.csv", "\n".join(["class;x;y", *rows]))

    found = read_csv(path, tomogram_id="mic", flat=True)

    assert found.positions_zyx[7].tolist() == [0, 14, 7.5]
    assert len(found) == 20_000
