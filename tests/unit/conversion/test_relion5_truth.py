"""RELION 5's own files, made by hand as it writes them, and the positions in them.

RELION 5 reconstructs n = int(N / b + .5) voxels in x and y and int(N / b) in z of N
unbinned pixels at binning b, voxel i at pixel i · b, and counts Å from N / 2:

    tomogram   N x y z        b   n x y z        pixel   N / 2
    odd        365 401 125    2   183 201 62     2.5 Å   182.5 200.5 62.5
    even       362 400 122    2   181 200 61     2.5 Å   181   200   61
    whole      181 200 61     1   181 200 61     5 Å     90.5  100   30.5
"""

import emtable
import numpy as np
import pytest

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.conversion.convert import convert
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.formats.relion_formats import RELION5
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.volumes.tomogram import write_volume

SHAPES_XYZ = {"odd": (183, 201, 62), "even": (181, 200, 61), "whole": (181, 200, 61)}
FILES = {"odd": "rec_odd", "even": "rec_even_half1", "whole": "whole_denoised"}
"""Whole tomogram, a half, and a name that only tomograms.star knows."""

TOMOGRAMS = """
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
_rlnEtomoDirectiveFile #10
_rlnTomoTomogramBinning #11
_rlnTomoSizeX #12
_rlnTomoSizeY #13
_rlnTomoSizeZ #14
_rlnTomoReconstructedTomogramHalf1 #15
_rlnTomoReconstructedTomogramHalf2 #16
_rlnTomoReconstructedTomogramDenoised #17
       odd   300.000000     2.700000     0.100000     1.250000     -1.00000    optics1 \
    2.500000 Tomograms/job9/tilt_series/odd.star AlignTiltSeries/job8/odd/odd.edf \
    2.000000          365          401          125 \
Tomograms/job9/tomograms/rec_odd_half1.mrc Tomograms/job9/tomograms/rec_odd_half2.mrc \
Denoise/job10/tomograms/rec_odd.mrc
      even   300.000000     2.700000     0.100000     1.250000     -1.00000    optics1 \
    2.500000 Tomograms/job9/tilt_series/even.star AlignTiltSeries/job8/even/even.edf \
    2.000000          362          400          122 \
Tomograms/job9/tomograms/rec_even_half1.mrc \
Tomograms/job9/tomograms/rec_even_half2.mrc Denoise/job10/tomograms/rec_even.mrc
     whole   300.000000     2.700000     0.100000     5.000000     -1.00000    optics1 \
    5.000000 Tomograms/job9/tilt_series/whole.star AlignTiltSeries/job8/w/w.edf \
    1.000000          181          200           61 \
Tomograms/job9/tomograms/rec_whole_half1.mrc \
Tomograms/job9/tomograms/rec_whole_half2.mrc Denoise/job10/tomograms/whole_denoised.mrc

"""

PLACES_XYZ = {
    "odd": [[0, 0, 0], [91.25, 100.25, 31.25], [182, 200, 61]],
    "even": [[0, 0, 0], [90.5, 100, 30.5], [180, 199, 60]],
    "whole": [[0, 0, 0], [90.5, 100, 30.5], [180, 199, 60]],
}
CENTRED = {
    # (0 - 182.5) · 2.5 …; RELION's centre itself; (182 · 2 - 182.5) · 2.5,
    # (200 · 2 - 200.5) · 2.5, (61 · 2 - 62.5) · 2.5
    "odd": [[-456.25, -501.25, -156.25], [0, 0, 0], [453.75, 498.75, 148.75]],
    # (0 - 181) · 2.5 …; (180 · 2 - 181) · 2.5, (199 · 2 - 200) · 2.5,
    # (60 · 2 - 61) · 2.5
    "even": [[-452.5, -500, -152.5], [0, 0, 0], [447.5, 495, 147.5]],
    # (0 - 90.5) · 5 …; (180 - 90.5) · 5, (199 - 100) · 5, (60 - 30.5) · 5
    "whole": [[-452.5, -500, -152.5], [0, 0, 0], [447.5, 495, 147.5]],
}
UNBINNED = {
    "odd": [[0, 0, 0], [182.5, 200.5, 62.5], [364, 400, 122]],
    "even": [[0, 0, 0], [181, 200, 61], [360, 398, 120]],
    "whole": [[0, 0, 0], [90.5, 100, 30.5], [180, 199, 60]],
}

PICKED = """
# version 50001

data_particles

loop_
_rlnTomoName #1
_rlnCenteredCoordinateXAngst #2
_rlnCenteredCoordinateYAngst #3
_rlnCenteredCoordinateZAngst #4
"""

EXTRACTED = """
# version 50001

data_general

{general}


# version 50001

data_optics

loop_
_rlnOpticsGroup #1
_rlnOpticsGroupName #2
_rlnSphericalAberration #3
_rlnVoltage #4
_rlnAmplitudeContrast #5
_rlnTomoTiltSeriesPixelSize #6
_rlnCtfDataAreCtfPremultiplied #7
_rlnImageDimensionality #8
_rlnTomoSubtomogramBinning #9
_rlnImagePixelSize #10
_rlnImageSize #11
           1 optics1     2.700000   300.000000     0.100000     2.500000            1 \
           2     4.000000    10.000000           64
           2 optics2     2.700000   300.000000     0.100000     5.000000            1 \
           2     2.000000    10.000000           64


# version 50001

data_particles

loop_
_rlnTomoName #1
_rlnTomoSubtomogramRot #2
_rlnTomoSubtomogramTilt #3
_rlnTomoSubtomogramPsi #4
_rlnAngleRot #5
_rlnAngleTilt #6
_rlnAnglePsi #7
_rlnAngleTiltPrior #8
_rlnAnglePsiPrior #9
_rlnTomoParticleName #10
_rlnOpticsGroup #11
_rlnTomoVisibleFrames #12
_rlnImageName #13
_rlnOriginXAngst #14
_rlnOriginYAngst #15
_rlnOriginZAngst #16
_rlnCenteredCoordinateXAngst #17
_rlnCenteredCoordinateYAngst #18
_rlnCenteredCoordinateZAngst #19
_rlnRandomSubset #20
_rlnClassNumber #21
"""
GENERAL = {
    "a list": "_rlnTomoSubTomosAre2DStacks                             1",
    "a loop": "loop_\n_rlnTomoSubTomosAre2DStacks #1\n           1",
}


@pytest.fixture
def project(tmp_path):
    """Return a folder with three tomograms, their CSVs and RELION's tomograms.star."""
    for name, shape_xyz in SHAPES_XYZ.items():
        path = tmp_path / f"{FILES[name]}.mrc"
        write_volume(path, np.zeros(shape_xyz[::-1], np.int8), 5.0)
        rows = "".join("ring,{},{},{}\n".format(*xyz) for xyz in PLACES_XYZ[name])
        path.with_suffix(".csv").write_text("class,x,y,z\n" + rows)
    (tmp_path / "tomograms.star").write_text(TOMOGRAMS)
    return tmp_path


def run(project, sources, source, target, *, out="out", **given):
    (project / out).mkdir()
    config = ConvertConfig(
        input=tuple(map(str, sources)),
        input_format=source,
        output_format=target,
        out=str(project / out),
        **{
            "tomogram": tuple(str(project / f"{n}.mrc") for n in FILES.values()),
            "tomograms": str(project / "tomograms.star"),
            **given,
        },
    )
    return convert(config, project / out, on_progress=ignore_progress)


def read_back(project, text, **given):
    """Write a STAR file; return the positions that are read from it, xyz by series."""
    (project / "particles.star").write_text(text)
    paths = run(project, [project / "particles.star"], "relion5", "csv", **given)
    assert [p.stem for p in paths] == list(FILES.values())
    read = [read_csv(p, tomogram_id="").positions_zyx[:, ::-1] for p in paths]
    return dict(zip(FILES, read, strict=True))


def picked_text():
    rows = [(name, *xyz) for name, places in CENTRED.items() for xyz in places]
    return PICKED + "".join(" ".join(map(str, row)) + "\n" for row in rows)


def extracted_text(general, *, poses="0 0 0 0 0 0 90 0", origin="0 0 0"):
    rows = []
    for name, places in CENTRED.items():
        group = 2 if name == "whole" else 1
        for n, xyz in enumerate(places, 1):
            image = f"Extract/job11/Subtomograms/{name}/{n}_stack2d.mrcs"
            ang = " ".join(f"{value:.6f}" for value in xyz)
            rows.append(
                f"{name} {poses} {name}/{n} {group} [1,1,0,1] {image} {origin} {ang} "
                f"{n % 2 + 1} 1\n"
            )
    return EXTRACTED.format(general=GENERAL[general]) + "".join(rows)


@pytest.mark.parametrize(
    ("target", "label", "expected"),
    [
        ("relion5", "rlnCenteredCoordinate{}Angst", CENTRED),
        ("relion4", "rlnCoordinate{}", UNBINNED),
    ],
)
def test_what_is_written(project, caplog, target, label, expected):
    sources = [project / f"{name}.csv" for name in FILES.values()]

    (star,) = run(project, sources, "csv", target)

    text = star.read_text()
    assert [w for w in text.split() if w.startswith("data_")] == ["data_particles"]
    assert "rlnOpticsGroup" not in text
    assert "PixelSize" not in text
    rows = list(emtable.Table.iterRows(f"particles@{star}"))
    assert [row.rlnTomoName for row in rows] == ["odd"] * 3 + ["even"] * 3 + [
        *("whole",) * 3
    ]
    found = [[getattr(row, label.format(axis)) for axis in "XYZ"] for row in rows]
    np.testing.assert_allclose(
        found, np.concatenate(list(expected.values())), rtol=0, atol=1e-6
    )
    assert "voxel away" not in caplog.text


def test_picks_without_optics_are_read_back(project):
    for name, found in read_back(project, picked_text()).items():
        np.testing.assert_allclose(found, PLACES_XYZ[name], rtol=0, atol=1e-9)


def test_napari_s_centre_is_an_unbinned_pixel_lower(project):
    """So its numbers are larger by that: 2.5 Å, or 5 Å where nothing is binned."""
    lines = []
    for name, places in CENTRED.items():
        more = 5 if name == "whole" else 2.5
        lines += [f"{name} {x + more} {y + more} {z + more}" for x, y, z in places]
    text = PICKED + "\n".join(lines) + "\n"

    read = read_back(project, text, relion5_centre="half-minus-one")

    for name, found in read.items():
        np.testing.assert_allclose(found, PLACES_XYZ[name], rtol=0, atol=1e-9)


PYTOM = """
data_particles

loop_
_rlnCenteredCoordinateXAngst #1
_rlnCenteredCoordinateYAngst #2
_rlnCenteredCoordinateZAngst #3
_rlnLCCmax #4
_rlnTomoTiltSeriesPixelSize #5
_rlnTomoName #6
"""


def test_pytom_match_pick_counts_from_the_tomogram_that_it_searched(project):
    """It writes (p - n / 2) · 5 Å and states 5 Å, knowing of no RELION.

    (40 - 91.5) · 5, (50 - 100.5) · 5, (6 - 31) · 5; (40 - 90.5) · 5, (50 - 100) · 5,
    (6 - 30.5) · 5, of the even and the whole tomogram alike.
    """
    text = PYTOM + (
        "-257.5 -252.5 -125 .5 5.0 odd\n"
        "-252.5 -250 -122.5 .5 5.0 even\n"
        "-252.5 -250 -122.5 .5 5.0 whole\n"
    )

    for found in read_back(project, text).values():
        np.testing.assert_allclose(found, [[40, 50, 6]], rtol=0, atol=1e-9)


def test_a_pixel_size_beside_the_particles_that_is_relion_s_own_is_no_matter(project):
    head, rows = picked_text().split("_rlnCenteredCoordinateZAngst #4\n")
    sizes = {"odd": 2.5, "even": 2.5, "whole": 5}
    lines = [f"{row} {sizes[row.split()[0]]}" for row in rows.splitlines()]
    label = "_rlnCenteredCoordinateZAngst #4\n_rlnTomoTiltSeriesPixelSize #5\n"

    read = read_back(project, head + label + "\n".join(lines) + "\n")

    for name, found in read.items():
        np.testing.assert_allclose(found, PLACES_XYZ[name], rtol=0, atol=1e-9)


@pytest.mark.parametrize("general", GENERAL)
def test_extracted_particles_are_read_back(project, general):
    for name, found in read_back(project, extracted_text(general)).items():
        np.testing.assert_allclose(found, PLACES_XYZ[name], rtol=0, atol=1e-6)


def test_refined_particles_are_read_back(project):
    """They stand at coordinate minus origin: 1 and 2 Å are .2 and .4 voxels of 5 Å."""
    text = extracted_text("a list", poses="0 0 0 10 20 30 90 0", origin="1 -2 -1")

    for name, found in read_back(project, text).items():
        expected = np.add(PLACES_XYZ[name], [-0.2, 0.4, 0.2])
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_without_relion_s_file_it_is_as_far_off_as_is_said(project, caplog):
    """Half of n · b instead of N / 2: 183 for 182.5, 201 for 200.5, 62 for 62.5.

    Written and read like that, positions are off by half the difference in voxels of
    binning 2, and not at all where binning divides N.
    """
    text = "\n".join(
        line for line in picked_text().splitlines() if not line.startswith("whole")
    )
    names = {name: FILES[name] for name in ("odd", "even")}
    (project / "picked.star").write_text(text + "\n")

    paths = run(
        project,
        [project / "picked.star"],
        "relion5",
        "csv",
        tomogram=tuple(str(project / f"{n}.mrc") for n in names.values()),
        tomograms="",
        binning=2.0,
    )

    odd, even = (read_csv(p, tomogram_id="").positions_zyx[:, ::-1] for p in paths)
    np.testing.assert_allclose(odd - PLACES_XYZ["odd"], [[0.25, 0.25, -0.25]] * 3)
    np.testing.assert_allclose(even, PLACES_XYZ["even"], rtol=0, atol=1e-9)
    assert "up to half a voxel away in z, and a quarter in x and y" in caplog.text


def test_what_is_said_of_the_error_holds_for_every_size_and_binning():
    sizes = np.arange(60, 700)
    for binning in np.linspace(1, 12, 56):
        rounded = np.floor(sizes / binning + 0.5)
        cut = np.floor(sizes / binning)
        assert np.abs(rounded - sizes / binning).max() / 2 <= 0.25 + 1e-9
        assert np.abs(cut - sizes / binning).max() / 2 < 0.5
    assert "half a voxel away in z, and a quarter in x and y" in (
        RELION5.without_tomograms
    )
