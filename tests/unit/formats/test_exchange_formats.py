"""Formats of other programs against files written out by hand, in both directions.

The tomogram has x=41, y=57, z=33 voxels of 10 Å, binned 4 times from 2.5 Å. Particle A
stands at x, y, z = 12.25, 50, 7 and turns the axes x to y, y to z, z to x. Particle B
stands at 30, 3, 20 and turns y to z, z to -y: a quarter turn about x.
"""

import json
import struct

import emtable
import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.artiax_list import read_artiax, write_artiax
from etpicker_plugin.engine.formats.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.formats.coordinates_txt import read_txt
from etpicker_plugin.engine.formats.copick_json import (
    copick_path,
    copick_run,
    read_copick,
    write_copick,
)
from etpicker_plugin.engine.formats.dynamo_table import read_dynamo, write_dynamo
from etpicker_plugin.engine.formats.eman2_json import (
    eman2_name,
    read_eman2,
    write_eman2,
)
from etpicker_plugin.engine.formats.imod_points import read_imod, write_imod
from etpicker_plugin.engine.formats.portal_ndjson import read_portal, write_portal
from etpicker_plugin.engine.formats.relion_star import read_star, write_star
from etpicker_plugin.engine.formats.warp_star import read_warp, write_warp
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.particles import join_particles, make_particles

SHAPE_ZYX = (33, 57, 41)
ZYX = np.array([[7.0, 50.0, 12.25], [20.0, 3.0, 30.0]])
CLASSES = ["ribosome", "ring"]
NUMBERS = {"ribosome": 1, "ring": 2}
SCORES = [0.75, 0.5]
TURN_A = [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
TURN_B = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
FRAME = TomogramFrame(
    tomogram_id="TS_01", shape_zyx=SHAPE_ZYX, voxel_size=10.0, binning=4.0
)
NO_SCORES = [np.nan, np.nan]


def hand_made():
    return make_particles(
        "TS_01",
        ZYX,
        class_names=CLASSES,
        scores=SCORES,
        rotations=np.array([TURN_A, TURN_B], dtype=float),
    )


def text_file(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def assert_hand_made(particles, *, classes=CLASSES, scores=SCORES, turned=True):
    assert particles.tomogram_id == "TS_01"
    np.testing.assert_allclose(particles.positions_zyx, ZYX, rtol=0, atol=1e-6)
    assert particles.class_names.tolist() == classes
    np.testing.assert_allclose(particles.scores, scores)
    if turned:
        np.testing.assert_allclose(particles.rotations, [TURN_A, TURN_B], atol=1e-6)
    else:
        assert particles.rotations is None


# Dynamo ---------------------------------------------------------------------------

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


# IMOD -----------------------------------------------------------------------------

IMOD = "1 1 12.750 50.500 7.000 0.75\n2 1 30.500 3.500 20.000 0.5\n"


def test_imod_by_hand(tmp_path):
    path = text_file(tmp_path, "a.pts", IMOD)

    particles = read_imod(path, tomogram_id="TS_01", class_order=CLASSES)

    assert_hand_made(particles, turned=False)


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("12.75 50.5 7\n30.5 3.5 20\n", ["ribosome", "ribosome"]),
        ("  1  12.75  50.5  7\n  2  30.5  3.5  20\n", ["ribosome", "ribosome"]),
        ("1 1 12.75 50.5 7\n3 1 30.5 3.5 20\n", ["ribosome", "class_3"]),
    ],
)
def test_imod_with_and_without_contours_and_objects(tmp_path, text, classes):
    path = text_file(tmp_path, "a.pts", text)

    particles = read_imod(path, tomogram_id="TS_01", class_order=CLASSES)

    assert_hand_made(particles, classes=classes, scores=NO_SCORES, turned=False)


def test_imod_as_written(tmp_path):
    path = tmp_path / "a.pts"

    write_imod(hand_made(), path, class_numbers=NUMBERS)

    assert path.read_text() == IMOD


def test_imod_without_scores_has_no_value(tmp_path):
    path = tmp_path / "a.pts"

    write_imod(
        make_particles("T", [[7, 50, 12.25]]), path, class_numbers={"particle": 1}
    )

    assert path.read_text() == "1 1 12.750 50.500 7.000\n"


def imod_model(*, flags=0, old=(0, 0, 0), current=(0, 0, 0)):
    """Return a model of two objects, one with a mesh, put together byte by byte."""
    header = b"model".ljust(128, b"\0") + struct.pack(">5i", 41, 57, 33, 2, flags)
    points = ((12.75, 50.5, 7.0), (30.5, 3.5, 20.0))
    chunks = b""
    for point in points:
        chunks += b"OBJT" + bytes(176)
        chunks += b"CONT" + struct.pack(">4i", 1, 0, 0, 0) + struct.pack(">3f", *point)
        chunks += b"SIZE" + struct.pack(">if", 4, 5.0)
    mesh = b"MESH" + struct.pack(">4i", 2, 3, 0, 0) + bytes(2 * 12 + 3 * 4)
    scales = ((1, 1, 1), old, (0, 0, 0), (1, 1, 1), current, (0, 0, 0))
    reference = [number for triple in scales for number in triple]
    minx = b"MINX" + struct.pack(">i18f", 72, *reference)
    return b"IMODV1.2" + header.ljust(232, b"\0") + chunks + mesh + minx + b"IEOF"


def test_imod_s_binary_model(tmp_path):
    path = tmp_path / "a.mod"
    path.write_bytes(imod_model())

    particles = read_imod(path, tomogram_id="TS_01", class_order=CLASSES)

    assert_hand_made(particles, scores=NO_SCORES, turned=False)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (imod_model()[:-120], "ends too early"),
        (imod_model(flags=1 << 16), "y and z swapped.*model2point"),
        (imod_model(old=(0, -8, 0)), "a part of the volume"),
        (imod_model().replace(b"V1.2", b"V1.1"), "version"),
    ],
)
def test_imod_models_that_are_not_read(tmp_path, data, message):
    path = tmp_path / "a.mod"
    path.write_bytes(data)

    with pytest.raises(InputDataError, match=message):
        read_imod(path, tomogram_id="TS_01")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1 1 2 3\n", "line 1: object 0, .*-zero"),
        ("1 2\n", r"line 1: 2 column\(s\)"),
        ("1 2 3\n1 1 2 3\n", r"line 2: 4 column\(s\)"),
    ],
)
def test_bad_imod(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        read_imod(text_file(tmp_path, "a.pts", text), tomogram_id="TS_01")


# EMAN2 ----------------------------------------------------------------------------

EMAN2 = {
    "apix_unbin": 2.5,
    "boxes_3d": [
        [-31.0, 88.0, -36.0, "manual", 0.75, 0],
        [40.0, -100.0, 16.0, "tm", 0.5, 4],
    ],
    "class_list": {
        "0": {"boxsize": 64, "name": "ribosome"},
        "4": {"boxsize": 32, "name": "ring"},
    },
    "tlt_params": [[0, 0, 1, 2, 3]],
}


@pytest.mark.parametrize("binning", [1.0, 4.0])
def test_eman2_by_hand_states_its_own_binning(tmp_path, binning):
    path = text_file(tmp_path, "TS_01_info.json", json.dumps(EMAN2))
    frame = TomogramFrame(
        tomogram_id="TS_01", shape_zyx=SHAPE_ZYX, voxel_size=10.0, binning=binning
    )

    assert_hand_made(read_eman2(path, frame=frame), turned=False)


def test_eman2_before_2018_counts_voxels_from_the_corner(tmp_path):
    old = {"boxes_3d": [[12.25, 50, 7, "manual"], [30, 3, 20, "manual", 0.0, 2]]}
    path = text_file(tmp_path, "TS_01_info.json", json.dumps(old))

    particles = read_eman2(path, frame=FRAME, class_order=CLASSES)

    assert_hand_made(
        particles, classes=["ribosome", "class_3"], scores=NO_SCORES, turned=False
    )


def test_eman2_as_written(tmp_path):
    path = tmp_path / "TS_01_info.json"

    write_eman2(hand_made(), path, frame=FRAME, class_numbers=NUMBERS)

    assert json.loads(path.read_text()) == {
        "apix_unbin": 2.5,
        "boxes_3d": [
            [-31.0, 88.0, -36.0, "etpicker", 0.75, 0],
            [40.0, -100.0, 16.0, "etpicker", 0.5, 1],
        ],
        "class_list": {
            "0": {"boxsize": 64, "name": "ribosome"},
            "1": {"boxsize": 64, "name": "ring"},
        },
    }


def test_eman2_s_name_of_a_tomogram():
    assert eman2_name("TS_01__bin4") == "TS_01"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"apix_unbin": 2.6}, r"apix_unbin is 2\.6 Å.*asks for 2\.5 Å"),
        ({"apix_unbin": "?"}, "apix_unbin: got"),
        ({"boxes_3d": [[1, 2]]}, r"box 0: got \[1, 2\]"),
        ({"boxes_3d": [[1, 2, "x", "tm"]]}, "box 0: got"),
        ({"boxes_3d": 5}, "boxes_3d is no list"),
    ],
)
def test_bad_eman2(tmp_path, change, message):
    path = text_file(tmp_path, "a_info.json", json.dumps({**EMAN2, **change}))

    with pytest.raises(InputDataError, match=message):
        read_eman2(path, frame=FRAME, binning_is_known=True)


# copick ---------------------------------------------------------------------------

COPICK = {
    "pickable_object_name": "ribosome",
    "user_id": "someone",
    "session_id": "1",
    "run_name": "TS_01",
    "voxel_spacing": 10.0,
    "unit": "angstrom",
    "points": [
        {
            "location": {"x": 122.5, "y": 500.0, "z": 70.0},
            "transformation_": [[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]],
            "instance_id": 0,
            "score": 0.75,
        },
        {
            "location": {"x": 290.0, "y": 35.0, "z": 200.0},
            "transformation_": [
                [1, 0, 0, 10],
                [0, 0, -1, -5],
                [0, 1, 0, 0],
                [0, 0, 0, 1],
            ],
            "instance_id": 0,
            "score": 0.5,
        },
    ],
}


def test_copick_by_hand(tmp_path):
    path = text_file(tmp_path, "a.json", json.dumps(COPICK))

    particles = read_copick(path, frame=FRAME)

    assert_hand_made(particles, classes=["ribosome", "ribosome"])
    assert copick_run(path) == "TS_01"


def test_copick_s_orientations_that_are_not_to_be_trusted(tmp_path):
    path = text_file(
        tmp_path, "a.json", json.dumps({**COPICK, "trust_orientation": False})
    )

    assert read_copick(path, frame=FRAME).rotations is None


def test_copick_as_written(tmp_path):
    path = tmp_path / "a.json"
    one_class = make_particles(
        "TS_01",
        ZYX,
        class_names="80S_ribosome",
        scores=[0.75, np.nan],
        rotations=np.array([TURN_A, TURN_B], dtype=float),
    )

    write_copick(one_class, path, frame=FRAME)

    record = json.loads(path.read_text())
    assert record["pickable_object_name"] == "80S-ribosome"
    assert (record["run_name"], record["voxel_spacing"]) == ("TS_01", 10.0)
    first, second = record["points"]
    assert first["location"] == {"x": 122.5, "y": 500.0, "z": 70.0}
    assert second["location"] == {"x": 300.0, "y": 30.0, "z": 200.0}
    assert first["transformation_"] == COPICK["points"][0]["transformation_"]
    assert first["score"] == 0.75
    assert "score" not in second
    name = "ExperimentRuns/TS_01/Picks/etpicker_1_80S-ribosome.json"
    assert copick_path("TS_01", "80S_ribosome").as_posix() == name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": "pixel"}, "unit is pixel, expected angstrom"),
        ({"points": [{"location": {"x": 1, "y": 2}}]}, "point 0: no location"),
        ({"points": [3]}, "point 0: no location"),
        ({"points": {}}, ""),
        (
            {"points": [{**COPICK["points"][0], "transformation_": [[1]]}]},
            "point 0: got",
        ),
    ],
)
def test_bad_copick(tmp_path, change, message):
    path = text_file(tmp_path, "a.json", json.dumps({**COPICK, **change}))

    if not message:
        assert len(read_copick(path, frame=FRAME)) == 0
        return
    with pytest.raises(InputDataError, match=message):
        read_copick(path, frame=FRAME)


@pytest.mark.parametrize("text", ["{", "[1, 2]"])
def test_what_is_no_json_object(tmp_path, text):
    path = text_file(tmp_path, "a.json", text)

    with pytest.raises(InputDataError, match=r"no JSON|expected one JSON object"):
        read_copick(path, frame=FRAME)
    with pytest.raises(InputDataError, match=r"no JSON|expected one JSON object"):
        read_eman2(path, frame=FRAME)


# the portal -----------------------------------------------------------------------

PORTAL = (
    '{"type": "orientedPoint", "location": {"x": 12.25, "y": 50.0, "z": 7.0}, '
    '"xyz_rotation_matrix": [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]}\n'
    '{"type": "orientedPoint", "location": {"x": 30.0, "y": 3.0, "z": 20.0}, '
    '"xyz_rotation_matrix": [[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]}\n'
)


def test_portal_by_hand(tmp_path):
    path = text_file(tmp_path, "a.ndjson", PORTAL)

    particles = read_portal(path, tomogram_id="TS_01", class_name="ring")

    assert_hand_made(particles, classes=["ring", "ring"], scores=NO_SCORES)


def test_portal_s_other_points(tmp_path):
    path = text_file(
        tmp_path,
        "a.ndjson",
        '{"type": "point", "location": {"x": 12.25, "y": 50, "z": 7}}\n\n'
        '{"type": "instancePoint", "location": {"x": 30, "y": 3, "z": 20}, '
        '"instance_id": 4}\n',
    )

    particles = read_portal(path, tomogram_id="TS_01", class_name="ring")

    assert_hand_made(
        particles, classes=["ring", "ring"], scores=NO_SCORES, turned=False
    )


def test_portal_as_written(tmp_path):
    path = tmp_path / "a.ndjson"

    write_portal(hand_made(), path)

    assert path.read_text() == PORTAL


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"type": "mesh", "location": {"x": 1, "y": 2, "z": 3}}', "line 1: type mesh"),
        ('{"type": "point"}', "line 1: no location"),
        ('{"type": "point", "location": {"x": 1, "y": 2, "z": null}}', "line 1: got"),
        ('{"type": "orientedPoint", "location": {"x": 1, "y": 2, "z": 3}}', "line 1"),
        ("x", "line 1: no JSON"),
    ],
)
def test_bad_portal(tmp_path, line, message):
    path = text_file(tmp_path, "a.ndjson", line)

    with pytest.raises(InputDataError, match=message):
        read_portal(path, tomogram_id="TS_01")


# Warp and M -----------------------------------------------------------------------

WARP = """
data_

loop_
_rlnCoordinateX #1
_rlnCoordinateY #2
_rlnCoordinateZ #3
_rlnAngleRot #4
_rlnAngleTilt #5
_rlnAnglePsi #6
_rlnAutopickFigureOfMerit #7
_rlnClassNumber #8
_rlnMicrographName #9
{a} 90 90 180 0.75 1 TS_01.tomostar
{b} 90 90 -90 0.5 2 TS_01.tomostar
"""
WARP_VOXELS = WARP.format(a="12.25 50 7", b="30 3 20")
WARP_FRACTIONS = WARP.format(
    a="0.2987804878 0.8771929825 0.2121212121",
    b="0.7317073171 0.0526315789 0.6060606061",
)


@pytest.mark.parametrize(
    ("normalised", "text"), [(False, WARP_VOXELS), (True, WARP_FRACTIONS)]
)
def test_warp_by_hand(tmp_path, normalised, text):
    path = text_file(tmp_path, "a.star", text)

    (particles,) = read_warp(
        path, frames={"TS_01": FRAME}, normalised=normalised, class_order=CLASSES
    )

    assert_hand_made(particles)


def test_warp_s_own_name_of_a_tomogram(tmp_path):
    path = text_file(tmp_path, "a.star", WARP_VOXELS)
    frame = TomogramFrame(
        tomogram_id="TS_01_10.00Apx", shape_zyx=SHAPE_ZYX, voxel_size=10.0
    )

    (particles,) = read_warp(path, frames={"TS_01_10.00Apx": frame})
    written = tmp_path / "b.star"
    write_warp([(particles, frame)], written)

    assert particles.tomogram_id == "TS_01_10.00Apx"
    assert np.allclose(particles.positions_zyx, ZYX)
    assert "TS_01.tomostar" in written.read_text()


@pytest.mark.parametrize(
    ("normalised", "first"),
    [(False, (12.25, 50.0, 7.0)), (True, (0.29878049, 0.87719298, 0.21212121))],
)
def test_warp_as_written_another_reader_agrees(tmp_path, normalised, first):
    path = tmp_path / "a.star"

    write_warp([(hand_made(), FRAME)], path, normalised=normalised)

    row, _ = emtable.Table.iterRows(str(path))
    xyz = (row.rlnCoordinateX, row.rlnCoordinateY, row.rlnCoordinateZ)
    np.testing.assert_allclose(xyz, first, atol=1e-7)
    assert row.rlnMicrographName == "TS_01.tomostar"
    assert (row.rlnAutopickFigureOfMerit, row.rlnClassNumber) == (0.75, 1)
    angles = (row.rlnAngleRot, row.rlnAngleTilt, abs(row.rlnAnglePsi))
    np.testing.assert_allclose(angles, (90, 90, 180), atol=1e-4)


@pytest.mark.parametrize(
    ("normalised", "text", "message"),
    [
        (False, WARP_FRACTIONS, "choose the format 'warp-normalised'"),
        (True, WARP_VOXELS, "choose the format 'warp'"),
        (False, WARP_VOXELS.replace("TS_01", "TS_07"), "without a tomogram: TS_07"),
        (False, WARP_VOXELS.replace("CoordinateZ", "Z"), "no table with"),
    ],
)
def test_bad_warp(tmp_path, normalised, text, message):
    path = text_file(tmp_path, "a.star", text)

    with pytest.raises(InputDataError, match=message):
        read_warp(path, frames={"TS_01": FRAME}, normalised=normalised)


# ArtiaX ---------------------------------------------------------------------------

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
    ],
)
def test_bad_artiax(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        read_artiax(text_file(tmp_path, "a.tsv", text), tomogram_id="TS_01")


# orientations in our own formats and RELION's -------------------------------------


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


@pytest.mark.parametrize("version", ["relion3", "relion4", "relion5"])
def test_relion_keeps_orientations(tmp_path, version):
    path = tmp_path / "a.star"

    write_star([(hand_made(), FRAME)], path, version=version)
    (read,) = read_star(path, frames={"TS_01": FRAME}, version=version)

    assert_hand_made(read)


SUBTOMOGRAM = """
data_particles

loop_
_rlnTomoName #1
_rlnCoordinateX #2
_rlnCoordinateY #3
_rlnCoordinateZ #4
_rlnAngleRot #5
_rlnAngleTilt #6
_rlnAnglePsi #7
_rlnTomoSubtomogramRot #8
_rlnTomoSubtomogramTilt #9
_rlnTomoSubtomogramPsi #10
TS_01 49 200 28 90 90 180 0 {tilt} 0
TS_01 120 12 80 90 90 -90 0 0 0
"""


def test_relion_s_orientations_upon_others_are_left_out_and_told(tmp_path, caplog):
    flat = text_file(tmp_path, "a.star", SUBTOMOGRAM.format(tilt=0))
    turned = text_file(tmp_path, "b.star", SUBTOMOGRAM.format(tilt=30))
    given = {"frames": {"TS_01": FRAME}, "version": "relion4"}

    (kept,) = read_star(flat, **given)
    assert not caplog.text
    (left_out,) = read_star(turned, **given)

    np.testing.assert_allclose(kept.rotations, [TURN_A, TURN_B], atol=1e-6)
    assert left_out.rotations is None
    assert "orientations are left out" in caplog.text
