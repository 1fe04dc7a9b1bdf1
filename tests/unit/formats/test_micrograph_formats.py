"""Formats of micrographs: each with a truth worked out by hand, and there and back."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest
import starfile

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.conversion.convert import convert
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.catalogue import CATALOGUE, format_named
from etpicker_plugin.engine.formats.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.formats.format import FormatOptions
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.progress import ignore_progress

FLAT = [known.name for known in CATALOGUE if known.dimensions == (2,)]
WHOLE_PIXELS = ("eman-box", "xmipp")
STRAIGHT = ("relion-tubes", "eman-helices")
"""They keep the ends of filaments alone."""
FRAME = TomogramFrame(tomogram_id="mic_1", shape_zyx=(1, 57, 41), voxel_size=2.0)
OTHER = TomogramFrame(tomogram_id="mic_2", shape_zyx=(1, 57, 41), voxel_size=2.0)
GIVEN = {"dimensions": (41, 57), "voxel_size": 2.0}
CLASSES = {"apo": 1, "20S": 2}
PLACES_XY = np.array([[12.25, 50.5], [0.0, 0.0], [40.25, 3.75], [20.0, 31.125]])


def read(name, path, *frames, **options):
    frames = {frame.tomogram_id: frame for frame in frames or (FRAME,)}
    found = format_named(name).read(path, frames, FormatOptions(("apo",), **options))
    return found if len(frames) > 1 else found[0]


def read_text(name, path, text, *frames):
    path.write_text(text)
    return read(name, path, *frames)


def write(name, path, particles, **options):
    items = particles if isinstance(particles, list) else [(particles, FRAME)]
    format_named(name).write(items, path, FormatOptions(**options), CLASSES)
    return path


def picks(xy=PLACES_XY, **values):
    zyx = [(0.0, y, x) for x, y in xy]
    return make_particles("mic_1", zyx, **{"class_names": "apo", **values})


def xy_of(particles):
    assert not particles.positions_zyx[:, 0].any()
    return particles.positions_zyx[:, :0:-1].tolist()


def run(out, paths, source, target, **parameters):
    out.mkdir(parents=True, exist_ok=True)
    config = ConvertConfig(
        input=tuple(map(str, paths)),
        input_format=source,
        output_format=target,
        out=str(out),
        **{**GIVEN, **parameters},
    )
    return convert(config, out, on_progress=ignore_progress)


# ------------------------------- RELION ----------------------------------------
AUTOPICK = """
# version 30001

data_

loop_
_rlnCoordinateX #1
_rlnCoordinateY #2
_rlnAutopickFigureOfMerit #3
_rlnClassNumber #4
_rlnAnglePsi #5
  12.250000    50.500000     0.750000            1   -999.000000
  40.250000     3.750000     0.500000            2     10.000000
"""


def test_relions_coordinates_are_the_pixels_themselves(tmp_path):
    path = tmp_path / "mic_1_autopick.star"
    found = read_text("relion-coordinates", path, AUTOPICK)

    assert xy_of(found) == [[12.25, 50.5], [40.25, 3.75]]
    assert found.scores.tolist() == [0.75, 0.5]
    assert found.class_names.tolist() == ["apo", "class_2"]
    for ending in ("_autopick", "_manualpick", "_pick", ""):
        stem = tmp_path / f"mic_1{ending}.star"
        assert (
            format_named("relion-coordinates").owner_of(stem, ["mic_1"])[0] == "mic_1"
        )


def test_relions_own_reader_finds_the_columns_it_needs(tmp_path):
    particles = picks(scores=[0.1, 0.2, 0.3, 0.4])
    path = write("relion-coordinates", tmp_path / "mic_1_autopick.star", particles)

    table = starfile.read(path)
    assert path.read_text().split("data_")[1].startswith("\n")
    assert table[["rlnCoordinateX", "rlnCoordinateY"]].to_numpy().tolist() == (
        PLACES_XY.tolist()
    )
    assert table["rlnAutopickFigureOfMerit"].tolist() == [0.1, 0.2, 0.3, 0.4]
    assert not [n for n in table.columns if "Z" in n or "Helical" in n]


def test_refined_particles_stand_at_coordinate_minus_origin(tmp_path):
    text = """data_particles
loop_
_rlnMicrographName
_rlnCoordinateX
_rlnCoordinateY
_rlnOriginXAngst
_rlnOriginYAngst
job/mic_2.mrc 10 20 3 -5
job/mic_1.mrc 30 40 0 1
"""
    one, two = read_text("relion-micrographs", tmp_path / "p.star", text, FRAME, OTHER)

    assert xy_of(one) == [[30, 39.5]]
    assert xy_of(two) == [[8.5, 22.5]]
    assert format_named("relion-micrographs").names_in(tmp_path / "p.star") == [
        "mic_2",
        "mic_1",
    ]


def test_the_pixel_size_of_an_optics_table_must_be_the_micrographs(tmp_path):
    text = AUTOPICK.replace("data_\n", "data_particles\n")
    for stated, fits in ((2.01, True), (1.0, False)):
        path = tmp_path / f"{fits}.star"
        optics = f"data_optics\nloop_\n_rlnMicrographPixelSize\n{stated}\n"
        path.write_text(optics + text)
        if fits:
            assert len(read("relion-coordinates", path)) == 2
        else:
            with pytest.raises(InputDataError, match="PixelSize is 1 Å, but"):
                read("relion-coordinates", path)


def test_segments_have_what_relion_asks_of_helices(tmp_path):
    """Down the rows psi is -90, RELION's - atan2(dy, dx); to the right it is 0."""
    down, right = [(10, 10), (10, 13), (10, 17)], [(20, 40), (25, 40)]
    particles = picks([*down, *right], optional={"filament": [*"bbb", *"aa"]})
    path = write("relion-micrographs", tmp_path / "p.star", particles)

    table = starfile.read(path)
    assert table["rlnHelicalTubeID"].tolist() == [1, 1, 1, 2, 2]
    assert table["rlnHelicalTrackLengthAngst"].tolist() == [0, 6, 14, 0, 10]
    assert table["rlnAngleTiltPrior"].tolist() == [90] * 5
    assert table["rlnAnglePsiPrior"].tolist() == [-90, -90, -90, 0, 0]
    assert table["rlnAnglePsiFlipRatio"].tolist() == [0.5] * 5
    assert set(table["rlnMicrographName"]) == {"mic_1.mrc"}


def test_psi_follows_a_bend_up_to_its_ends(tmp_path):
    """On a circle of 100 pixels, at uneven steps; psi falls as y grows with x."""
    turn = np.radians([10.0, 13, 17, 20, 24])
    bent = np.stack([100 * np.sin(turn), 110 - 100 * np.cos(turn)], axis=1)
    particles = picks(bent, optional={"filament": "f"})
    path = write("relion-coordinates", tmp_path / "mic_1_autopick.star", particles)

    psi = starfile.read(path)["rlnAnglePsiPrior"]
    np.testing.assert_allclose(psi, -np.degrees(turn), atol=0.1)


def test_a_bent_filament_becomes_straight_tubes(tmp_path, caplog):
    bent = [(x, 10.0 + 0.01 * x) for x in range(5, 31)]
    bent += [(30.0, y) for y in np.arange(11.0, 50.0)]
    particles = picks(bent, optional={"filament": "f"})
    with caplog.at_level(logging.INFO):
        path = write("relion-tubes", tmp_path / "mic_1_manualpick.star", particles)

    table = starfile.read(path)[["rlnCoordinateX", "rlnCoordinateY"]]
    np.testing.assert_allclose(
        table.to_numpy(), [[5, 10.05], [30, 10.3], [30, 10.3], [30, 49]]
    )
    assert "65 points of filaments became 2 straight tubes" in caplog.text
    found = read("relion-tubes", path)
    assert found.optional["filament"].tolist() == ["1", "1", "2", "2"]


def test_tubes_come_in_pairs_and_only_of_filaments(tmp_path):
    one = AUTOPICK[: AUTOPICK.rindex("  40.25")]
    with pytest.raises(InputDataError, match="1 rows, expected an even number"):
        read_text("relion-tubes", tmp_path / "a.star", one)
    with pytest.raises(InputDataError, match="lie on no filament"):
        write("relion-tubes", tmp_path / "b.star", picks())
    lonely = picks([(1, 2)], optional={"filament": "f"})
    with pytest.raises(InputDataError, match="filament f has one point"):
        write("relion-tubes", tmp_path / "c.star", lonely)


def test_a_table_of_tomograms_is_refused(tmp_path):
    text = AUTOPICK.replace("_rlnAnglePsi", "_rlnCoordinateZ")
    for name in ("relion-coordinates", "relion-tubes"):
        with pytest.raises(InputDataError, match="places in tomograms, not in micro"):
            read_text(name, tmp_path / "a.star", text)


# ------------------------------ corners ----------------------------------------
def test_an_eman_box_counts_from_its_corner_in_whole_pixels(tmp_path):
    found = read_text("eman-box", tmp_path / "a.box", "10\t20\t8\t6\n-3\t0\t7\t7\n")
    assert xy_of(found) == [[14, 23], [0.5, 3.5]]

    path = write("eman-box", tmp_path / "b.box", picks([(14.3, 23.6)]), box_size=8)
    assert path.read_text() == "10\t20\t8\t8\n"  # 14.3 - 4 and 23.6 - 4, rounded.


def test_a_bent_filament_becomes_straight_helices_of_eman(tmp_path):
    """Corners are the ends less half of 9 pixels, rounded to even at a half."""
    bent = [(x, 10.0) for x in np.arange(5.3, 31)]
    bent += [(30.3, y) for y in np.arange(11.0, 50.0)]
    particles = picks(bent, optional={"filament": "f"})
    path = write("eman-helices", tmp_path / "mic_1.box", particles, box_size=9)

    rows = [line.split("\t") for line in path.read_text().split("\n") if line]
    assert [row[2:] for row in rows] == [["9", "9", "-1"], ["9", "9", "-2"]] * 2
    corners = [(1, 6), (26, 6), (26, 6), (26, 44)]
    assert [(int(x), int(y)) for x, y, *_ in rows] == corners
    found = read("eman-helices", path)
    assert found.optional["filament"].tolist() == ["1", "1", "2", "2"]
    assert xy_of(found) == [[x + 4.5, y + 4.5] for x, y in corners]
    with pytest.raises(InputDataError, match="lie on no filament"):
        write("eman-helices", tmp_path / "b.box", picks(), box_size=9)


def test_an_eman_helix_is_a_start_and_an_end(tmp_path):
    rows = ["0 0 4 4 0", "1 1 4 4 -1", "9 9 4 4 -2", "5 5 4 4 -1", "6 6 4 4 -2"]
    found = read_text("eman-box", tmp_path / "a.box", "\n".join(rows))

    assert found.optional["filament"].tolist() == ["", "1", "1", "2", "2"]
    for text in ("1 1 4 4 -2", "1 1 4 4 -1", "1 1 4 4 -1\n2 2 4 4 -1\n3 3 4 4 -2"):
        with pytest.raises(InputDataError, match="fifth column"):
            read_text("eman-box", tmp_path / "b.box", text)
    with pytest.raises(InputDataError, match="a box of 0 x 4 pixels"):
        read_text("eman-box", tmp_path / "c.box", "1 1 0 4")


CBOX = """
data_global

_cbox_format_version 1.0

data_cryolo

loop_
_CoordinateX #1
_CoordinateY #2
_CoordinateZ #3
_Width #4
_Height #5
_Depth #6
_EstWidth #7
_EstHeight #8
_Confidence #9
_NumBoxes #10
_Angle #11
8.25 47.5 <NA> 8 6 <NA> 9.1 9.2 0.75 1 <NA>
-4.5 0.0 <NA> 9 8 <NA> 9.1 9.2 0.25 1 <NA>

data_cryolo_include

loop_
_slice_index #1

"""


def test_a_cbox_counts_from_its_corner_with_fractions(tmp_path):
    found = read_text("cryolo", tmp_path / "a.cbox", CBOX)
    assert xy_of(found) == [[12.25, 50.5], [0.0, 4.0]]
    assert found.scores.tolist() == [0.75, 0.25]

    path = write("cryolo", tmp_path / "b.cbox", picks(scores=0.5), box_size=7)
    table = starfile.read(path)["cryolo"]
    assert table["CoordinateX"].tolist() == (PLACES_XY[:, 0] - 3.5).tolist()
    assert set(table["Width"]) == set(table["EstHeight"]) == {7}


def test_a_cbox_holds_filaments_and_not_those_of_tomograms(tmp_path):
    ids = ["f2", "f2", "f1", "f1"]
    path = write("cryolo", tmp_path / "b.cbox", picks(optional={"filament": ids}))

    assert starfile.read(path)["cryolo"]["filamentid"].tolist() == [0, 0, 1, 1]
    assert read("cryolo", path).optional["filament"].tolist() == ["1", "1", "2", "2"]
    with pytest.raises(InputDataError, match="boxes in a tomogram"):
        read_text("cryolo", path, CBOX.replace("<NA> 8 6", "12 8 6"))
    with pytest.raises(InputDataError, match="one table with CoordinateX"):
        read_text("cryolo", path, AUTOPICK)


# ------------------------------ centres ----------------------------------------
def test_eman2s_info_files_hold_centres(tmp_path):
    text = json.dumps({"boxes": [[12.25, 50.5, "manual"], [3, 4, "auto", 0.5]]})
    found = read_text("eman2-micrographs", tmp_path / "mic_1_info.json", text)
    assert xy_of(found) == [[12.25, 50.5], [3, 4]]
    assert found.scores.tolist() == [0.0, 0.5]

    path = write("eman2-micrographs", tmp_path / "b.json", picks([(1.5, 2.25)]))
    assert json.loads(path.read_text()) == {"boxes": [[1.5, 2.25, "etpicker", 0.0]]}
    with pytest.raises(InputDataError, match=r"box 0: got .*expected \[x, y, method"):
        read_text("eman2-micrographs", path, '{"boxes": [[1, 2, 3]]}')


POS = """# XMIPP_STAR_1 *
#
data_header
loop_
 _pickingMicrographState
Supervised
data_particles
loop_
 _enabled
 _xcoor
 _ycoor
 1 12 50
data_particles_auto
loop_
 _enabled
 _xcoor
 _ycoor
 _cost
 1 40 3 0.5
 -1 9 9 0.9
"""


def test_xmipp_holds_two_blocks_and_what_was_discarded(tmp_path):
    found = read_text("xmipp", tmp_path / "mic_1.pos", POS)
    assert xy_of(found) == [[12, 50], [40, 3]]
    assert found.scores.tolist() == [0.0, 0.5]

    path = write("xmipp", tmp_path / "b.pos", picks(scores=0.25))
    rows = path.read_text().split("_cost\n")[1].split("\n")
    assert rows[0] == " 1 12 50 0.25"
    assert rows[2] == " 1 40 4 0.25"  # 40.25, 3.75
    with pytest.raises(InputDataError, match="no block data_particles"):
        read_text("xmipp", path, AUTOPICK)


THI = """[Particle Coordinates: X Y Value]
12\t50\t0.75
[End]
[Vesicle Coordinates: X Y Radius Value]
20 30 12.5 0.5
[End]
[Helix Coordinates: X Y Group Value]
1 2 7 1.0
3 4 7 1.0
5.5 6 9 1.0
[End]
"""


def test_epicker_has_particles_vesicles_and_fibres(tmp_path):
    found = read_text("epicker", tmp_path / "mic_1.thi", THI)

    assert xy_of(found) == [[12, 50], [20, 30], [1, 2], [3, 4], [5.5, 6]]
    assert found.scores.tolist() == [0.75, 0.5, 1, 1, 1]
    assert found.optional["filament"].tolist() == ["", "", "7", "7", "9"]
    radii = found.optional["radius"]
    assert radii[1] == 25.0  # 12.5 pixels of 2 Å.
    assert np.isnan(radii[[0, 2, 3, 4]]).all()

    path = write("epicker", tmp_path / "b.thi", found)
    again = read("epicker", path)
    assert "20.000 30.000 12.500 0.5" in path.read_text()
    assert again.optional["filament"].tolist() == ["", "", "1", "1", "2"]
    assert xy_of(again) == xy_of(found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("12 50 0.75\n", "line 1: numbers stand under no heading"),
        (THI.replace("12\t50\t0.75", "12 50"), r"line 2: 2 value\(s\), expected 3"),
        (THI.replace("12.5", "0"), "line 5: radius 0, expected one above 0"),
        (THI.replace("Helix", "Helx"), "line 7: .*Helx.*expected one of"),
        (THI.replace(" 7 1.0", " 7.5 1.0", 1), "line 8: got '7.5', expected a whole"),
    ],
)
def test_what_a_thi_cannot_be(tmp_path, text, message):
    with pytest.raises(InputDataError, match=message):
        read_text("epicker", tmp_path / "a.thi", text)


def test_epickers_plain_coordinates(tmp_path):
    found = read_text("epicker-coord", tmp_path / "a.coord", "12.25\t50.5\n3 4\n")
    assert xy_of(found) == [[12.25, 50.5], [3, 4]]
    four = read_text("epicker-coord", tmp_path / "b.coord", "12\t50\t19\t19\n")
    assert xy_of(four) == [[12, 50]]


def test_topaz_names_images_and_may_have_no_score(tmp_path):
    text = "image_name\tx_coord\ty_coord\tscore\nmic_2\t12\t50\t-1.5\nmic_1\t3\t4\t2\n"
    one, two = read_text("topaz", tmp_path / "t.txt", text, FRAME, OTHER)
    assert (xy_of(one), one.scores.tolist()) == ([[3, 4]], [2])
    assert (xy_of(two), two.scores.tolist()) == ([[12, 50]], [-1.5])

    path = write("topaz", tmp_path / "u.txt", picks([(1.5, 2.25)]))
    assert path.read_text() == "image_name\tx_coord\ty_coord\nmic_1\t1.500\t2.250\n"
    for old, new, message in (
        ("y_coord", "y", "no y_coord in its header"),
        ("score", "z_coord", "places in tomograms"),
        ("score", "x_coord", "x_coord stands twice"),
        ("\t4\t2", "\t4", r"line 3: 3 cell\(s\), expected 4"),
        ("mic_2", "other", "without a tomogram: other"),
    ):
        with pytest.raises(InputDataError, match=message):
            read_text("topaz", path, text.replace(old, new, 1), FRAME, OTHER)


def cs_table(**changes):
    fields = [
        ("uid", "<u8"),
        ("location/micrograph_path", "S60"),
        ("location/micrograph_shape", "<u4", (2,)),
        ("location/center_x_frac", "<f4"),
        ("location/center_y_frac", "<f4"),
        ("pick_stats/ncc_score", "<f4"),
    ]
    table = np.zeros(2, dtype=[f for f in fields if f[0] not in changes.get("no", ())])
    names = [b"J7/motioncorrected/012345678901234567890_mic_1.mrc", b"J7/mic_1.mrc"]
    table["location/micrograph_path"] = names
    table["location/micrograph_shape"] = changes.get("shape", (57, 41))
    if "location/center_x_frac" in table.dtype.names:
        table["location/center_x_frac"] = changes.get("x", [0.25, 0.5])
    table["location/center_y_frac"] = [0.75, 0.0]
    table["pick_stats/ncc_score"] = [0.5, 0.25]
    return table


def test_cryosparc_holds_fractions_from_the_first_row(tmp_path):
    path = tmp_path / "picks.cs"
    with path.open("wb") as stream:
        np.save(stream, cs_table())
    found = read("cryosparc", path)

    assert xy_of(found) == [[10.25, 42.75], [20.5, 0.0]]  # 41 / 4, 57 * 3 / 4 …
    assert found.scores.tolist() == [0.5, 0.25]
    assert format_named("cryosparc").names_in(path) == ["mic_1"]
    own = replace(FRAME, tomogram_id="012345678901234567890_mic_1")
    first, second = read("cryosparc", path, own, FRAME)
    assert (len(first), len(second)) == (1, 1)


def test_a_written_cs_is_what_cryosparc_reads(tmp_path):
    second = make_particles("mic_2", [[0, 1.5, 2.5]], optional={"filament": "f"})
    items = [(picks(scores=0.5), FRAME), (second, OTHER)]
    path = write("cryosparc", tmp_path / "picks.cs", items)

    table = np.load(path, allow_pickle=False)
    assert table["location/micrograph_shape"].tolist() == [[57, 41]] * 5
    np.testing.assert_allclose(
        table["location/center_y_frac"] * 57, [*PLACES_XY[:, 1], 1.5], atol=1e-4
    )
    assert table["location/micrograph_path"].tolist()[3:] == [
        b"mic_1.mrc",
        b"mic_2.mrc",
    ]
    assert len(set(table["uid"].tolist())) == 5
    assert len(set(table["location/micrograph_uid"].tolist())) == 2
    one, two = read("cryosparc", path, FRAME, OTHER)
    assert set(one.optional["filament"]) == {""}
    assert two.optional["filament"].tolist() == ["1"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (cs_table(shape=(41, 57)), "is 41 x 57 .*but micrograph mic_1 has 57 x 41"),
        (cs_table(no=("location/center_x_frac",)), "no location/center_x_frac"),
        (cs_table(x=[np.nan, 0]), "row 0: location/center_x_frac is nan"),
        (np.zeros((2, 2)), "a table of 2 dimensions"),
        (np.array([{"a": 1}]), "Python objects, which are not read"),
    ],
)
def test_what_a_cs_cannot_be(tmp_path, table, message):
    path = tmp_path / "picks.cs"
    with path.open("wb") as stream:
        np.save(stream, table)
    with pytest.raises(InputDataError, match=message):
        read("cryosparc", path)


def test_a_cs_that_is_compressed_or_none_is_told(tmp_path):
    path = tmp_path / "picks.cs"
    path.write_bytes(b"\x94CSDAT" + b"\0" * 40)
    with pytest.raises(InputDataError, match="keeps compressed"):
        read("cryosparc", path)
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(InputDataError, match=r"cannot be read as a \.cs of cryoSPARC"):
        read("cryosparc", path)


# --------------------------- there and back ------------------------------------
def sources(folder, seed=3, **values):
    """Write a CSV of each of two micrographs; return what they hold."""
    draw, found = np.random.default_rng(seed), {}
    for name, count in (("mic_1", 9), ("mic_2", 6)):
        places = draw.uniform(-0.5, [0, 56.5, 40.5], (count, 3)) * (0, 1, 1)
        found[name] = make_particles(
            name,
            np.round(places, 3),
            class_names=draw.choice(list(CLASSES), count),
            scores=np.round(draw.uniform(0.1, 1, count), 4),
            optional={"filament": np.repeat(["b", "a", "c"], count // 3)},
        )
        write_csv(found[name], folder / f"{name}.csv")
    return found


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("target", [n for n in FLAT if n not in STRAIGHT])
def test_there_and_back(tmp_path, target, kept):
    wanted = sources(tmp_path)
    paths = [tmp_path / f"{name}.csv" for name in wanted]

    there = run(tmp_path / "there", paths, "csv", target)
    if not kept:
        for path in there:
            format_named(target).sidecar(path).unlink()
    back = run(tmp_path / "back", there, target, "csv")

    assert sorted(path.stem for path in back) == ["mic_1", "mic_2"]
    for path in back:
        found, own = read_csv(path, tomogram_id=path.stem), wanted[path.stem]
        off = np.abs(found.positions_zyx - own.positions_zyx).max()
        assert off < (0.51 if target in WHOLE_PIXELS and not kept else 1e-3)
        if kept:
            assert found.class_names.tolist() == own.class_names.tolist()
            np.testing.assert_allclose(found.scores, own.scores, rtol=1e-4)
        if kept or "filament" in format_named(target).holds_columns:
            ids = found.optional["filament"].tolist()
            alike = [[a == b for a in ids] for b in ids]
            names = own.optional["filament"].tolist()
            assert alike == [[a == b for a in names] for b in names]


@pytest.mark.parametrize("target", FLAT)
def test_a_micrograph_without_picks_is_a_file_without_rows(tmp_path, target):
    path = tmp_path / format_named(target).path_of("mic_1")
    nothing = picks(np.zeros((0, 2)), optional={"filament": [], "radius": []})
    write(target, path, nothing)

    assert len(read(target, path)) == 0


def test_a_table_of_a_micrograph_needs_no_z(tmp_path):
    path = tmp_path / "mic_1.csv"
    path.write_text("class,x,y,score\napo,12.25,50.5,0.75\n")

    (written,) = run(tmp_path / "out", [path], "csv", "topaz")
    assert written.read_text().endswith("mic_1\t12.250\t50.500\t0.75\n")
    with pytest.raises(InputDataError, match="no column z"):
        run(tmp_path / "a", [path], "csv", "txt", dimensions=(41, 57, 33))


def test_what_is_lost_is_said_and_nothing_else(tmp_path, caplog):
    paths = [tmp_path / f"{name}.csv" for name in sources(tmp_path)]
    with caplog.at_level(logging.WARNING):
        run(tmp_path / "a", paths, "csv", "epicker")
        run(tmp_path / "b", paths, "csv", "eman-box")

    assert "mic_1.thi does not hold: classes; mic_1.thi.json keeps that" in caplog.text
    assert (
        "mic_1.box does not hold: classes, scores, fractions of a voxel, filament; "
        in caplog.text
    )


# ----------------------- micrographs and tomograms -----------------------------
def test_a_format_of_the_other_images_is_refused(tmp_path):
    sources(tmp_path)
    path = tmp_path / "mic_1.csv"

    with pytest.raises(
        ConfigError,
        match=r"txt holds places in tomograms, but mic_1 is one of the micrographs "
        r"\(41 x 57\)\. Formats for micrographs: csv, relion-coordinates",
    ):
        run(tmp_path / "a", [path], "csv", "txt")
    with pytest.raises(
        ConfigError,
        match=r"topaz holds places in micrographs, but mic_1 .*tomograms "
        r"\(41 x 57 x 33\)\. Formats for tomograms: csv, txt",
    ):
        run(tmp_path / "b", [path], "csv", "topaz", dimensions=(41, 57, 33))
    with pytest.raises(ConfigError, match="one holds places in tomograms, the other"):
        run(tmp_path / "c", [path], "eman2", "topaz")
    with pytest.raises(ConfigError, match=r"a micrograph .* which has no z"):
        run(tmp_path / "d", [path], "csv", "topaz", mirror_z=True)
    with pytest.raises(ConfigError, match="expected three numbers above 0"):
        run(tmp_path / "e", [path], "csv", "topaz", dimensions=(41,))


def test_a_place_outside_the_micrograph_is_refused(tmp_path):
    path = tmp_path / "mic_1.coord"
    path.write_text("57 41\n")  # x and y exchanged.

    with pytest.raises(InputDataError, match="1 of 1 lie outside"):
        run(tmp_path / "out", [path], "epicker-coord", "csv")
