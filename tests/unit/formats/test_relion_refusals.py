"""RELION's files that are refused, and names that one cannot hold."""

import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.relion_star import read_star, write_star
from etpicker_plugin.tests.support.hand_made import (
    assert_hand_made,
    frame_of,
    hand_made,
    text_file,
)
from etpicker_plugin.tests.support.relion_texts import relion4_text, relion5_text


@pytest.mark.parametrize("version", ["relion3", "relion4", "relion5"])
def test_a_missing_star_file_is_named(tmp_path, version):
    with pytest.raises(InputDataError, match=r"nowhere\.star: no such file"):
        read_star(tmp_path / "nowhere.star", frames={}, version=version)


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

    assert_hand_made(particles, turned=False)
    with pytest.raises(InputDataError, match="--binning"):
        read_star(far, frames=frames, version="relion4")


@pytest.mark.parametrize("name", ["TS 01", "TS'01", "#1", ""])
def test_names_that_a_star_file_cannot_hold(tmp_path, name):
    with pytest.raises(InputDataError, match="cannot stand in a STAR file"):
        write_star(
            [(hand_made(turned=False), frame_of(tomogram_id=name))],
            tmp_path / "a.star",
            version="relion4",
        )
    assert list(tmp_path.iterdir()) == []
