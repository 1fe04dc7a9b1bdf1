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
