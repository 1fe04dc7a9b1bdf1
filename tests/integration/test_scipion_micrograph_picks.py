"""The engine's picks as Scipion's coordinates: whole pixels, scores, what is kept."""

import numpy as np
import pytest
from pwem.objects import Micrograph, SetOfCoordinates, SetOfMicrographs
from pyworkflow.object import Pointer

from etpicker_plugin.convert import told_diameters
from etpicker_plugin.convert_kinds import told_kind
from etpicker_plugin.convert_micrograph_picks import (
    append_micrograph_picks,
    create_micrograph_coordinates,
    nearest_pixel,
)
from etpicker_plugin.convert_micrographs import SCORE, picks_of
from etpicker_plugin.engine.particles import make_particles


@pytest.fixture
def micrographs(tmp_path):
    """Two micrographs whose ids are not their order."""
    made = SetOfMicrographs.create(str(tmp_path))
    for number, name in ((7, "b.mrc"), (2, "a.mrc")):
        item = Micrograph(location=str(tmp_path / name))
        item.setMicName(name)
        item.setObjId(number)
        made.append(item)
    made.write()
    return made


def fill(folder, micrographs):
    """A set of the class 'disc', of picks in the second and the first micrograph."""
    coordinates = create_micrograph_coordinates(
        str(folder),
        "2",
        micrographs=Pointer(micrographs),
        box_size=18,
        label="disc",
        diameters={"disc": 90.0},
    )
    for number, positions, scores in (
        (2, [[0, 4.49, 50.5], [0, 0, 7.2]], [0.25, np.nan]),
        (7, [[0, 300.51, 2.0], [0, 5, 6]], [0.5, 0.75]),
    ):
        picks = make_particles(
            "x",
            positions,
            class_names=["disc", "other" if number == 7 else "disc"],
            scores=scores,
        )
        append_micrograph_picks(
            coordinates, micrographs[number], picks, classes=["disc"]
        )
    coordinates.write()
    coordinates.close()
    return coordinates.getFileName()


def test_picks_go_to_the_nearest_pixel_with_their_scores(tmp_path, micrographs):
    (tmp_path / "run").mkdir()
    coordinates = SetOfCoordinates(filename=fill(tmp_path / "run", micrographs))

    rows = [
        (c.getMicId(), c.getMicName(), c.getX(), c.getY(), getattr(c, SCORE).get())
        for c in coordinates.iterItems()
    ]
    assert rows == [
        (2, "a.mrc", 51, 4, 0.25),
        (2, "a.mrc", 7, 0, None),
        (7, "b.mrc", 2, 301, 0.5),
    ]
    back = [(pick.micrograph, *pick.position_zyx) for pick in picks_of(coordinates)]
    assert back == [("a", 0, 4, 51), ("a", 0, 0, 7), ("b", 0, 301, 2)]


def test_a_set_says_what_it_holds(tmp_path, micrographs):
    coordinates = create_micrograph_coordinates(
        str(tmp_path),
        "",
        micrographs=Pointer(micrographs),
        box_size=18,
        label="disc",
        diameters={"disc": 90.0, "unknown": 0.0},
    )
    assert coordinates.getBoxSize() == 18
    assert coordinates.getMicrographs() is micrographs
    assert told_diameters(coordinates) == {"disc": 90.0}
    assert told_kind(coordinates) == "particle"


@pytest.mark.parametrize(
    ("position", "pixel"), [(-0.5, 0), (0.49, 0), (0.5, 1), (2.5, 3), (3.5, 4)]
)
def test_half_a_pixel_goes_to_the_next_always(position, pixel):
    """Not to the even one: neighbours would lose the distance between them."""
    assert nearest_pixel(position) == pixel
