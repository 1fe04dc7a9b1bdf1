"""The real RELION on boxes along filaments: our orientations, tubes and priors."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest

from etpicker_plugin.engine.averaging.average import average
from etpicker_plugin.engine.config.average import AverageConfig
from etpicker_plugin.engine.config.extract import ExtractConfig
from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.filaments.curve import curve_through, equidistant, frames
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.relion.find import find_relion
from etpicker_plugin.engine.relion.plans import reconstruct
from etpicker_plugin.engine.relion.poses import ANGLES
from etpicker_plugin.engine.relion.read import read_particles
from etpicker_plugin.engine.relion.run import run_relion
from etpicker_plugin.engine.subtomograms.extract import extract
from etpicker_plugin.engine.subtomograms.star import write_tables
from etpicker_plugin.engine.vesicles.ellipsoid import sphere
from etpicker_plugin.engine.vesicles.marks import sphere_directions
from etpicker_plugin.engine.vesicles.surface import surface_of_vesicles
from etpicker_plugin.engine.volumes.tomogram import write_volume
from etpicker_plugin.tests.support.tubes import painted_tubes

try:
    RELION = find_relion()
except ExternalProgramError as error:
    pytest.skip(str(error), allow_module_level=True)

SHAPE, VOXEL_SIZE, BOX = (50, 90, 100), 10.0, 20
ENDS = [[(25, 15, 12), (29, 20, 88)], [(20, 75, 15), (34, 30, 84)]]

RISE, TWIST = 40.0, 90.0
QUICK = {"angular_step": "30", "offset_range": 20.0, "threads": 1, "iterations": 2}


@pytest.fixture(scope="module")
def boxes(tmp_path_factory):
    """Boxes along two oblique, asymmetric tubes, oriented as ours are."""
    folder = tmp_path_factory.mktemp("tubes")
    curves = [curve_through(np.array(ends, float)) for ends in ENDS]
    places, turned, names, beads = [], [], [], []
    for number, curve in enumerate(curves, 1):
        at = equidistant(curve.length, 6.0)
        places.append(curve.points(at))
        turned.append(frames(places[-1], curve.tangents(at)))
        names += [f"mt_{number}"] * len(at)
        # A thin tube beside it, along the reference's x axis: to be seen on one side.
        dense = curve.points(np.linspace(0, curve.length, 400))
        beads.append(dense + 5.0 * turned[-1][0, ::-1, 0])
    tubes = [c.points(np.linspace(0, c.length, 400)) for c in curves]
    volume = painted_tubes(SHAPE, tubes, radius=3.0, height=1.0)
    volume = -np.maximum(volume, painted_tubes(SHAPE, beads, radius=1.5, height=1.0))
    noise = np.random.default_rng(0).normal(0, 0.3, SHAPE)
    write_volume(folder / "TS_01.mrc", (volume + noise).astype(np.float32), VOXEL_SIZE)
    points = make_particles(
        "TS_01",
        np.concatenate(places),
        class_names="mt",
        optional={"filament": names, "rotation": np.concatenate(turned)},
    )
    write_csv(points, folder / "TS_01.csv")
    settings = ExtractConfig(
        coordinates=(str(folder / "TS_01.csv"),),
        tomogram=(str(folder / "TS_01.mrc"),),
        diameter={"mt": 80.0},
        tilt_range=(-60.0, 60.0),
        box_size=BOX,
        out=str(folder / "boxes"),
    )
    (folder / "boxes").mkdir()
    extract(settings, folder / "boxes", on_progress=ignore_progress)
    return folder / "boxes"


@pytest.fixture(scope="module")
def straight(boxes):
    """Average the boxes as they lie."""
    path = boxes.parent / "straight.mrc"
    plan = reconstruct("particles.star", str(path), voxel_size=VOXEL_SIZE)
    run_relion(plan, RELION, folder=boxes, log=boxes.parent / "log")
    return path


def test_the_average_lies_along_z_with_its_x_axis_beside(straight):
    found = mrcfile.read(straight)
    profile = found[4:-4].mean(axis=0)  # (y, x), along the tube
    middle = BOX // 2
    on_tube = profile[middle - 1 : middle + 2, middle - 1 : middle + 2].mean()
    beside = {
        "x": profile[middle, middle + 5],
        "-x": profile[middle, middle - 5],
        "y": profile[middle + 5, middle],
        "-y": profile[middle - 5, middle],
    }
    assert min(on_tube, beside["x"]) > 3 * max(beside[n] for n in ("-x", "y", "-y"))


def average_of(boxes, out, **values):
    out.mkdir()
    settings = AverageConfig(particles=str(boxes), out=str(out), **{**QUICK, **values})
    return average(settings, out, on_progress=ignore_progress)


def test_a_classification_keeps_to_tubes_and_to_the_curves_angles(boxes, tmp_path):
    record = average_of(boxes, tmp_path / "out", task="classify", tube_diameter=120.0)

    assert "--helix --helical_outer_diameter 120" in record["commands"][-1]
    before, _ = read_particles(boxes / "particles.star")
    after, _ = read_particles(tmp_path / "out" / record["aligned"])
    assert len(after) == len(before) > 15
    number = {Path(n).name: i for i, n in enumerate(before["rlnImageName"])}
    before = before.iloc[[number[Path(n).name] for n in after["rlnImageName"]]]
    for kept in ("rlnHelicalTubeID", "rlnHelicalTrackLengthAngst"):
        np.testing.assert_allclose(after[kept], before[kept], atol=1e-3)
    moved = after[ANGLES[1]].to_numpy() - before["rlnAngleTiltPrior"].to_numpy()
    assert np.abs(moved).max() < 40


def test_a_known_helix_is_imposed_in_its_hand(boxes, straight, tmp_path):
    particles, optics = read_particles(boxes / "particles.star")
    few = boxes / "few.star"
    write_tables({"optics": optics, "particles": particles.iloc[::3]}, few)
    record = average_of(
        few,
        tmp_path / "out",
        task="classify",
        reference=str(straight),
        reference_greyscale=True,
        diameter=180.0,
        tube_diameter=140.0,
        helical_rise=RISE,
        helical_twist=TWIST,
        offset_range=10.0,
    )

    # From box to box there are 180 Å; in the box there is room for three subunits.
    assert "--helical_nr_asu 3 " in record["commands"][-1]
    found = mrcfile.read(tmp_path / "out" / record["classes"][0]["file"])
    # The thin tube beside turns from x to y, one rise further up: right-handed.
    middle = BOX // 2
    ring = slice(middle - 6, middle + 7)
    here, above = (found[middle + z, ring, ring] for z in (-2, 2))
    assert like(np.rot90(here, -1), above) > 0.999
    assert like(np.rot90(here, 1), above) < 0.97


def like(one, other):
    """Return the correlation coefficient of two slices."""
    return np.corrcoef(one.ravel(), other.ravel())[0, 1]


def test_a_refinement_parts_its_halves_by_filament(boxes, tmp_path):
    record = average_of(boxes, tmp_path / "out", task="refine", tube_diameter=120.0)

    table, _ = read_particles(tmp_path / "out" / record["aligned"])
    halves = table.groupby("rlnHelicalTubeID")["rlnRandomSubset"].nunique()
    assert halves.tolist() == [1, 1]
    assert table["rlnRandomSubset"].nunique() == 2


def test_boxes_on_a_membrane_are_averaged_about_its_normal(tmp_path):
    """A shell with knobs outside: the average is a sheet, and a knob above it."""
    centre, radius = np.array([30.0, 40.0, 45.0]), 18.0
    vesicle = make_particles("TS_01", [centre], class_names="ves")
    points = surface_of_vesicles(
        vesicle, [sphere(centre, radius)], spacing_vox=9.0, shape_zyx=(60, 80, 90)
    )
    outward = (points.positions_zyx - centre) / radius
    knobs = [k[None] for k in points.positions_zyx + 6.0 * outward]
    shell = centre + radius * sphere_directions(4000)
    volume = painted_tubes((60, 80, 90), [shell], radius=1.5, height=1.0)
    volume = -np.maximum(
        volume, painted_tubes((60, 80, 90), knobs, radius=2.5, height=1.0)
    )
    noise = np.random.default_rng(1).normal(0, 0.3, volume.shape)
    write_volume(tmp_path / "TS_01.mrc", (volume + noise).astype("f4"), VOXEL_SIZE)
    write_csv(points, tmp_path / "TS_01.csv")
    settings = ExtractConfig(
        coordinates=(str(tmp_path / "TS_01.csv"),),
        tomogram=(str(tmp_path / "TS_01.mrc"),),
        diameter={"ves": 160.0},
        tilt_range=(-60.0, 60.0),
        box_size=BOX,
        out=str(tmp_path / "boxes"),
    )
    (tmp_path / "boxes").mkdir()
    extract(settings, tmp_path / "boxes", on_progress=ignore_progress)
    record = average_of(tmp_path / "boxes", tmp_path / "out", task="classify")

    assert "--sigma_tilt 10 --sigma_psi 10" in record["commands"][-1]
    assert "--helix" not in record["commands"][-1]
    found = mrcfile.read(tmp_path / "out" / record["classes"][0]["file"])
    middle = BOX // 2
    along = found[:, middle - 1 : middle + 2, middle - 1 : middle + 2].mean(axis=(1, 2))
    assert min(along[middle], along[middle + 6]) > 2 * along[middle - 6]
