"""RELION 5's list for *Import coordinates*, read as its source reads it.

``relion_tomo_import_coordinates`` takes the first table of the list, opens each path
from where it was started, takes the first table there as it stands, refuses another
rlnTomoName than the list's, and appends tables of the same columns.
"""

from pathlib import Path

import emtable
import numpy as np
import pytest

from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.format import FormatOptions
from etpicker_plugin.engine.formats.relion_import import (
    RELION5_IMPORT,
    read_import_list,
    read_import_names,
    write_import_list,
)
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.hand_made import (
    FRAME,
    assert_hand_made,
    frame_of,
    hand_made,
    text_file,
)
from etpicker_plugin.tests.support.relion_texts import relion5_text

OPTIONS = FormatOptions()
NUMBERS = {"ribosome": 1, "ring": 2}
SECOND = TomogramFrame(
    tomogram_id="rec_TS_02",
    shape_zyx=(31, 100, 91),
    voxel_size=10.0,
    binning=4.0,
    unbinned_size_xyz=(365, 401, 125),
    unbinned_pixel_size=2.5,
)


def first_table(path):
    """Return the first table of a file as texts, as RELION's MetaDataTable reads it."""
    lines = path.read_text().splitlines()
    start = lines.index("loop_") + 1
    labels = [line.split()[0][1:] for line in lines[start:] if line[:1] == "_"]
    rows = [line.split() for line in lines[start + len(labels) :] if line.strip()]
    return labels, rows


def write_two(folder):
    path = folder / "relion5_import.star"
    plain = make_particles("rec_TS_02", [[30, 20, 40]], class_names="ring")
    empty = make_particles("TS_03", [])
    items = [(hand_made(), FRAME), (plain, SECOND), (empty, frame_of(4, "TS_03"))]
    write_import_list(items, path, OPTIONS, NUMBERS)
    return path


def test_the_list_and_what_it_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_two(Path())
    monkeypatch.chdir("/")

    labels, rows = first_table(tmp_path / path)
    assert labels == ["rlnTomoName", "rlnTomoImportParticleFile"]
    assert [row[0] for row in rows] == ["TS_01", "TS_02"]
    assert sorted(p.name for p in (tmp_path / "relion5_import").iterdir()) == [
        *("TS_01.star", "TS_02.star"),
    ]
    tables = [first_table(Path(row[1])) for row in rows]
    assert tables[0][0] == tables[1][0]
    for (name, _), (columns, particles) in zip(rows, tables, strict=True):
        column = columns.index("rlnTomoName")
        assert {row[column] for row in particles} == {name}
    assert "data_particles" in Path(rows[0][1]).read_text()
    assert "data_optics" not in Path(rows[0][1]).read_text()


def test_positions_and_class_numbers_by_hand(tmp_path):
    path = write_two(tmp_path)

    (row,) = emtable.Table.iterRows(f"particles@{path.with_suffix('')}/TS_02.star")
    xyz = [getattr(row, f"rlnCenteredCoordinate{axis}Angst") for axis in "XYZ"]
    # (40 · 4 - 182.5) · 2.5, (20 · 4 - 200.5) · 2.5, (30 · 4 - 62.5) · 2.5
    np.testing.assert_allclose(xyz, [-56.25, -301.25, 143.75], rtol=0, atol=1e-6)
    assert (row.rlnClassNumber, row.etpickerClassName) == (2, "ring")
    # Unknown beside known angles: unturned, so that all files have the same columns.
    assert (row.rlnAngleRot, row.rlnAngleTilt, row.rlnAnglePsi) == (0, 0, 0)


def test_there_and_back(tmp_path):
    path = write_two(tmp_path)
    frames = {"TS_01": FRAME, "rec_TS_02": SECOND, "TS_03": frame_of(4, "TS_03")}

    first, second, third = read_import_list(path, frames, OPTIONS)

    assert read_import_names(path) == ["TS_01", "TS_02"]
    assert_hand_made(first)
    assert second.tomogram_id == "rec_TS_02"
    np.testing.assert_allclose(second.positions_zyx, [[30, 20, 40]], atol=1e-6)
    assert len(third) == 0


def test_a_list_made_elsewhere_with_paths_from_its_own_folder(tmp_path):
    """One tomogram may have several files, as one for each membrane."""
    for name in ("a", "b"):
        text_file(tmp_path / "parts", f"{name}.star", relion5_text("half", 4))
    path = text_file(
        tmp_path,
        "list.star",
        "data_\n\nloop_\n_rlnTomoName\n_rlnTomoImportParticleFile\n"
        "TS_01 parts/a.star\nTS_01 parts/b.star\n",
    )

    (particles,) = read_import_list(path, {"TS_01": FRAME}, OPTIONS)

    assert len(particles) == 4
    assert_hand_made(
        particles.select(np.array([True, True, False, False])), turned=False
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TS_07 relion5_import/TS_01.star", "without a tomogram: TS_07"),
        ("TS_01 gone/TS_01.star", r"gone/TS_01\.star', and there is no such file"),
        ("TS_01 " + "x" * 400, "x', and there is no such file"),
        ("TS_01 " + "9" * 400, "9', and there is no such file"),
        ("TS_01 nan", "/nan', and there is no such file"),
        ("TS_01 relion5_import/TS_02.star", "without a tomogram: TS_02"),
        ("TS_01 relion5_import/TS_01.star\n" * 2, "is listed twice"),
    ],
)
def test_a_bad_list(tmp_path, text, message):
    write_two(tmp_path)
    head = "data_\n\nloop_\n_rlnTomoName\n_rlnTomoImportParticleFile\n"
    path = text_file(tmp_path, "list.star", f"{head}{text}\n")

    with pytest.raises(InputDataError, match=message):
        read_import_list(path, {"TS_01": FRAME}, OPTIONS)


@pytest.mark.parametrize(
    ("folder", "series", "error", "message"),
    [
        ("my data", "TS_01", InputDataError, "has blanks, quotes"),
        ("data#2", "TS_01", InputDataError, "has blanks, quotes"),
        ("data", "../../TS_01", InputDataError, "cannot name a file"),
        ("data", "TS_02", ConfigError, "TS_01 and rec_TS_02 are both of"),
    ],
)
def test_what_the_list_cannot_hold(tmp_path, folder, series, error, message):
    (tmp_path / folder).mkdir()
    frame = TomogramFrame(
        tomogram_id="TS_01", shape_zyx=(9, 11, 7), voxel_size=10.0, tilt_series=series
    )
    particles = make_particles("TS_01", [[1, 2, 3]])
    items = [(particles, frame), (make_particles("rec_TS_02", [[1, 2, 3]]), SECOND)]

    with pytest.raises(error, match=message):
        write_import_list(items, tmp_path / folder / "a.star", OPTIONS, {"particle": 1})
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_without_particles_there_is_no_list(tmp_path):
    items = [(make_particles("TS_01", []), FRAME)]

    with pytest.raises(InputDataError, match="no particles to write"):
        write_import_list(items, tmp_path / "a.star", OPTIONS, {})
    assert list(tmp_path.iterdir()) == []


def test_it_is_a_format_of_its_own():
    assert RELION5_IMPORT.path_of("TS_01") == Path("relion5_import.star")
