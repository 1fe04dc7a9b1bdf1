"""IMOD's point files and models, against what is worked out by hand."""

import struct

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.imod_points import read_imod, write_imod
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.hand_made import (
    CLASSES,
    FRAME,
    NO_SCORES,
    NUMBERS,
    assert_hand_made,
    hand_made,
    text_file,
)

IMOD = "1 1 12.750 50.500 7.000 0.75\n2 1 30.500 3.500 20.000 0.5\n"


def test_imod_by_hand(tmp_path):
    path = text_file(tmp_path, "a.pts", IMOD)

    particles = read_imod(path, frame=FRAME, class_order=CLASSES)

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

    particles = read_imod(path, frame=FRAME, class_order=CLASSES)

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


POINTS = ((12.75, 50.5, 7.0), (30.5, 3.5, 20.0))
IMAGE = (41, 57, 33)


def imod_model(
    *,
    flags=0,
    old=(0, 0, 0),
    current=(0, 0, 0),
    points=POINTS,
    image=IMAGE,
    scale=(1, 1, 1),
    pixel=(0, 0),
):
    """Return a model of two objects, one with a mesh, put together byte by byte.

    ``scale`` is the voxel size of its reference, if any, and ``pixel`` the header's,
    with its power of ten of a metre.
    """
    header = b"model".ljust(128, b"\0") + struct.pack(">5i", *image, 2, flags)
    header = header.ljust(208, b"\0") + struct.pack(">fi", *pixel)
    chunks = b""
    for point in points:
        chunks += b"OBJT" + bytes(176)
        chunks += b"CONT" + struct.pack(">4i", 1, 0, 0, 0) + struct.pack(">3f", *point)
        chunks += b"SIZE" + struct.pack(">if", 4, 5.0)
    mesh = b"MESH" + struct.pack(">4i", 2, 3, 0, 0) + bytes(2 * 12 + 3 * 4)
    minx = b""
    if scale:
        scales = ((1, 1, 1), old, (0, 0, 0), scale, current, (0, 0, 0))
        reference = [number for triple in scales for number in triple]
        minx = b"MINX" + struct.pack(">i18f", 72, *reference)
    return b"IMODV1.2" + header.ljust(232, b"\0") + chunks + mesh + minx + b"IEOF"


def test_imod_s_binary_model(tmp_path):
    path = tmp_path / "a.mod"
    path.write_bytes(imod_model())

    particles = read_imod(path, frame=FRAME, class_order=CLASSES)

    assert_hand_made(particles, scores=NO_SCORES, turned=False)


@pytest.mark.parametrize(
    "given",
    [
        {"scale": (10, 10, 10)},
        {"scale": (10.09, 10, 9.91)},
        {"scale": None},
        {"scale": None, "image": (0, 0, 0)},
        {"scale": (1, 1, 1), "image": (0, 0, 0)},
        {"scale": None, "pixel": (1, -9)},
        {"scale": None, "pixel": (5, 0), "image": (82, 114, 66)},
        {"scale": (10, 10, 10), "pixel": (5, -10)},
    ],
)
def test_models_of_this_voxel_size_or_of_none(tmp_path, caplog, given):
    path = tmp_path / "a.mod"
    path.write_bytes(imod_model(**given))

    particles = read_imod(path, frame=FRAME, class_order=CLASSES)

    assert_hand_made(particles, scores=NO_SCORES, turned=False)
    assert not caplog.text


@pytest.mark.parametrize(
    ("image", "scale", "pixel"),
    [
        ((82, 114, 66), (5, 5, 5), (0, 0)),
        ((83, 115, 66), (5, 5, 5), (10, -9)),
        ((82, 114, 66), None, (0.5, -9)),
        ((82, 114, 66), None, (5, -10)),
    ],
)
def test_a_model_of_another_voxel_size_is_rescaled(
    tmp_path, caplog, image, scale, pixel
):
    """From the corner of 5 Å voxels 12.75, 50.5, 7.5 are 25.5, 101, 15; z less 0.5."""
    points = ((25.5, 101, 14.5), (61, 7, 40.5))
    path = tmp_path / "a.mod"
    path.write_bytes(imod_model(points=points, image=image, scale=scale, pixel=pixel))

    particles = read_imod(path, frame=FRAME, class_order=CLASSES)

    assert_hand_made(particles, scores=NO_SCORES, turned=False)
    assert "voxels of 5 Å; rescaled to the 10 Å of tomogram TS_01" in caplog.text


@pytest.mark.parametrize(
    ("image", "scale"),
    [
        (IMAGE, (5, 5, 5)),
        ((82, 114, 66), (1, 1, 1)),
        ((82, 114, 60), (5, 5, 5)),
        ((82, 57, 33), (10, 10, 5)),
        ((0, 0, 0), (5, 5, 5)),
    ],
)
def test_a_model_of_another_volume_is_refused(tmp_path, image, scale):
    path = tmp_path / "a.mod"
    path.write_bytes(imod_model(image=image, scale=scale))
    lengths = " x ".join(map(str, dict.fromkeys(scale)))

    with pytest.raises(
        InputDataError,
        match=rf"{' x '.join(map(str, image))} voxels of {lengths} Å, but tomogram "
        r"TS_01 has 41 x 57 x 33 voxels of 10 Å",
    ):
        read_imod(path, frame=FRAME)


def test_a_model_without_its_end(tmp_path):
    """Some programs leave it out; a model that lacks an object was cut short."""
    path = tmp_path / "a.mod"
    path.write_bytes(imod_model()[:-4])
    assert len(read_imod(path, frame=FRAME)) == 2

    path.write_bytes(imod_model()[: 240 + 180 + 32 + 12])
    with pytest.raises(InputDataError, match="ends too early"):
        read_imod(path, frame=FRAME)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (imod_model()[:-120], "ends too early"),
        (imod_model()[:100], "ends too early"),
        (imod_model(points=((1, 2, 3), (1, np.nan, 3))), "object 2 .*no finite number"),
        (imod_model(points=((1, 2, np.inf), (1, 2, 3))), "object 1 .*no finite number"),
        (imod_model(points=((1, 2, 1e30), (1, 2, 3))), "object 1 .*no finite number"),
        (imod_model(scale=(np.nan, 1, 1)), "damaged"),
        (imod_model().replace(b"SIZE", b"si\0e"), "damaged"),
        (imod_model().replace(b"OBJT" + bytes(176), b""), "damaged"),
        (
            imod_model().replace(
                b"CONT" + struct.pack(">i", 1), b"CONT" + struct.pack(">i", -1)
            ),
            "damaged",
        ),
        (
            imod_model().replace(
                b"CONT" + struct.pack(">i", 1), b"CONT" + struct.pack(">i", 2**31 - 1)
            ),
            "ends too early",
        ),
        (imod_model(flags=1 << 16), "y and z swapped.*model2point"),
        (imod_model(old=(0, -8, 0)), "a part of the volume"),
        (imod_model().replace(b"V1.2", b"V1.1"), "version"),
    ],
)
def test_imod_models_that_are_not_read(tmp_path, data, message):
    path = tmp_path / "a.mod"
    path.write_bytes(data)

    with pytest.raises(InputDataError, match=message):
        read_imod(path, frame=FRAME)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1 1 2 3\n", "line 1: object 0, .*-zero"),
        ("1 2\n", r"line 1: 2 column\(s\)"),
        ("1 2 3\n1 1 2 3\n", r"line 2: 4 column\(s\)"),
        ("12,5 20,5 7,5\n", "line 1: got '12,5', expected .*decimal point"),
        ("12,5,20,5,7,5\n", r"line 1: 1 column\(s\)"),
        ("1 2 nan\n", "line 1: got 'nan', expected a finite number"),
        ("1 2 1e300\n", "line 1: got '1e300', expected .*at most"),
    ],
)
def test_bad_imod(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        read_imod(text_file(tmp_path, "a.pts", text), frame=FRAME)


# ------------------------- contours that are filaments ---------------------------
LINES = (
    "1 1 10.5 20.5 5 \n1 2 30.5 20.5 6\n1 1 12.5 20.5 5\n1 2 34.5 20.5 6\n"
    "2 1 1.5 2.5 3\n2 1 4.5 5.5 6\n"
)


def test_contours_of_two_points_are_filaments(tmp_path):
    path = text_file(tmp_path, "a.pts", LINES)
    found = read_imod(path, frame=FRAME, class_order=("mt", "ribosome"))
    ids = ["mt_1", "mt_2", "mt_1", "mt_2", "", ""]
    assert found.optional["filament"].tolist() == ids
    write_imod(found, tmp_path / "b.pts", class_numbers={"mt": 1, "ribosome": 2})
    lines = (tmp_path / "b.pts").read_text().splitlines()
    assert [line[:3] for line in lines] == ["1 1", "1 2", "1 1", "1 2", "2 1", "2 1"]


@pytest.mark.parametrize(
    "text", ["1 1 1 2 3\n1 2 4 5 6\n1 2 4 5 7\n", "1 2 3\n4 5 6\n"]
)
def test_other_contours_are_not(tmp_path, text):
    path = text_file(tmp_path, "a.pts", text)
    assert read_imod(path, frame=FRAME).optional == {}


def line_model(flags):
    """Return a model of one object with a contour of two points and one of one."""
    header = b"model".ljust(128, b"\0") + struct.pack(">5i", *IMAGE, 1, 0)
    chunks = b"OBJT" + struct.pack(">I", flags).rjust(136, b"\0").ljust(176, b"\0")
    for points in (POINTS, POINTS[:1]):
        chunks += b"CONT" + struct.pack(">4i", len(points), 0, 0, 0)
        chunks += b"".join(struct.pack(">3f", *point) for point in points)
    return b"IMODV1.2" + header.ljust(232, b"\0") + chunks + b"IEOF"


@pytest.mark.parametrize(
    ("flags", "optional"),
    [
        (1 << 3, {"filament": ["mt_1", "mt_1", ""]}),
        (1 << 3 | 1 << 9, {}),
        (0, {}),
    ],
    ids=["open", "scattered points", "closed"],
)
def test_open_contours_of_a_model_are_filaments(tmp_path, flags, optional):
    path = tmp_path / "a.mod"
    path.write_bytes(line_model(flags))
    found = read_imod(path, frame=FRAME, class_order=("mt",)).optional
    assert {name: values.tolist() for name, values in found.items()} == optional


def drawn_model(flags, contours):
    """Return a model of one object: contours, each its surface and its points."""
    header = b"drawn".ljust(128, b"\0") + struct.pack(">5i", *IMAGE, 1, 0)
    chunks = b"OBJT" + bytes(128) + struct.pack(">iI", len(contours), flags) + bytes(40)
    for surface, points in contours:
        chunks += b"CONT" + struct.pack(">4i", len(points), 0, 0, surface)
        chunks += b"".join(struct.pack(">3f", *point) for point in points)
    return b"IMODV1.2" + header.ljust(232, b"\0") + chunks + b"IEOF"


RINGS = [
    (1, [(12, 20, 9), (20, 28, 9), (28, 20, 9)]),
    (2, [(30, 40, 20), (35, 45, 20), (30, 50, 20)]),
    (1, [(13, 20, 13), (27, 20, 13)]),
    (0, [(5, 5, 5), (6, 6, 6)]),
]


@pytest.mark.parametrize("groups", ["vesicle", "filament"])
@pytest.mark.parametrize("flags", [0, 1 << 3], ids=["closed", "open"])
def test_contours_are_what_is_said_of_them(tmp_path, groups, flags):
    path = tmp_path / "a.mod"
    path.write_bytes(drawn_model(flags, RINGS))

    found = read_imod(path, frame=FRAME, class_order=("sack",), groups=groups)

    assert found.optional[groups].tolist() == [
        *["sack_surface_1"] * 3,
        *["sack_surface_2"] * 3,
        *["sack_surface_1"] * 2,
        *["sack_4"] * 2,
    ]
    assert set(found.optional) == {groups}


def test_closed_contours_of_which_nothing_is_said_are_points(tmp_path):
    path = tmp_path / "a.mod"
    path.write_bytes(drawn_model(0, RINGS))

    assert not read_imod(path, frame=FRAME).optional


def test_contours_of_point_files_are_what_is_said_of_them(tmp_path):
    path = text_file(tmp_path, "a.pts", "1 2 5 6 7\n1 2 8 6 7\n2 1 9 9 9\n")

    found = read_imod(path, frame=FRAME, class_order=CLASSES, groups="vesicle")

    assert found.optional["vesicle"].tolist() == ["ribosome_2", "ribosome_2", "ring_1"]
