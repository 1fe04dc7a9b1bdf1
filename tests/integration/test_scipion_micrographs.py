"""Micrographs and their coordinates in Scipion's sets: what is read of them."""

import mrcfile
import numpy as np
import pytest
import tifffile
from etpicker_plugin.protocols.kinds import kinds_of
from pwem.objects import Coordinate, Micrograph, SetOfCoordinates, SetOfMicrographs
from pyworkflow.object import Float, Pointer

from etpicker_plugin.convert import particles_by_tomogram
from etpicker_plugin.convert_micrograph_picks import (
    append_micrograph_picks,
    create_micrograph_coordinates,
)
from etpicker_plugin.convert_micrographs import (
    SCORES,
    micrograph_file,
    micrograph_link,
    micrograph_name,
    micrograph_shape,
    micrographs_by_name,
    picked_micrographs,
    picks_of,
    turned_over,
)
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.volumes.tomogram import read_tomogram, read_whole

SHAPE_YX, PIXEL_SIZE = (31, 57), 1.5
BRIGHT_XY = (50, 4)


def image():
    """A plane whose one bright pixel tells x from y, and either end of each."""
    plane = np.zeros(SHAPE_YX, np.float32)
    plane[BRIGHT_XY[::-1]] = 7
    return plane


@pytest.fixture
def micrographs(tmp_path):
    """A set of an MRC, an MRCS and a TIFF file, with ids that are not their order."""
    made = SetOfMicrographs.create(str(tmp_path))
    made.setSamplingRate(PIXEL_SIZE)
    for number, file in ((7, "b.mrc"), (2, "a_DW.mrcs"), (5, "c.tif")):
        if file.endswith("tif"):
            tifffile.imwrite(tmp_path / file, image())
        else:
            with mrcfile.new(tmp_path / file) as mrc:
                mrc.set_data(image())
                mrc.voxel_size = PIXEL_SIZE
        item = Micrograph(location=str(tmp_path / file))
        item.setSamplingRate(PIXEL_SIZE)
        # Motion correction keeps the movie's name, dots and all.
        item.setMicName("movie.1.eer" if number == 2 else file)
        item.setObjId(number)
        made.append(item)
    made.write()
    return made


def coordinates_of(micrographs, tmp_path, rows):
    """A set of (micId, micName, x, y) rows."""
    made = SetOfCoordinates.create(str(tmp_path))
    made.setMicrographs(micrographs)
    for number, name, x, y in rows:
        item = Coordinate(x=x, y=y)
        item.setMicId(number)
        item.setMicName(name)
        made.append(item)
    return made


def test_a_coordinate_is_where_the_engine_reads_that_pixel(micrographs, tmp_path):
    rows = [(7, "b.mrc", *BRIGHT_XY), (2, "movie.1.eer", *BRIGHT_XY)]
    rows.append((5, "c.tif", *BRIGHT_XY))
    found = list(picks_of(coordinates_of(micrographs, tmp_path, rows)))
    assert [pick.micrograph for pick in found] == ["b", "movie.1", "c"]
    by_name = micrographs_by_name(micrographs)
    for pick in found:
        x, y = BRIGHT_XY
        assert by_name[pick.micrograph].getImage().getData()[y, x] == 7  # Xmipp's
        file = micrograph_file(by_name[pick.micrograph])
        data = read_whole(read_tomogram(file, PIXEL_SIZE))
        assert pick.position_zyx == (0, y, x)
        image = by_name[pick.micrograph]
        mark = make_particles(pick.micrograph, [pick.position_zyx])
        (place,) = turned_over(mark, image).positions_zyx
        assert data[tuple(map(int, place))] == 7
        # TIFF's rows the engine reads from the last to the first.
        assert place[1] == (SHAPE_YX[0] - 1 - y if file.endswith("tif") else y)
        (back,) = turned_over(turned_over(mark, image), image).positions_zyx
        assert tuple(back) == pick.position_zyx
        assert data.shape == micrograph_shape(by_name[pick.micrograph])


def test_micrographs_are_linked_by_name_and_say_what_they_are(micrographs):
    found = micrographs_by_name(micrographs)
    assert {name: m.getObjId() for name, m in found.items()} == {
        "b": 7,
        "c": 5,
        "movie.1": 2,
    }
    links = [micrograph_link(m) for m in found.values()]
    assert links == ["b.mrc", "c.tif", "movie.1.mrc"]


def test_a_name_goes_before_an_id(micrographs, tmp_path):
    """RELION's importer numbers micrographs anew, and keeps another file's ending."""
    rows = [(1, "b_missing.mrc", 1, 2), (1, "c.mrc", 3, 4), (7, None, 5, 6)]
    coordinates = coordinates_of(micrographs, tmp_path, rows)
    assert picked_micrographs(coordinates) == ["b", "b_missing", "c"]
    none = SetOfCoordinates.create(str(tmp_path), suffix="_none")
    assert picked_micrographs(none) == []
    rows = [(1, None, 1, 2)]
    (tmp_path / "other").mkdir()
    unknown = coordinates_of(micrographs, tmp_path / "other", rows)
    with pytest.raises(InputDataError, match="is of micrograph 1, which"):
        picked_micrographs(unknown)


@pytest.mark.parametrize("name", [None, *SCORES])
def test_scores_of_other_pickers_are_read(name, micrographs, tmp_path):
    coordinates = SetOfCoordinates.create(str(tmp_path))
    coordinates.setMicrographs(micrographs)
    item = Coordinate(x=1, y=2)
    item.setMicName("b.mrc")
    if name:
        setattr(item, name, Float(-0.25))
    coordinates.append(item)
    (pick,) = picks_of(coordinates)
    np.testing.assert_equal(pick.score, -0.25 if name else np.nan)


def test_two_of_one_name_and_parts_of_stacks_are_refused(micrographs):
    item = Micrograph(location=(3, "stack.mrcs"))
    item.setMicName("b.tif")
    with pytest.raises(InputDataError, match="image 3 of a stack"):
        micrograph_file(item)
    item.setObjId(None)
    micrographs.append(item)
    with pytest.raises(InputDataError, match=r"called 'b'.*stack\.mrcs"):
        micrographs_by_name(micrographs)


def test_a_file_that_is_missing_or_none_is_said_so(tmp_path):
    (tmp_path / "x.mrc").write_text("no image")
    for file, said in (("none.mrc", "no such file"), ("none.tif", "cannot be read")):
        with pytest.raises(InputDataError, match=said):
            micrograph_shape(Micrograph(location=str(tmp_path / file)))
    with pytest.raises(InputDataError, match="shorter than an MRC header"):
        micrograph_shape(Micrograph(location=str(tmp_path / "x.mrc")))


def test_a_micrograph_without_a_name_has_that_of_its_file():
    assert micrograph_name(Micrograph(location="folder/x.mrc")) == "x"
    item = Micrograph(location="x.mrc")
    item.setMicName(".hidden.mrc")
    with pytest.raises(InputDataError, match="hidden"):
        micrograph_name(item)


def test_a_set_of_filaments_keeps_which_point_lies_on_which(micrographs, tmp_path):
    coordinates = create_micrograph_coordinates(
        str(tmp_path),
        "_mt",
        micrographs=Pointer(micrographs),
        box_size=18,
        label="mt",
        kind="filament",
    )
    points = make_particles(
        "b",
        [[0, 4, 5], [0, 6, 9], [0, 20, 3]],
        class_names=["mt"] * 3,
        optional={"filament": ["mt_1", "mt_1", "mt_2"]},
    )
    append_micrograph_picks(coordinates, micrographs[7], points, classes=["mt"])
    kinds = {"mt": "filament"}
    source = (coordinates, lambda _group: "mt")
    (found,) = particles_by_tomogram([source], kinds=kinds).values()
    np.testing.assert_array_equal(found.positions_zyx, points.positions_zyx)
    assert list(found.optional["filament"]) == ["mt_1", "mt_1", "mt_2"]
    assert kinds_of([source], {}) == kinds

    nameless = coordinates_of(micrographs, tmp_path, [(7, "b.mrc", 1, 2)])
    with pytest.raises(InputDataError, match="which filament each lies on"):
        particles_by_tomogram([(nameless, lambda _group: "mt")], kinds=kinds)
