"""Every coordinate format against positions computed by hand, in both directions.

The tomogram has x=41, y=57, z=33 voxels of 10 Å, so its half is 20.5, 28.5, 16.5.
Particle A stands at x, y, z = 12.25, 50, 7 and B at 30, 3, 20.
"""

import emtable
import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_csv import (
    check_particles,
    read_csv,
    refuse_outside,
    write_csv,
)
from etpicker_plugin.engine.formats.coordinates_txt import read_txt, write_txt
from etpicker_plugin.engine.formats.deepetpicker_coords import read_coords, write_coords
from etpicker_plugin.engine.formats.relion_star import read_star, write_star
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.particles import make_particles

SHAPE_ZYX = (33, 57, 41)
ZYX = np.array([[7.0, 50.0, 12.25], [20.0, 3.0, 30.0]])
CLASSES = ["ribosome", "ring"]
SCORES = [0.75, 0.5]

RELION3 = """
data_optics

loop_
_rlnOpticsGroup #1
_rlnOpticsGroupName #2
_rlnMicrographPixelSize #3
1 opticsGroup1 10.0

data_particles

loop_
_rlnMicrographName #1
_rlnCoordinateX #2
_rlnCoordinateY #3
_rlnCoordinateZ #4
_rlnOpticsGroup #5
_rlnAutopickFigureOfMerit #6
_rlnClassNumber #7
Tomograms/TS_01.mrc 12.25 50.0 7.0 1 0.75 1
Tomograms/TS_01.mrc 30.0 3.0 20.0 1 0.5 2
"""
TOMO = """
data_optics

loop_
_rlnOpticsGroup #1
_rlnOpticsGroupName #2
_rlnTomoTiltSeriesPixelSize #3
1 opticsGroup1 {pixel_size}

data_particles

loop_
_rlnTomoName #1
_{x} #2
_{y} #3
_{z} #4
_rlnOpticsGroup #5
_rlnAutopickFigureOfMerit #6
_etpickerClassName #7
TS_01 {a} 1 0.75 ribosome
TS_01 {b} 1 0.5 ring
"""
BY_BINNING = {
    1: ("12.25 50.0 7.0", "30.0 3.0 20.0"),
    2: ("24.5 100.0 14.0", "60.0 6.0 40.0"),
    4: ("49.0 200.0 28.0", "120.0 12.0 80.0"),
}
BY_CENTRE = {
    ("half", 1): ("-82.5 215.0 -95.0", "95.0 -255.0 35.0"),
    ("half", 4): ("-82.5 215.0 -95.0", "95.0 -255.0 35.0"),
    ("half-minus-one", 1): ("-72.5 225.0 -85.0", "105.0 -245.0 45.0"),
    ("half-minus-one", 4): ("-80.0 217.5 -92.5", "97.5 -252.5 37.5"),
}


def frame_of(binning=1.0, tomogram_id="TS_01"):
    return TomogramFrame(
        tomogram_id=tomogram_id,
        shape_zyx=SHAPE_ZYX,
        voxel_size=10.0,
        binning=binning,
    )


def hand_made():
    return make_particles("TS_01", ZYX, class_names=CLASSES, scores=SCORES)


def text_file(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def relion4_text(binning):
    a, b = BY_BINNING[binning]
    x, y, z = (f"rlnCoordinate{axis}" for axis in "XYZ")
    return TOMO.format(pixel_size=10.0 / binning, x=x, y=y, z=z, a=a, b=b)


def relion5_text(centre, binning):
    a, b = BY_CENTRE[centre, binning]
    x, y, z = (f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ")
    return TOMO.format(pixel_size=10.0 / binning, x=x, y=y, z=z, a=a, b=b)


def assert_hand_made(particles, *, classes=CLASSES, scores=SCORES):
    assert particles.tomogram_id == "TS_01"
    assert np.allclose(particles.positions_zyx, ZYX, rtol=0, atol=1e-9)
    assert particles.class_names.tolist() == classes
    assert np.array_equal(particles.scores, scores, equal_nan=True)


def columns_by_emtable(path, names):
    rows = list(emtable.Table.iterRows(f"particles@{path}"))
    return [[getattr(row, name) for name in names] for row in rows]


# csv, txt, coords -----------------------------------------------------------------


def test_csv_by_hand(tmp_path):
    path = text_file(
        tmp_path,
        "a.csv",
        "score, Z,note,Y,X,class\n0.75,7,?,50,12.25,ribosome\n\n0.5,20,,3,30,ring\n",
    )

    assert_hand_made(read_csv(path, tomogram_id="TS_01"))


def test_csv_as_written(tmp_path):
    path = tmp_path / "a.csv"
    particles = make_particles("TS_01", ZYX, class_names=CLASSES, scores=[0.75, np.nan])

    write_csv(particles, path)

    assert path.read_text() == (
        "class,x,y,z,score\n"
        "ribosome,12.250,50.000,7.000,0.75\n"
        "ring,30.000,3.000,20.000,\n"
    )
    assert_hand_made(read_csv(path, tomogram_id="TS_01"), scores=[0.75, np.nan])


def test_csv_of_a_spreadsheet(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfclass,x,y,z\r\nribosome,12.25,50,7\r\n")

    particles = read_csv(path, tomogram_id="TS_01")

    assert particles.positions_zyx.tolist() == [[7, 50, 12.25]]
    assert np.isnan(particles.scores).all()


def test_csv_without_rows_is_an_empty_record(tmp_path):
    particles = read_csv(text_file(tmp_path, "a.csv", "class,x,y,z\n"), tomogram_id="T")

    assert len(particles) == 0
    assert particles.positions_zyx.shape == (0, 3)


def test_txt_by_hand(tmp_path):
    path = text_file(tmp_path, "a.txt", "# x y z\n12.25 50 7\n\n30,\t3, 20\n")

    particles = read_txt(path, tomogram_id="TS_01", class_name="ribosome")

    assert_hand_made(particles, classes=["ribosome"] * 2, scores=[np.nan] * 2)


def test_txt_as_written(tmp_path):
    path = tmp_path / "a.txt"

    write_txt(hand_made(), path)

    assert path.read_text() == "12.250 50.000 7.000\n30.000 3.000 20.000\n"


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


# RELION ---------------------------------------------------------------------------


def test_relion3_by_hand(tmp_path):
    path = text_file(tmp_path, "a.star", RELION3)

    (particles,) = read_star(
        path,
        frames={"TS_01": frame_of()},
        version="relion3",
        class_order=("ribosome", "ring"),
    )

    assert_hand_made(particles)


@pytest.mark.parametrize("binning", [1, 2, 4])
def test_relion4_by_hand(tmp_path, binning):
    path = text_file(tmp_path, "a.star", relion4_text(binning))

    (particles,) = read_star(
        path, frames={"TS_01": frame_of(binning)}, version="relion4"
    )

    assert_hand_made(particles)


@pytest.mark.parametrize(("centre", "binning"), BY_CENTRE)
def test_relion5_by_hand(tmp_path, centre, binning):
    path = text_file(tmp_path, "a.star", relion5_text(centre, binning))

    (particles,) = read_star(
        path,
        frames={"TS_01": frame_of(binning)},
        version="relion5",
        relion5_centre=centre,
    )

    assert_hand_made(particles)


WRITTEN = [
    ("relion3", "half", 1, "rlnCoordinate{}", BY_BINNING[1]),
    ("relion3", "half", 4, "rlnCoordinate{}", BY_BINNING[1]),
    *(("relion4", "half", b, "rlnCoordinate{}", BY_BINNING[b]) for b in BY_BINNING),
    *(
        ("relion5", centre, b, "rlnCenteredCoordinate{}Angst", rows)
        for (centre, b), rows in BY_CENTRE.items()
    ),
]


@pytest.mark.parametrize(("version", "centre", "binning", "label", "rows"), WRITTEN)
def test_relion_as_written_another_reader_agrees(
    tmp_path, version, centre, binning, label, rows
):
    path = tmp_path / "a.star"
    frame = frame_of(binning)

    write_star([(hand_made(), frame)], path, version=version, relion5_centre=centre)

    coordinates = columns_by_emtable(path, [label.format(axis) for axis in "XYZ"])
    expected = [[float(word) for word in row.split()] for row in rows]
    assert np.allclose(coordinates, expected, rtol=0, atol=1e-6)
    assert columns_by_emtable(
        path,
        ["rlnAutopickFigureOfMerit", "rlnClassNumber", "etpickerClassName"],
    ) == [[0.75, 1, "ribosome"], [0.5, 2, "ring"]]
    name = "rlnMicrographName" if version == "relion3" else "rlnTomoName"
    stated = "TS_01.mrc" if version == "relion3" else "TS_01"
    assert columns_by_emtable(path, [name]) == [[stated], [stated]]
    optics = list(emtable.Table.iterRows(f"optics@{path}"))
    if version == "relion3":
        assert [row.rlnMicrographPixelSize for row in optics] == [10.0]
    else:
        assert [row.rlnTomoTiltSeriesPixelSize for row in optics] == [10.0 / binning]
    (read,) = read_star(
        path, frames={"TS_01": frame}, version=version, relion5_centre=centre
    )
    assert_hand_made(read)


def test_a_whole_first_number_does_not_cut_the_next_ones(tmp_path):
    """Emtable takes a column for whole numbers if its first row looks like one."""
    path = tmp_path / "a.star"
    particles = make_particles("TS_01", [[7, 50, 12], [20.5, 3.25, 30.125]])

    write_star([(particles, frame_of())], path, version="relion3")

    assert columns_by_emtable(path, [f"rlnCoordinate{a}" for a in "XYZ"]) == [
        [12, 50, 7],
        [30.125, 3.25, 20.5],
    ]


@pytest.mark.parametrize("version", ["relion3", "relion4", "relion5"])
def test_many_positions_come_back_within_a_hundredth_voxel(tmp_path, version):
    path = tmp_path / "a.star"
    positions = np.random.default_rng(0).uniform(
        -0.5, np.array(SHAPE_ZYX) - 0.5, (200, 3)
    )
    frame = frame_of(3.7)
    particles = make_particles("TS_01", positions, scores=np.linspace(0, 1, 200))

    write_star([(particles, frame)], path, version=version)
    (read,) = read_star(path, frames={"TS_01": frame}, version=version)

    assert np.abs(read.positions_zyx - positions).max() < 1e-5
    assert np.allclose(read.scores, particles.scores, atol=1e-8)


@pytest.mark.parametrize("kind", ["csv", "txt"])
def test_many_positions_come_back_from_text(tmp_path, kind):
    path = tmp_path / "a"
    positions = np.random.default_rng(0).uniform(
        -0.5, np.array(SHAPE_ZYX) - 0.5, (200, 3)
    )
    particles = make_particles("TS_01", positions)

    if kind == "csv":
        write_csv(particles, path)
        read = read_csv(path, tomogram_id="TS_01")
    else:
        write_txt(particles, path)
        read = read_txt(path, tomogram_id="TS_01")

    assert np.abs(read.positions_zyx - positions).max() <= 0.0005 + 1e-9


@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("relion3", RELION3),
        ("relion4", relion4_text(4)),
        ("relion5", relion5_text("half", 4)),
    ],
)
def test_refinement_shifts_are_subtracted(tmp_path, version, text):
    """Shifts of 5, 10 and -20 Å are 0.5, 1 and -2 voxels in every version."""
    text = add_columns(
        text,
        {f"rlnOrigin{a}Angst": v for a, v in zip("XYZ", (5, 10, -20), strict=True)},
    )
    path = text_file(tmp_path, "a.star", text)
    binning = 1 if version == "relion3" else 4

    (particles,) = read_star(path, frames={"TS_01": frame_of(binning)}, version=version)

    assert np.allclose(particles.positions_zyx, [[9, 49, 11.75], [22, 2, 29.5]])


def test_relion3_shifts_in_pixels(tmp_path):
    text = add_columns(
        RELION3, {f"rlnOrigin{a}": v for a, v in zip("XYZ", (1, -2, 3), strict=True)}
    )
    path = text_file(tmp_path, "a.star", text)

    (particles,) = read_star(path, frames={"TS_01": frame_of()}, version="relion3")

    assert np.allclose(particles.positions_zyx, [[4, 52, 11.25], [17, 5, 29]])


def test_turned_shifts_are_refused_and_untouched_angles_are_not(tmp_path):
    shifts = {f"rlnOrigin{a}Angst": 5 for a in "XYZ"}
    flat = {"rlnTomoSubtomogramRot": 0, "rlnTomoSubtomogramTilt": 0}
    frames = {"TS_01": frame_of(4)}
    path = text_file(
        tmp_path, "a.star", add_columns(relion4_text(4), {**shifts, **flat})
    )
    (particles,) = read_star(path, frames=frames, version="relion4")
    assert np.allclose(particles.positions_zyx[0], [6.5, 49.5, 11.75])

    turned = {**shifts, **flat, "rlnTomoSubtomogramTilt": 90}
    path = text_file(tmp_path, "b.star", add_columns(relion4_text(4), turned))
    with pytest.raises(InputDataError, match="turned by"):
        read_star(path, frames=frames, version="relion4")


def add_columns(text, values):
    """Add columns of one value to the particle table."""
    head, rows = text[: text.rindex("#7") + 2], text[text.rindex("#7") + 2 :]
    labels = "".join(f"\n_{name} #{n}" for n, name in enumerate(values, 8))
    words = " ".join(str(value) for value in values.values())
    lines = [f"{line} {words}" for line in rows.strip().splitlines()]
    return head + labels + "\n" + "\n".join(lines) + "\n"


def test_two_tomograms_with_their_own_binning_and_classes(tmp_path):
    path = tmp_path / "a.star"
    frames = {"TS_01": frame_of(2), "TS_02": frame_of(4, "TS_02")}
    other = make_particles("TS_02", [[1, 2, 3]], class_names="ring")

    write_star(
        [(hand_made(), frames["TS_01"]), (other, frames["TS_02"])],
        path,
        version="relion4",
        class_order=("ring", "ribosome"),
    )

    names = ["rlnTomoName", "rlnCoordinateX", "rlnOpticsGroup", "rlnClassNumber"]
    assert columns_by_emtable(path, names) == [
        ["TS_01", 24.5, 1, 2],
        ["TS_01", 60.0, 1, 1],
        ["TS_02", 12.0, 2, 1],
    ]
    first, second = read_star(path, frames=frames, version="relion4")
    assert_hand_made(first)
    assert second.positions_zyx.tolist() == [[1, 2, 3]]
    assert np.isnan(second.scores).all()


def test_a_tomogram_that_the_file_does_not_name_has_no_particles(tmp_path):
    path = text_file(tmp_path, "a.star", relion4_text(4))
    frames = {"TS_00": frame_of(4, "TS_00"), "TS_01": frame_of(4)}

    empty, full = read_star(path, frames=frames, version="relion4")

    assert (empty.tomogram_id, len(empty)) == ("TS_00", 0)
    assert_hand_made(full)


def test_a_tomogram_of_digits_stays_text(tmp_path):
    path = text_file(tmp_path, "a.star", relion4_text(4).replace("TS_01", "0012"))

    (particles,) = read_star(
        path, frames={"0012": frame_of(4, "0012")}, version="relion4"
    )

    assert len(particles) == 2


# bad files ------------------------------------------------------------------------


@pytest.mark.parametrize("read", [read_csv, read_txt, read_coords])
def test_a_missing_text_file_is_named(tmp_path, read):
    with pytest.raises(InputDataError, match=r"nowhere\.xyz"):
        read(tmp_path / "nowhere.xyz", tomogram_id="TS_01")


@pytest.mark.parametrize("version", ["relion3", "relion4", "relion5"])
def test_a_missing_star_file_is_named(tmp_path, version):
    with pytest.raises(InputDataError, match=r"nowhere\.star: no such file"):
        read_star(tmp_path / "nowhere.star", frames={}, version=version)


BAD_CSV = {
    "": "the file is empty",
    "class,x,y\nring,1,2\n": "no column z;",
    "ring,1,2,3\n": "no header line",
    "class,x,y,z,x\nring,1,2,3,4\n": "column x stands twice",
    "class,x,y,z\nring,1,2,3\n\nring,1,two,3\n": "line 4, y: got 'two'",
    "class,x,y,z\nring,1,2,nan\n": "line 2, z: got 'nan'",
    "class,x,y,z\nring,1,2\n": r"line 2: 3 cell\(s\)",
    "class,x,y,z\n ,1,2,3\n": "line 2: the class is empty",
    "class,x,y,z,score\nring,1,2,3,high\n": "line 2, score: got 'high'",
}


@pytest.mark.parametrize(("text", "message"), BAD_CSV.items())
def test_bad_csv(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        read_csv(text_file(tmp_path, "a.csv", text), tomogram_id="TS_01")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3\n4 5\n", r"line 2: 2 column\(s\)"),
        ("1 2 3 4\n", r"line 1: 4 column\(s\), expected 3"),
        ("# c\n1 2 three\n", "line 2: got 'three'"),
        ("1 2 inf\n", "line 1: got 'inf'"),
    ],
)
def test_bad_txt(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        read_txt(text_file(tmp_path, "a.txt", text), tomogram_id="TS_01")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3 4\n2 3 4\n", r"line 2: 3 column\(s\)"),
        ("0 1 2 3\n", "line 1: class 0"),
        ("1 1 2 3\n1.5 1 2 3\n", "line 2: class 1.5"),
        ("1 2 x 3\n", "line 1: got 'x'"),
    ],
)
def test_bad_coords(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        read_coords(text_file(tmp_path, "a.coords", text), tomogram_id="TS_01")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (relion4_text(4).replace("CoordinateZ", "AngleRot"), "no table with"),
        (relion5_text("half", 4), r"no table with .*another RELION version"),
        ("not a star file\n", "no table|cannot be read"),
        (relion4_text(4).replace("200.0", "far"), "something else than numbers"),
        (relion4_text(4).replace("200.0", "nan"), "missing or infinite"),
        (relion4_text(4).replace(" 2.5\n", " 1.35\n"), r"1\.35 Å, .* 2\.5 Å"),
        (
            relion4_text(4).replace("TS_01", "TS_07"),
            "without a tomogram: TS_07; tomograms without coordinates: TS_01",
        ),
    ],
)
def test_bad_star(tmp_path, text, message):
    path = text_file(tmp_path, "a.star", text)

    with pytest.raises(InputDataError, match=message):
        read_star(path, frames={"TS_01": frame_of(4)}, version="relion4")


def test_the_pixel_size_may_differ_by_one_percent(tmp_path):
    text = relion4_text(4)
    frames = {"TS_01": frame_of(4)}
    near = text_file(tmp_path, "a.star", text.replace(" 2.5\n", " 2.52\n"))
    far = text_file(tmp_path, "b.star", text.replace(" 2.5\n", " 2.53\n"))

    (particles,) = read_star(near, frames=frames, version="relion4")

    assert_hand_made(particles)
    with pytest.raises(InputDataError, match="--binning"):
        read_star(far, frames=frames, version="relion4")


@pytest.mark.parametrize("name", ["TS 01", "TS'01", "#1", ""])
def test_names_that_a_star_file_cannot_hold(tmp_path, name):
    with pytest.raises(InputDataError, match="cannot stand in a STAR file"):
        write_star(
            [(hand_made(), frame_of(tomogram_id=name))],
            tmp_path / "a.star",
            version="relion4",
        )
    assert list(tmp_path.iterdir()) == []


# the volume -----------------------------------------------------------------------


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
