"""copick's picks, against what is worked out by hand."""

import json

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.catalogue import format_named
from etpicker_plugin.engine.formats.copick_json import (
    copick_run,
    read_copick,
    write_copick,
)
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.hand_made import (
    FRAME,
    TURN_A,
    TURN_B,
    ZYX,
    assert_hand_made,
    text_file,
)

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
    assert format_named("copick").path_of("TS_01", "80S_ribosome").as_posix() == name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": "pixel"}, "unit is pixel, expected angstrom"),
        ({"points": [{"location": {"x": 1, "y": 2}}]}, "point 0: no location"),
        ({"points": [3]}, "point 0: no location"),
        ({"points": {}}, ""),
        ({"points": 0}, "points is no list"),
        ({"pickable_object_name": 7}, "pickable_object_name: got 7, expected a text"),
        ({"trust_orientation": "false"}, "trust_orientation: got false, expected"),
        ({"points": [{"location": {"x": 1, "y": 2, "z": "3"}}]}, "point 0: got"),
        ({"points": [{"location": {"x": 1, "y": 2, "z": True}}]}, "point 0: got"),
        ({"points": [{"location": {"x": 1, "y": 2, "z": 1e300}}]}, "at most 1e"),
        ({"points": [{"location": {"x": 1, "y": 2, "z": 10**400}}]}, "at most 1e"),
        ({"points": [{"location": {"x": 1, "y": 2, "z": np.nan}}]}, "point 0: got"),
        ({"points": [{**COPICK["points"][0], "score": np.inf}]}, "point 0: got inf"),
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


def test_copick_without_points_is_no_copick(tmp_path):
    record = {name: value for name, value in COPICK.items() if name != "points"}

    with pytest.raises(InputDataError, match="no points"):
        read_copick(text_file(tmp_path, "a.json", json.dumps(record)), frame=FRAME)


@pytest.mark.parametrize(
    "matrix",
    [np.diag([1, 1, -1, 1]), np.diag([2, 2, 2, 1]), np.zeros((4, 4))],
    ids=["mirror", "scale", "zero"],
)
def test_a_matrix_that_is_no_rotation_is_left_out_and_told(tmp_path, caplog, matrix):
    first, second = COPICK["points"]
    points = [first, {**second, "transformation_": matrix.tolist()}]
    text = json.dumps({**COPICK, "points": points})

    particles = read_copick(text_file(tmp_path, "a.json", text), frame=FRAME)

    assert np.allclose(particles.rotations[0], TURN_A)
    assert np.isnan(particles.rotations[1]).all()
    assert "1 of 2 orientations are no rotations" in caplog.text
