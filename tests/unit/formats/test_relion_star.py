"""RELION's STAR files of every version, in both directions."""

import emtable
import numpy as np
import pytest

from etpicker_plugin.engine.formats.relion_star import read_star, write_star
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.hand_made import (
    FRAME,
    SHAPE_ZYX,
    assert_hand_made,
    frame_of,
    hand_made,
    text_file,
)
from etpicker_plugin.tests.support.relion_texts import (
    BY_BINNING,
    BY_CENTRE,
    RELION3,
    relion4_text,
    relion5_text,
)


def columns_by_emtable(path, names):
    rows = list(emtable.Table.iterRows(f"particles@{path}"))
    return [[getattr(row, name) for name in names] for row in rows]


def test_relion3_by_hand(tmp_path):
    path = text_file(tmp_path, "a.star", RELION3)

    (particles,) = read_star(
        path,
        frames={"TS_01": frame_of()},
        version="relion3",
        class_order=("ribosome", "ring"),
    )

    assert_hand_made(particles, turned=False)


@pytest.mark.parametrize("binning", [1, 2, 4])
def test_relion4_by_hand(tmp_path, binning):
    path = text_file(tmp_path, "a.star", relion4_text(binning))

    (particles,) = read_star(
        path, frames={"TS_01": frame_of(binning)}, version="relion4"
    )

    assert_hand_made(particles, turned=False)


@pytest.mark.parametrize(("centre", "binning"), BY_CENTRE)
def test_relion5_by_hand(tmp_path, centre, binning):
    path = text_file(tmp_path, "a.star", relion5_text(centre, binning))

    (particles,) = read_star(
        path,
        frames={"TS_01": frame_of(binning)},
        version="relion5",
        relion5_centre=centre,
    )

    assert_hand_made(particles, turned=False)


WRITTEN = [
    ("relion3", "half", 1, "rlnCoordinate{}", BY_BINNING[1]),
    ("relion3", "half", 4, "rlnCoordinate{}", BY_BINNING[1]),
    *(("relion4", "half", b, "rlnCoordinate{}", BY_BINNING[b]) for b in BY_BINNING),
    *(
        ("relion5", centre, b, "rlnCenteredCoordinate{}Angst", rows)
        for (centre, b), rows in BY_CENTRE.items()
    ),
]


@pytest.mark.parametrize(("version", "centre", "binning", "label", "rows"), WRITTEN)
def test_relion_as_written_another_reader_agrees(
    tmp_path, version, centre, binning, label, rows
):
    path = tmp_path / "a.star"
    frame = frame_of(binning)

    write_star(
        [(hand_made(turned=False), frame)], path, version=version, relion5_centre=centre
    )

    coordinates = columns_by_emtable(path, [label.format(axis) for axis in "XYZ"])
    expected = [[float(word) for word in row.split()] for row in rows]
    assert np.allclose(coordinates, expected, rtol=0, atol=1e-6)
    assert columns_by_emtable(
        path,
        ["rlnAutopickFigureOfMerit", "rlnClassNumber", "etpickerClassName"],
    ) == [[0.75, 1, "ribosome"], [0.5, 2, "ring"]]
    name = "rlnMicrographName" if version == "relion3" else "rlnTomoName"
    stated = "TS_01.mrc" if version == "relion3" else "TS_01"
    assert columns_by_emtable(path, [name]) == [[stated], [stated]]
    if version == "relion3":
        optics = list(emtable.Table.iterRows(f"optics@{path}"))
        assert [row.rlnMicrographPixelSize for row in optics] == [10.0]
    (read,) = read_star(
        path, frames={"TS_01": frame}, version=version, relion5_centre=centre
    )
    assert_hand_made(read, turned=False)


def test_a_whole_first_number_does_not_cut_the_next_ones(tmp_path):
    """Emtable takes a column for whole numbers if its first row looks like one."""
    path = tmp_path / "a.star"
    particles = make_particles("TS_01", [[7, 50, 12], [20.5, 3.25, 30.125]])

    write_star([(particles, frame_of())], path, version="relion3")

    assert columns_by_emtable(path, [f"rlnCoordinate{a}" for a in "XYZ"]) == [
        [12, 50, 7],
        [30.125, 3.25, 20.5],
    ]


@pytest.mark.parametrize("version", ["relion4", "relion5"])
@pytest.mark.parametrize("binning", [1, 4])
def test_relion_itself_says_the_optics_of_picks(tmp_path, version, binning):
    """It divides Å by the pixel size of an optics table, if it finds one there.

    Its importers read the first table of a file, whatever that is.
    """
    path = tmp_path / "a.star"

    write_star([(hand_made(), frame_of(binning))], path, version=version)

    blocks = [w for w in path.read_text().splitlines() if w.startswith("data_")]
    assert blocks == ["data_particles"]
    assert "rlnOpticsGroup" not in path.read_text()
    assert "PixelSize" not in path.read_text()


def test_relion3_has_an_optics_group_for_each_voxel_size(tmp_path):
    path = tmp_path / "a.star"
    coarse = TomogramFrame(tomogram_id="TS_02", shape_zyx=(9, 11, 7), voxel_size=13.5)
    again = frame_of(2, "TS_03")

    write_star(
        [
            (make_particles("TS_01", [[1, 2, 3]]), frame_of(4)),
            (make_particles("TS_02", [[4, 5, 6]]), coarse),
            (make_particles("TS_03", [[7, 8, 9]]), again),
        ],
        path,
        version="relion3",
    )

    assert columns_by_emtable(path, ["rlnMicrographName", "rlnOpticsGroup"]) == [
        ["TS_01.mrc", 1],
        ["TS_02.mrc", 2],
        ["TS_03.mrc", 1],
    ]
    optics = list(emtable.Table.iterRows(f"optics@{path}"))
    assert [row.rlnMicrographPixelSize for row in optics] == [10.0, 13.5]


@pytest.mark.parametrize("version", ["relion3", "relion4", "relion5"])
def test_many_positions_come_back_within_a_hundredth_voxel(tmp_path, version):
    path = tmp_path / "a.star"
    positions = np.random.default_rng(0).uniform(
        -0.5, np.array(SHAPE_ZYX) - 0.5, (200, 3)
    )
    frame = frame_of(3.7)
    particles = make_particles("TS_01", positions, scores=np.linspace(0, 1, 200))

    write_star([(particles, frame)], path, version=version)
    (read,) = read_star(path, frames={"TS_01": frame}, version=version)

    assert np.abs(read.positions_zyx - positions).max() < 1e-5
    assert np.allclose(read.scores, particles.scores, atol=1e-8)


def test_two_tomograms_with_their_own_binning_and_classes(tmp_path):
    path = tmp_path / "a.star"
    frames = {"TS_01": frame_of(2), "TS_02": frame_of(4, "TS_02")}
    other = make_particles("TS_02", [[1, 2, 3]], class_names="ring")

    write_star(
        [(hand_made(turned=False), frames["TS_01"]), (other, frames["TS_02"])],
        path,
        version="relion4",
        class_order=("ring", "ribosome"),
    )

    names = ["rlnTomoName", "rlnCoordinateX", "rlnClassNumber"]
    assert columns_by_emtable(path, names) == [
        ["TS_01", 24.5, 2],
        ["TS_01", 60.0, 1],
        ["TS_02", 12.0, 1],
    ]
    first, second = read_star(path, frames=frames, version="relion4")
    assert_hand_made(first, turned=False)
    assert second.positions_zyx.tolist() == [[1, 2, 3]]
    assert np.isnan(second.scores).all()


def test_a_tomogram_that_the_file_does_not_name_has_no_particles(tmp_path):
    path = text_file(tmp_path, "a.star", relion4_text(4))
    frames = {"TS_00": frame_of(4, "TS_00"), "TS_01": frame_of(4)}

    empty, full = read_star(path, frames=frames, version="relion4")

    assert (empty.tomogram_id, len(empty)) == ("TS_00", 0)
    assert_hand_made(full, turned=False)


def test_a_tomogram_of_digits_stays_text(tmp_path):
    path = text_file(tmp_path, "a.star", relion4_text(4).replace("TS_01", "0012"))

    (particles,) = read_star(
        path, frames={"0012": frame_of(4, "0012")}, version="relion4"
    )

    assert len(particles) == 2


@pytest.mark.parametrize("version", ["relion3", "relion4", "relion5"])
def test_relion_keeps_orientations(tmp_path, version):
    path = tmp_path / "a.star"

    write_star([(hand_made(), FRAME)], path, version=version)
    (read,) = read_star(path, frames={"TS_01": FRAME}, version=version)

    assert_hand_made(read)
