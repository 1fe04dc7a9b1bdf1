"""The portal's points, against what is worked out by hand."""

import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.portal_ndjson import read_portal, write_portal
from etpicker_plugin.tests.support.hand_made import (
    NO_SCORES,
    assert_hand_made,
    hand_made,
    text_file,
)

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
        ("[" * 100_000, "line 1: lists within lists"),
        (
            '{"location": {"x": 1, "y": 2, "z": 3, "x": 4}}',
            "line 1: .*'x' stands twice",
        ),
        ('{"location": {"x": 1, "y": 2, "z": NaN}}', "line 1: got"),
        ('{"type": [[]], "location": {"x": 1, "y": 2, "z": 3}}', "line 1: type"),
    ],
)
def test_bad_portal(tmp_path, line, message):
    path = text_file(tmp_path, "a.ndjson", line)

    with pytest.raises(InputDataError, match=message):
        read_portal(path, tomogram_id="TS_01")
