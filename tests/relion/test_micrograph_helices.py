"""The real RELION on filaments of a micrograph: segments, tubes, EMAN's boxes, and psi.

Each is cut out by RELION and turned by what it, or our table, says of psi; then the
tube has to lie along x through the box's middle.
"""

import subprocess

import mrcfile
import numpy as np
import pytest
import starfile
from scipy.spatial import cKDTree

from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.filaments.curve import curve_through, equidistant
from etpicker_plugin.engine.formats.catalogue import format_named
from etpicker_plugin.engine.formats.format import FormatOptions
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.relion.find import find_relion
from etpicker_plugin.tests.support.micrographs import write_micrograph

try:
    RELION = find_relion()
except ExternalProgramError as error:
    pytest.skip(str(error), allow_module_level=True)

SHAPE_YX, PIXEL_SIZE, BOX, STEP = (301, 389), 4.0, 40, 12.0
CURVE = curve_through(np.array([(0, 60.0, 70.0), (0, 120.0, 180.0), (0, 235, 260)]))
WIDTH = 8
"""Of the tube, pixels."""
OPTICS = """data_optics
loop_
_rlnOpticsGroup
_rlnOpticsGroupName
_rlnMicrographPixelSize
_rlnVoltage
_rlnSphericalAberration
_rlnAmplitudeContrast
1 one 4.0 300 2.7 0.1

data_micrographs
loop_
_rlnMicrographName
_rlnOpticsGroup
mic_1.mrc 1
"""
CUT = ("--helical_tubes", "--helical_cut_into_segments", "--helical_rise", "48")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dark, bent tube in noise, and its points in the three formats."""
    made = tmp_path_factory.mktemp("helices")
    y, x = np.indices(SHAPE_YX)
    pixels = np.stack([0 * y, y, x], axis=-1).reshape(-1, 3)
    dense = CURVE.points(np.linspace(0, CURVE.length, 3000))
    away = cKDTree(dense).query(pixels)[0].reshape(SHAPE_YX)
    noise = np.random.default_rng(0).normal(0, 0.3, SHAPE_YX)
    image = noise - 5 * np.clip(WIDTH / 2 - away, 0, 1)
    write_micrograph(made / "mic_1.mrc", image, pixel_size=PIXEL_SIZE)
    points = CURVE.points(equidistant(CURVE.length, STEP))
    particles = make_particles("mic_1", points, optional={"filament": "mt_1"})
    frame = TomogramFrame("mic_1", (1, *SHAPE_YX), PIXEL_SIZE)
    for name in ("relion-coordinates", "relion-tubes", "eman-helices"):
        known = format_named(name)
        path = made / known.path_of("mic_1")
        options = FormatOptions(box_size=WIDTH)
        known.write([(particles, frame)], path, options, {"particle": 1})
    (made / "micrographs.star").write_text(OPTICS)
    return made


def run(folder, name, *words):
    """Run one of RELION's programs."""
    done = subprocess.run(
        [str(RELION.program(name)), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("suffix", "more", "near", "degrees"),
    [
        ("_autopick.star", (), 0.05, 0.5),
        ("_manualpick.star", CUT, 5.5, 10),
        (".box", CUT, 6.5, 10),
    ],
    ids=["segments", "tubes", "eman"],
)
def test_relion_cuts_segments_that_lie_along_x(folder, suffix, more, near, degrees):
    out = suffix.split(".")[0].strip("_") or "box"
    run(
        *(folder, "relion_preprocess", "--i", "micrographs.star", "--extract"),
        *("--coord_dir", "./", "--coord_suffix", suffix, "--extract_size", str(BOX)),
        *("--part_dir", f"{out}/", "--part_star", f"{out}.star", "--helix"),
        *("--helical_outer_diameter", "80", "--helical_bimodal_angular_priors", *more),
    )
    tables = starfile.read(folder / f"{out}.star")
    segments = tables["particles"]

    xy = segments[["rlnCoordinateX", "rlnCoordinateY"]].to_numpy()
    at = np.linspace(0, CURVE.length, 3000)
    off, nearest = cKDTree(CURVE.points(at)[:, :0:-1]).query(xy)
    tangents = CURVE.tangents(at[nearest])
    psi = -np.degrees(np.arctan2(tangents[:, 1], tangents[:, 2]))
    assert len(segments) > 15
    assert off.max() < near
    assert np.abs(segments["rlnAnglePsiPrior"] - psi).max() < degrees
    assert (segments["rlnAngleTiltPrior"] == 90).all()
    assert (segments["rlnAnglePsiFlipRatio"] == 0.5).all()
    tubes = [1] if suffix == "_autopick.star" else [1, 2, 3, 4]
    assert sorted(set(segments["rlnHelicalTubeID"])) == tubes
    first = segments[segments["rlnHelicalTubeID"] == 1]
    track = first["rlnHelicalTrackLengthAngst"]
    assert track.iloc[0] == 0
    np.testing.assert_allclose(np.diff(track), STEP * PIXEL_SIZE, rtol=1e-3)

    segments["rlnAnglePsi"] = segments["rlnAnglePsiPrior"]
    segments["rlnOriginXAngst"] = segments["rlnOriginYAngst"] = 0.0
    starfile.write(tables, folder / "turned.star", overwrite=True)
    run(
        *(folder, "relion_stack_create", "--i", "turned.star", "--o", f"{out}_turned"),
        "--apply_transformation",
    )
    turned = -mrcfile.read(folder / f"{out}_turned.mrcs").mean(axis=0)
    rows = turned[:, 10:30].mean(axis=1)
    rows = np.clip(rows - np.median(rows), 0, None)
    middle = (rows * np.arange(BOX)).sum() / rows.sum()
    # A straight piece leaves the bent tube to one side.
    bent = 0.0 if suffix == "_autopick.star" else 20.0 / PIXEL_SIZE / 2
    assert abs(middle - BOX // 2) < 0.3 + bent
    dark = np.flatnonzero(rows > rows.max() / 2)
    assert np.ptp(dark) < WIDTH + bent
