"""``--tomograms``: names, sizes, binning and pixel sizes from RELION itself.

RELION reconstructs n = int(size / b + .5) in x and y and int(size / b) in z. Of 365 x
401 x 125 unbinned pixels of 2.5 Å at binning 2 that makes 183 x 201 x 62 voxels of 5 Å:
their half is 91.5, 100.5, 31, where RELION's centre is at 91.25, 100.25, 31.25.
"""

import json

import emtable
import numpy as np
import pytest

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.conversion.convert import convert
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.formats.relion_tomograms import read_tomograms_star
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.volumes.tomogram import write_volume

RELION5 = """
# version 50001

data_global

loop_
_rlnTomoName #1
_rlnVoltage #2
_rlnSphericalAberration #3
_rlnAmplitudeContrast #4
_rlnMicrographOriginalPixelSize #5
_rlnTomoHand #6
_rlnOpticsGroupName #7
_rlnTomoTiltSeriesPixelSize #8
_rlnTomoTiltSeriesStarFile #9
_rlnTomoTomogramBinning #10
_rlnTomoSizeX #11
_rlnTomoSizeY #12
_rlnTomoSizeZ #13
_rlnTomoReconstructedTomogram #14
TS_01 300 2.7 0.1 2.5 -1 g1 2.5 a/tilt_series/TS_01.star 2.0 365 401 125 \
Reconstruct/job012/tomograms/rec_TS_01.mrc
TS_02 300 2.7 0.1 2.5 -1 g1 2.5 a/tilt_series/TS_02.star 4.0 365 401 125 \
Reconstruct/job012/tomograms/second.mrc
"""
RELION4 = """
data_global

loop_
_rlnTomoName #1
_rlnTomoTiltSeriesName #2
_rlnTomoFrameCount #3
_rlnTomoSizeX #4
_rlnTomoSizeY #5
_rlnTomoSizeZ #6
_rlnTomoHand #7
_rlnOpticsGroupName #8
_rlnTomoTiltSeriesPixelSize #9
_rlnVoltage #10
TS_01 a/TS_01.mrc 2 365 401 125 -1 g1 2.5 300
TS_02 a/TS_02.mrc 2 365 401 125 -1 g1 2.5 300


data_TS_01

loop_
_rlnTomoProjX #1
_rlnDefocusU #2
[1,0,0,0] 30000
[1,0,0,0] 31000
"""
SHAPES_ZYX = {"rec_TS_01": (62, 201, 183), "second": (31, 100, 91)}
VOXEL_SIZES = {"rec_TS_01": 5.0, "second": 10.0}
CSVS = {
    "rec_TS_01": "class,x,y,z\nring,91.25,100.25,31.25\nring,12.5,150,7\n",
    "second": "class,x,y,z\nring,40,20,30\n",
}
UNBINNED_SIZE = {"dimensions": (91, 100, 31), "voxel_size": 2.5, "binning": 1.0}
ANG = "rlnCenteredCoordinate{}Angst"
PIXELS = "rlnCoordinate{}"
# (12.5 · 2 - 182.5) · 2.5, (150 · 2 - 200.5) · 2.5, (7 · 2 - 62.5) · 2.5;
# (40 · 4 - 182.5) · 2.5, (20 · 4 - 200.5) · 2.5, (30 · 4 - 62.5) · 2.5
CENTRED = [
    ("TS_01", 0.0, 0.0, 0.0),
    ("TS_01", -393.75, 248.75, -121.25),
    ("TS_02", -56.25, -301.25, 143.75),
]
UNBINNED = [
    ("TS_01", 182.5, 200.5, 62.5),
    ("TS_01", 25.0, 300.0, 14.0),
    ("TS_02", 160.0, 80.0, 120.0),
]


@pytest.fixture
def project(tmp_path):
    """Return a folder with two tomograms, their CSVs and both tomograms.star."""
    for name, shape_zyx in SHAPES_ZYX.items():
        path = tmp_path / f"{name}.mrc"
        write_volume(path, np.zeros(shape_zyx, np.int8), VOXEL_SIZES[name])
        (tmp_path / f"{name}.csv").write_text(CSVS[name])
    (tmp_path / "tomograms5.star").write_text(RELION5)
    (tmp_path / "tomograms4.star").write_text(RELION4)
    return tmp_path


def run(folder, sources, source_format, target, *, names=SHAPES_ZYX, **given):
    out = folder / f"out_{len(list(folder.glob('out_*')))}"
    out.mkdir()
    config = ConvertConfig(
        input=tuple(map(str, sources)),
        input_format=source_format,
        output_format=target,
        out=str(out),
        **{"tomogram": tuple(str(folder / f"{n}.mrc") for n in names), **given},
    )
    return convert(config, out, on_progress=ignore_progress)


def rows_of(path, label):
    labels = ["rlnTomoName", *(label.format(axis) for axis in "XYZ")]
    rows = emtable.Table.iterRows(f"particles@{path}")
    return [tuple(getattr(row, name) for name in labels) for row in rows]


def assert_rows(found, expected):
    assert [row[0] for row in found] == [row[0] for row in expected]
    np.testing.assert_allclose(
        [row[1:] for row in found], [row[1:] for row in expected], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    ("target", "label", "expected"),
    [("relion5", ANG, CENTRED), ("relion4", PIXELS, UNBINNED)],
)
def test_there_and_back_as_relion_counts(project, caplog, target, label, expected):
    sources = [project / f"{name}.csv" for name in SHAPES_ZYX]
    given = {"tomograms": str(project / "tomograms5.star")}

    (star,) = run(project, sources, "csv", target, **given)
    back = run(project, [star], target, "csv", **given)

    assert_rows(rows_of(star, label), expected)
    assert [path.name for path in back] == ["rec_TS_01.csv", "second.csv"]
    for path, csv in zip(back, sources, strict=True):
        read, wanted = (read_csv(p, tomogram_id="") for p in (path, csv))
        assert np.abs(read.positions_zyx - wanted.positions_zyx).max() < 1e-6
    assert "half a voxel" not in caplog.text


def test_the_sidecar_says_what_relion_said(project):
    (star,) = run(
        project,
        [project / "rec_TS_01.csv"],
        "csv",
        "relion5",
        names=("rec_TS_01",),
        tomograms=str(project / "tomograms5.star"),
    )

    record = json.loads(star.with_name("particles.star.json").read_text())
    assert record["tomograms"] == [
        {
            "tomogram_id": "rec_TS_01",
            "dimensions_xyz": [183, 201, 62],
            "voxel_size_ang": 5.0,
            "binning": 2.0,
            "tilt_series": "TS_01",
            "unbinned_size_xyz": [365, 401, 125],
            "unbinned_pixel_size_ang": 2.5,
            "n_particles": 2,
        }
    ]


def test_without_it_half_the_binned_size_is_taken_and_told(project, caplog):
    given = {"names": ("rec_TS_01",), "binning": 2.0}

    (star,) = run(project, [project / "rec_TS_01.csv"], "csv", "relion5", **given)

    # (91.25 - 91.5) · 5, (100.25 - 100.5) · 5, (31.25 - 31) · 5
    assert_rows(rows_of(star, ANG)[:1], [("TS_01", -1.25, -1.25, 1.25)])
    assert "up to half a voxel away" in caplog.text
    caplog.clear()
    run(
        project,
        [project / "second.csv"],
        "csv",
        "relion5",
        tomogram=(),
        **UNBINNED_SIZE,
    )
    assert not caplog.text


def test_relion4_s_own_file_has_no_binning_but_the_pixel_sizes_tell(project):
    given = {
        "tomograms": str(project / "tomograms4.star"),
        "tilt_series_table": str(project / "names.csv"),
    }
    (project / "names.csv").write_text("tomogram,tilt series\nsecond,TS_02\n")
    sources = [project / f"{name}.csv" for name in SHAPES_ZYX]

    (star,) = run(project, sources, "csv", "relion4", **given)
    first, second = run(project, [star], "relion4", "csv", **given)

    assert_rows(rows_of(star, PIXELS), UNBINNED)
    assert read_csv(first, tomogram_id="").positions_zyx[1].tolist() == [7, 150, 12.5]
    assert read_csv(second, tomogram_id="").positions_zyx.tolist() == [[30, 20, 40]]


def test_a_stated_size_does_instead_of_the_tomogram(project):
    text = (project / "rec_TS_01.csv").read_text()
    (project / "rec_TS_01_half1.csv").write_text(text)

    (star,) = run(
        project,
        [project / "rec_TS_01_half1.csv"],
        "csv",
        "relion5",
        tomogram=(),
        dimensions=(183, 201, 62),
        voxel_size=5.0,
        tomograms=str(project / "tomograms5.star"),
    )

    assert_rows(rows_of(star, ANG), CENTRED[:2])


@pytest.mark.parametrize(
    ("change", "given", "error", "message"),
    [
        (("2.0 365", "4.0 365"), {}, InputDataError, r"is 2 times .* is 4 in"),
        (("2.0 365", "2.03 365"), {}, InputDataError, r"is 2 times .* is 2\.03 in"),
        (("2.0 365", "2.0 380"), {}, InputDataError, r"380 x 401 x 125 .* 190\.0 x"),
        (("TS_01 300", "TS_07 300"), {}, None, "TS_07"),
        (("rec_TS_01", "rec_TS_07"), {}, None, "TS_01"),
        (("_01", "_07"), {}, InputDataError, "does not hold the tilt series of rec_T"),
        (("2.5 a", "0 a"), {}, InputDataError, "hold 0, expected sizes above 0"),
        (("TS_02 300", "TS_01 300"), {}, InputDataError, "TS_01 stands there twice"),
        (("_rlnTomoSizeZ", "_z"), {}, InputDataError, "no table with"),
        (("", ""), {"binning": 4.0}, ConfigError, r"--binning: got 4, .* has 2 in"),
        (("", ""), {"binning": 2.01}, None, "TS_01"),
        (
            ("", ""),
            {"tilt_series_name": ("rec_TS_{}",)},
            InputDataError,
            r"does not hold 01\. It holds: TS_01, TS_02",
        ),
        (("", ""), {"tilt_series_name": ("{}_half",)}, ConfigError, "does not fit"),
        (("", ""), {"tilt_series_name": ("rec_{}",)}, None, "TS_01"),
    ],
)
def test_what_does_not_fit_is_refused(project, change, given, error, message):
    (project / "tomograms.star").write_text(RELION5.replace(*change))
    sources = [project / "rec_TS_01.csv"]
    given = {"tomograms": str(project / "tomograms.star"), **given}
    given["names"] = ("rec_TS_01",)

    if error is None:
        (star,) = run(project, sources, "csv", "relion5", **given)
        assert_rows(rows_of(star, ANG), [(message, *r[1:]) for r in CENTRED[:2]])
        return
    with pytest.raises(error, match=message):
        run(project, sources, "csv", "relion5", **given)


def test_a_file_of_another_pixel_size_is_refused(project):
    """RELION divides by it what it reads: so it does not place these as we would."""
    (star,) = run(
        project,
        [project / "rec_TS_01.csv"],
        "csv",
        "relion5",
        names=("rec_TS_01",),
        tomograms=str(project / "tomograms5.star"),
    )
    optics = (
        "data_optics\n\nloop_\n_rlnOpticsGroup #1\n_rlnTomoTiltSeriesPixelSize #2\n"
    )
    star.write_text(f"{optics}1 5.0\n\n{star.read_text()}")
    given = {"names": ("rec_TS_01",), "tomograms": str(project / "tomograms5.star")}

    with pytest.raises(InputDataError, match=r"PixelSize is 5 Å, .* asks for 2\.5 Å"):
        run(project, [star], "relion5", "csv", **given)


def test_relion4_needs_a_binning_or_relion_s_word():
    given = {"input": ("a.csv",), "input_format": "csv", "out": "out"}
    given |= {"tomogram": ("a.mrc",), "output_format": "relion4"}

    with pytest.raises(ConfigError, match=r"not binned\) or --tomograms"):
        ConvertConfig(**given)
    ConvertConfig(**given, tomograms="tomograms.star")


def test_binnings_that_relion_does_not_know_are_none(tmp_path):
    path = tmp_path / "tomograms.star"
    path.write_text(RELION5.replace("2.0 365", "0 365").replace("4.0 365", "nan 365"))

    found = read_tomograms_star(path)

    assert [t.binning for t in found.values()] == [None, None]
    assert found["TS_02"].files == ("second.mrc",)
    assert found["TS_01"].size_xyz == (365, 401, 125)
