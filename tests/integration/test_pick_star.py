"""What stands in pick's NAME.star: names, positions and class numbers for RELION."""

import json

import emtable
import mrcfile
import numpy as np
import pytest

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.tests.support.phantoms import DIAMETERS, VOXEL_SIZE
from etpicker_plugin.tests.support.untrained import (
    MOST_PICKS,
    TINY_ZYX,
    make_tiny_tomograms,
    make_untrained_model,
)

ANG = [f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ"]
FIRST, LAST = DIAMETERS
TOMOGRAMS = """
data_global

loop_
_rlnTomoName #1
_rlnTomoTiltSeriesPixelSize #2
_rlnTomoTomogramBinning #3
_rlnTomoSizeX #4
_rlnTomoSizeY #5
_rlnTomoSizeZ #6
_rlnTomoReconstructedTomogram #7
L_7 {pixel} 2.0 73 55 41 Reconstruct/job3/tomograms/rec_TS_1.mrc
"""
UNBINNED_XYZ = (73, 55, 41)
"""RELION rounds 36.5 and 27.5 and cuts 20.5: to 37, 28 and 20 voxels."""


@pytest.fixture
def data(tmp_path):
    make_untrained_model(tmp_path / "model.safetensors")
    make_tiny_tomograms(tmp_path, ["rec_TS_1", "TS_2_10.00Apx"])
    text = TOMOGRAMS.format(pixel=VOXEL_SIZE / 2)
    (tmp_path / "tomograms.star").write_text(text)
    return tmp_path


def pick(folder, *more, names=("rec_TS_1", "TS_2_10.00Apx")):
    words = ["pick", "--model", str(folder / "model.safetensors"), "--out"]
    words += [str(folder / "out"), "--device", "cpu", "--threads", "1", "--max-picks"]
    words += [str(MOST_PICKS), "--tomogram", *(str(folder / f"{n}.mrc") for n in names)]
    return main([*words, *more])


def rows_of(folder, name):
    return list(emtable.Table.iterRows(f"particles@{folder / 'out' / name}.star"))


def test_tilt_series_are_named_and_optics_left_to_relion(data):
    assert pick(data) == 0

    for name, series in (("rec_TS_1", "TS_1"), ("TS_2_10.00Apx", "TS_2")):
        assert {row.rlnTomoName for row in rows_of(data, name)} == {series}
        text = (data / f"out/{name}.star").read_text()
        assert "data_optics" not in text
        assert json.loads((data / f"out/{name}.json").read_text())["tilt_series"] == (
            series
        )


def test_what_is_assumed_without_relion_s_file_is_told(data, caplog):
    """Half the binned size: of 20 x 28 x 36 voxels of 10 Å it is 180, 140, 100 Å."""
    caplog.set_level("INFO")
    assert pick(data, names=("rec_TS_1",)) == 0

    picks = read_csv(data / "out/rec_TS_1.csv", tomogram_id="rec_TS_1")
    found = [[getattr(row, a) for a in ANG] for row in rows_of(data, "rec_TS_1")]
    expected = picks.positions_zyx[:, ::-1] * 10 - [180, 140, 100]
    np.testing.assert_allclose(found, expected, atol=0.01)
    told = "may lie up to half a voxel away in z, and a quarter in x and y."
    assert told in caplog.text
    record = json.loads((data / "out/rec_TS_1.json").read_text())
    assert record["star_centre"].endswith(told)


def test_class_numbers_are_the_model_s_in_every_file(data):
    assert pick(data, "--classes", LAST) == 0

    for name in ("rec_TS_1", "TS_2_10.00Apx"):
        rows = rows_of(data, name)
        assert {(r.rlnClassNumber, r.etpickerClassName) for r in rows} == {(2, LAST)}
        record = json.loads((data / f"out/{name}.json").read_text())
        assert record["class_numbers"] == {FIRST: 1, LAST: 2}


def test_positions_are_those_of_relion_itself(data, caplog):
    given = ("--tomograms", str(data / "tomograms.star"))

    assert pick(data, *given, names=("rec_TS_1",)) == 0

    rows = rows_of(data, "rec_TS_1")
    picks = read_csv(data / "out/rec_TS_1.csv", tomogram_id="rec_TS_1")
    unbinned_xyz = picks.positions_zyx[:, ::-1] * 2 - np.array(UNBINNED_XYZ) / 2
    found = [[getattr(row, label) for label in ANG] for row in rows]
    np.testing.assert_allclose(found, unbinned_xyz * VOXEL_SIZE / 2, atol=0.01)
    assert {row.rlnTomoName for row in rows} == {"L_7"}
    record = json.loads((data / "out/rec_TS_1.json").read_text())
    assert record["star_centre"].startswith("half of the unbinned size that RELION")

    caplog.set_level("INFO")
    assert pick(data, *given, names=("rec_TS_1",)) == 0
    assert "picked already" in caplog.text
    assert pick(data, names=("rec_TS_1",)) == 2
    assert "tilt series of rec_TS_1 is not given now" in caplog.text


def test_a_tomogram_that_relion_does_not_know_fails_before_it_is_picked(data, caplog):
    given = ("--tomograms", str(data / "tomograms.star"))

    assert pick(data, *given) == 0

    assert [p.name for p in (data / "out").glob("*.csv")] == ["rec_TS_1.csv"]
    assert "does not hold the tilt series of TS_2_10.00Apx" in caplog.text


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (["--tilt-series-name", "rec_"], 2, r"one {} in the place"),
        (["--tilt-series-name", "rec_{}"], 2, "TS_2_10.00Apx does not fit"),
        (["--tilt-series-table", "nowhere.csv"], 3, "nowhere.csv cannot be read"),
        (["--tomograms", "nowhere.star"], 3, "nowhere.star: no such file"),
    ],
)
def test_what_cannot_be_used_is_refused(data, caplog, given, code, message):
    assert pick(data, *given) == code
    assert message in caplog.text
    assert not list((data / "out").glob("*.csv"))


def test_names_that_are_said(data):
    table = data / "names.csv"
    table.write_text("rec_TS_1,lamella_3\n")

    given = ("--tilt-series-name", "{}_*Apx", "--tilt-series-table", str(table))
    assert pick(data, *given) == 0

    assert {r.rlnTomoName for r in rows_of(data, "rec_TS_1")} == {"lamella_3"}
    assert {r.rlnTomoName for r in rows_of(data, "TS_2_10.00Apx")} == {"TS_2"}


def test_membranes_are_written_beside_the_picks_and_made_again(data, caplog):
    """Of a model without learning nothing is found: the files are there, and empty."""
    (data / "model.safetensors").unlink()
    make_untrained_model(data / "model.safetensors", kind="vesicle")
    asked = ["--surface-step", f"{LAST}=60", "--instance-masks"]
    assert pick(data, *asked, names=("rec_TS_1",)) == 0

    out = data / "out"
    points, mask = out / "surface/rec_TS_1.csv", out / "rec_TS_1_instances.mrc"
    record = json.loads((out / "rec_TS_1.json").read_text())
    names = {str(path.relative_to(out)) for path in (points, mask)}
    assert {*names, "surface/rec_TS_1.star"} < set(record["files"])
    with mrcfile.open(mask) as labels:
        assert labels.data.shape == TINY_ZYX
        assert labels.voxel_size.x == VOXEL_SIZE
    points.write_text("class,x,y,z\nmine,1,2,3\n")
    assert pick(data, *asked, names=("rec_TS_1",)) == 0
    assert "is not as it was written" in caplog.text
    assert "mine" in points.with_name("rec_TS_1.csv.old-1").read_text()
    assert "mine" not in points.read_text()


def test_membranes_of_particles_are_refused(data, caplog):
    asked = ["--surface-step", f"{LAST}=60"]
    assert pick(data, *asked, names=("rec_TS_1",)) == 2
    assert "the model has no vesicles of that name" in caplog.text
