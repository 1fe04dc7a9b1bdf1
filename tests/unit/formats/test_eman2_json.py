"""EMAN2's info files, against what is worked out by hand."""

import json

import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.eman2_json import (
    eman2_name,
    read_eman2,
    write_eman2,
)
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.hand_made import (
    CLASSES,
    FRAME,
    NO_SCORES,
    NUMBERS,
    SHAPE_ZYX,
    assert_hand_made,
    hand_made,
    text_file,
)

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
        (
            {"boxes_3d": [[1, 2, 3, "tm", 0.5, 1], [1, 2, 3, "tm", 1]]},
            "box 1: 5 values, others have 6",
        ),
        ({"boxes_3d": [[1, 2, 3, 4, "tm", 0.5, 1]]}, "box 0: got"),
        ({"boxes_3d": [[1, 2, 3, "tm", 0.5, 1.5]]}, "box 0: class 1.5, expected"),
        ({"boxes_3d": [[1, 2, 3, "tm", 0.5, -1]]}, "box 0: class -1, expected"),
        ({"boxes_3d": [[1, 2, float("nan"), "tm"]]}, "box 0: got"),
        ({"boxes_3d": [["1", 2, 3, "tm"]]}, "box 0: got"),
        ({"class_list": {"0": {"name": [1]}}}, r"class_list, 0: got \[1\]"),
        ({"apix_unbin": True}, "apix_unbin: got"),
    ],
)
def test_bad_eman2(tmp_path, change, message):
    path = text_file(tmp_path, "a_info.json", json.dumps({**EMAN2, **change}))

    with pytest.raises(InputDataError, match=message):
        read_eman2(path, frame=FRAME, binning_is_known=True)


CURVES = make_particles(
    "TS_01",
    [[7, 50, 12.25], [20, 3, 30], [16, 28, 20], [7, 50, 13], [17, 29, 21]],
    class_names=["actin", "ribosome", "actin", "actin", "actin"],
    scores=[0.5, 0.75, 0.5, 0.5, 0.5],
    optional={"filament": ["b", "", "a", "b", "a"]},
)


def test_filaments_are_curves(tmp_path, caplog):
    """Voxels of 10 Å, pixels of 2.5: p - n // 2 of 41 x 57 x 33, times 4."""
    path = tmp_path / "TS_01_info.json"
    frame = TomogramFrame(
        tomogram_id="TS_01", shape_zyx=SHAPE_ZYX, voxel_size=10.0, binning=4.0
    )
    numbers = {"actin": 1, "ribosome": 2}
    write_eman2(CURVES, path, frame=frame, class_numbers=numbers)

    record = json.loads(path.read_text())
    assert record["boxes_3d"] == [[40.0, -100.0, 16.0, "etpicker", 0.75, 1]]
    assert record["curves"] == [
        [-31.0, 88.0, -36.0, 0, 0],
        [0.0, 0.0, 0.0, 1, 0],
        [-28.0, 88.0, -36.0, 0, 0],
        [4.0, 4.0, 4.0, 1, 0],
    ]
    assert "curves have no scores" in caplog.text
    back = read_eman2(path, frame=frame)
    assert back.positions_zyx.tolist() == (
        CURVES.positions_zyx[[1, 0, 2, 3, 4]].tolist()
    )
    assert back.class_names.tolist() == ["ribosome", *["actin"] * 4]
    assert back.optional["filament"].tolist() == ["", "0", "1", "0", "1"]


def test_curves_before_they_had_classes(tmp_path):
    record = {"apix_unbin": 2.5, "curves": [[-31.0, 88, -36, 7], [0, 0, 0, 7]]}
    path = text_file(tmp_path, "TS_01_info.json", json.dumps(record))

    back = read_eman2(path, frame=FRAME, class_order=("actin",))

    assert back.positions_zyx.tolist() == [[7, 50, 12.25], [16, 28, 20]]
    assert back.optional["filament"].tolist() == ["7", "7"]
    assert set(back.class_names) == {"actin"}


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ({}, "curves is no list"),
        ([[1, 2, 3]], "point 0: got .*expected .x, y, z, curve"),
        ([[1, 2, 3, 0, 0], [1, 2, 3, 0.5, 0]], "point 1: .*whole numbers from 0"),
        ([[1, 2, "a", 0, 0]], "curves, point 0"),
    ],
)
def test_bad_curves(tmp_path, curves, message):
    record = {"apix_unbin": 2.5, "curves": curves}
    path = text_file(tmp_path, "TS_01_info.json", json.dumps(record))

    with pytest.raises(InputDataError, match=message):
        read_eman2(path, frame=FRAME)
