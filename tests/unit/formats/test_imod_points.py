"""IMOD's point files and models, against what is worked out by hand."""

import struct

import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.imod_points import read_imod, write_imod
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.hand_made import (
    CLASSES,
    NO_SCORES,
    NUMBERS,
    assert_hand_made,
    hand_made,
    text_file,
)

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
