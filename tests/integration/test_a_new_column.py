"""A new column of a pick is one line: it goes through every record and file.

The columns here are declared by the tests alone, in the one tuple; every module that
a pick goes through finds them there.
"""

import csv
import re
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from tomo.constants import BOTTOM_LEFT_CORNER
from tomo.objects import Coordinate3D, SetOfCoordinates3D, SetOfTomograms, Tomogram

from etpicker_plugin.convert import append_particles, particles_by_tomogram
from etpicker_plugin.engine import columns
from etpicker_plugin.engine.columns import Column
from etpicker_plugin.engine.config.convert import CATALOGUE, ConvertConfig
from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.conversion.convert import convert
from etpicker_plugin.engine.formats.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.particles import join_particles, make_particles
from etpicker_plugin.engine.picking.nms import Peaks, remove_near
from etpicker_plugin.engine.picking.partial import PartialPicks
from etpicker_plugin.tests.support.hand_made import ALONE
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.drawing.circles import circles_of_view

ROOT = Path(__file__).resolve().parents[2]
BATCH = Column(name="batch", dtype=int, missing=-1)
STATE = Column(name="state", dtype=str, missing="")
TANGENT = Column(name="tangent", shape=(3,), headers=("tx", "ty", "tz"))
TESTED = (BATCH, STATE, TANGENT)
IN_TOMOGRAMS = [
    known.name
    for known in CATALOGUE
    if 3 in known.dimensions and known.name != "deepetpicker"
]

SHAPE_ZYX = (21, 30, 37)
VOXEL_SIZE = 5.0
POSITIONS = np.array([[4.0, 7, 9], [10, 20, 30], [15, 8, 25]])
VALUES = {
    "radius": np.array([40.0, np.nan, 12.5]),
    "batch": np.array([7, 2**60 + 1, -1]),
    "state": np.array(["open", "", "half-way"]),
    "tangent": np.array([[0.5, -0.25, 1], [np.nan] * 3, [0, 0, -1]]),
}


@pytest.fixture(autouse=True)
def declared(monkeypatch):
    more = (*columns.OPTIONAL_COLUMNS, *TESTED)
    monkeypatch.setattr(columns, "OPTIONAL_COLUMNS", more)


def picks(**values):
    return make_particles(
        "T",
        POSITIONS,
        class_names=["a", "b", "a"],
        scores=[0.9, 0.8, 0.7],
        optional={**VALUES, **values},
    )


def assert_values(particles, values=VALUES):
    assert set(particles.optional) == set(values)
    for name, wanted in values.items():
        np.testing.assert_array_equal(particles.optional[name], wanted)


def write_volume(folder):
    path = folder / "T.mrc"
    with mrcfile.new(path) as stream:
        stream.set_data(np.zeros(SHAPE_ZYX, np.float32))
        stream.voxel_size = VOXEL_SIZE
    return path


def opened(folder, volume, csv_file=None):
    config = ViewConfig(
        tomogram=[str(volume)],
        coordinates=[str(csv_file)] if csv_file else [],
        out=str(folder),
        diameter={"a": 60.0, "b": 50.0},
    )
    folder.mkdir(exist_ok=True)
    return Session(config, folder)


def scipion_set(folder, volume, particles, *, name=""):
    """Write particles to a set on disk; return it as Scipion opens it anew."""
    folder.mkdir(exist_ok=True)
    tomogram = Tomogram()
    tomogram.setFileName(str(volume))
    tomogram.setSamplingRate(VOXEL_SIZE)
    tomogram.setTsId("T")
    tomograms = SetOfTomograms.create(str(folder), suffix=name)
    tomograms.setSamplingRate(VOXEL_SIZE)
    tomograms.append(tomogram)
    tomograms.write()
    made = SetOfCoordinates3D.create(str(folder), prefix="coordinates", suffix=name)
    made.setPrecedents(tomograms)
    made.setSamplingRate(VOXEL_SIZE)
    made.setBoxSize(10)
    append_particles(made, tomogram, particles, groups={"a": 1, "b": 2})
    made.write()
    made.close()
    again = SetOfCoordinates3D(filename=made.getFileName())
    again.setPrecedents(tomograms)
    return again, tomogram


def test_pick_csv_view_scipion_csv(tmp_path):
    peaks = Peaks(
        positions_zyx=POSITIONS,
        scores=np.array([0.9, 0.8, 0.7]),
        channels=np.array([0, 1, 0]),
        optional={n: c.array(VALUES[n], 3) for n, c in by_name().items()},
    )
    partial = PartialPicks(tmp_path / "partial.jsonl", "digest")
    partial.begin(64)
    partial.add(0, peaks.select(np.array([0])))
    partial.add(1, peaks.select(np.array([1, 2])))
    stopped = PartialPicks(tmp_path / "partial.jsonl", "digest")
    assert stopped.begin(64) == {0, 1}
    kept = stopped.all_peaks()
    found = picks(**kept.optional)
    assert_values(found)
    first = tmp_path / "first.csv"
    write_csv(found, first)
    assert first.read_text().splitlines() == [
        "class,x,y,z,score,radius,batch,state,tx,ty,tz",
        "a,9.000,7.000,4.000,0.9,40,7,open,0.5,-0.25,1",
        "b,30.000,20.000,10.000,0.8,,1152921504606846977,,,,",
        "a,25.000,8.000,15.000,0.7,12.5,,half-way,0,0,-1",
    ]

    volume = write_volume(tmp_path)
    session = opened(tmp_path / "view", volume, first)
    (document,) = session.documents
    journal = document.journal
    new = {"radius": 33.0, "state": "quite long a word", "tangent": [1, 2, 3]}
    annotation = journal.annotation
    # A mark's unknown score would come back from Scipion as 0.
    journal.apply(annotation.adding([[5, 6, 7]], "b", scores=0.25, optional=new))
    journal.apply(annotation.adding([[8, 8, 8]], "b", scores=0.125))
    journal.apply(annotation.deleting([1]))
    session.close()
    session = opened(tmp_path / "view", volume)
    session.close()
    edited = read_csv(tmp_path / "view" / "T.csv", tomogram_id="T")
    wanted = {
        "radius": [40.0, 12.5, 33.0, np.nan],
        "batch": [7, -1, -1, -1],
        "state": ["open", "half-way", "quite long a word", ""],
        "tangent": [[0.5, -0.25, 1], [0, 0, -1], [1, 2, 3], [np.nan] * 3],
    }
    assert_values(edited, wanted)

    coordinates, _ = scipion_set(tmp_path / "project", volume, edited)
    found = particles_by_tomogram([(coordinates, {1: "a", 2: "b"}.get)])["T"]
    np.testing.assert_allclose(found.positions_zyx, edited.positions_zyx)
    assert_values(found, wanted)
    last = tmp_path / "last.csv"
    write_csv(found, last)
    assert last.read_text() == (tmp_path / "view" / "T.csv").read_text()


def by_name():
    return {column.name: column for column in TESTED}


def test_a_coordinate_of_others_has_no_such_value(tmp_path):
    volume = write_volume(tmp_path)
    made, tomogram = scipion_set(
        tmp_path / "others", volume, picks().select(np.array([0]))
    )
    (item,) = (c.clone() for c in made.iterCoordinates())
    others = SetOfCoordinates3D.create(
        str(tmp_path), prefix="coordinates", suffix="plain"
    )
    others.setPrecedents(made.getPrecedents())
    others.setSamplingRate(VOXEL_SIZE)
    plain = Coordinate3D()
    plain.setVolume(tomogram)
    plain.setPosition(9, 7, 4, BOTTOM_LEFT_CORNER)
    others.append(plain)
    others.write()

    found = particles_by_tomogram([(made, {1: "a"}.get), (others, lambda _: "b")])["T"]

    assert item._etpicker_state.get() == "open"
    assert found.optional["state"].tolist() == ["open", ""]
    assert found.optional["batch"].tolist() == [7, -1]
    alone = particles_by_tomogram([(others, lambda _: "b")])["T"]
    assert alone.optional == {}


def test_a_set_begun_before_the_column_goes_on_without_it(tmp_path, monkeypatch):
    volume = write_volume(tmp_path)
    with monkeypatch.context() as before:
        before.setattr(columns, "OPTIONAL_COLUMNS", (columns.ROTATION, columns.RADIUS))
        old = make_particles(
            "T", [[4, 7, 9]], class_names="a", scores=0.5, optional={"radius": [9.0]}
        )
        made, tomogram = scipion_set(tmp_path / "old", volume, old)
    made.enableAppend()
    append_particles(made, tomogram, picks(), groups={"a": 1})
    made.write()

    found = particles_by_tomogram([(made, {1: "a"}.get)])["T"]

    np.testing.assert_array_equal(found.optional["radius"], [9, 40, 12.5])
    assert set(found.optional) == {"radius"}


@pytest.mark.parametrize("kind", IN_TOMOGRAMS)
def test_every_format_gives_the_column_back(tmp_path, kind):
    volume = write_volume(tmp_path)
    needed = {name: np.full(3, value) for name, value in ALONE.get(kind, {}).items()}
    write_csv(picks(**needed), tmp_path / "T.csv")
    common = {"tomogram": [str(volume)], "binning": 1.0, "class_name": ("a", "b")}
    out, back = tmp_path / "out", tmp_path / "back"
    files = run_convert(out, tmp_path / "T.csv", "csv", kind, common)
    run_convert(back, *files, "", kind, common, joined=True)
    found = [read_csv(path, tomogram_id="T") for path in sorted(back.glob("*.csv"))]
    found = join_particles("T", found)
    found = found.select(np.lexsort(found.positions_zyx.T[::-1]))
    assert_values(found, {**VALUES, **needed})


def run_convert(out, *words, joined=False):
    *files, source, kind, common = words
    out.mkdir()
    config = ConvertConfig(
        input=[str(path) for path in files],
        input_format=kind if joined else source,
        output_format="csv" if joined else kind,
        out=str(out),
        **common,
    )
    return convert(config, out, on_progress=lambda _event: None)


def test_a_fault_in_the_column_is_named(tmp_path):
    path = tmp_path / "a.csv"
    for header, cell, words in (
        ("radius", "wide", "got 'wide', expected a number in Å"),
        ("batch", "1.5", "got '1.5', expected a whole number"),
    ):
        path.write_text(f"class,x,y,z,{header}\na,1,2,3,{cell}\n")
        with pytest.raises(Exception, match=f"line 2, {header}: {words}"):
            read_csv(path, tomogram_id="T")


def test_a_long_file_reads_the_same(tmp_path, monkeypatch):
    rows = [["class", "x", "y", "z", "batch", "state", "radius"]]
    rows += [["a", 1, 2, 3, 5, " open ", 1.5], ["b", 1, 2, 3, "7.0", "", ""]]
    rows += [["b", 1, 2, 3, "", "", ""], ["b", 1, 2, 3, "nan", "nan", "nan"]]
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    by_line = read_csv(path, tomogram_id="T")
    monkeypatch.setattr("etpicker_plugin.engine.formats.long_csv.LONG_TEXT", 0)
    at_once = read_csv(path, tomogram_id="T")

    assert_values(at_once, by_line.optional)
    assert by_line.optional["batch"].tolist() == [5, 7, -1, -1]
    assert by_line.optional["state"].tolist() == ["open", "", "", "nan"]


def test_the_size_of_each_pick_is_drawn(tmp_path):
    volume = write_volume(tmp_path)
    write_csv(picks(radius=[50.0, np.nan, 12.5]), tmp_path / "first.csv")
    session = opened(tmp_path / "view", volume, tmp_path / "first.csv")
    (document,) = session.documents
    radii = document.radii_vox(session.classes)
    np.testing.assert_allclose(radii, [10, 5, 2.5])
    # Pick 0, at z = 4, is as far as 8 voxels away: of its class it would not be cut.
    view = circles_of_view(document, session.classes, axis=0, index=12, selected=None)
    session.close()
    shown = dict(zip(view.sections.ids.tolist(), view.sections.radii, strict=True))
    assert shown[0] == pytest.approx(6)
    assert set(shown) == {0, 1}


def test_the_size_of_each_pick_keeps_others_away():
    peaks = Peaks(
        positions_zyx=np.array([[0.0, 0, 0], [0, 0, 8], [0, 0, 20], [0, 0, 23]]),
        scores=np.array([0.9, 0.8, 0.7, 0.6]),
        channels=np.zeros(4, np.intp),
        optional={"batch": np.array([1, 2, 3, 4])},
    )
    kept = remove_near(peaks, np.array([10.0, 2, 2, 9]))
    assert kept.optional["batch"].tolist() == [1, 3, 4]


def test_no_other_module_spells_out_the_optional_columns():
    """Who names orientations reads or writes another program's, or turns them."""
    allowed = {
        *("convert.py", "convert_subtomograms.py", "convert_surfaces.py"),
        "relion_tomo.py",
        *(f"engine/{n}.py" for n in ("orientation", "particles")),
        *(f"engine/formats/{n}.py" for n in ("artiax_list", "copick_json")),
        *(f"engine/formats/{n}.py" for n in ("dynamo_table", "portal_ndjson")),
        "engine/subtomograms/star.py",
        "engine/relion/poses.py",
        "engine/maps/matching.py",
    }
    package = ROOT / "etpicker_plugin"
    sources = [*package.rglob("*.py"), *(ROOT / "protocols").rglob("*.py")]
    naming = [p for p in sources if re.search(r"\brotations\b", p.read_text("utf-8"))]
    assert {p.relative_to(package).as_posix() for p in naming} == allowed
