"""The real RELION on boxes along filaments: our orientations, tubes and priors."""

import mrcfile
import numpy as np
import pytest

from etpicker_plugin.engine.config.extract import ExtractConfig
from etpicker_plugin.engine.errors import ExternalProgramError
from etpicker_plugin.engine.filaments.curve import curve_through, equidistant, frames
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.relion.find import find_relion
from etpicker_plugin.engine.relion.plans import RelionCommand, reconstruct
from etpicker_plugin.engine.relion.poses import ANGLES
from etpicker_plugin.engine.relion.read import read_particles
from etpicker_plugin.engine.relion.run import run_relion
from etpicker_plugin.engine.subtomograms.extract import extract
from etpicker_plugin.engine.volumes.tomogram import write_volume
from etpicker_plugin.tests.support.tubes import painted_tubes

try:
    RELION = find_relion()
except ExternalProgramError as error:
    pytest.skip(str(error), allow_module_level=True)

SHAPE, VOXEL_SIZE, BOX = (50, 90, 100), 10.0, 20
ENDS = [[(25, 15, 12), (29, 20, 88)], [(20, 75, 15), (34, 30, 84)]]

HELICAL = (
    "--iter 1 --K 1 --tau2_fudge 4 --particle_diameter 180 --ini_high 60 --ctf "
    "--flatten_solvent --oversampling 0 --healpix_order 1 --offset_range 2 "
    "--offset_step 1 --sym C1 --norm --scale --helix --helical_outer_diameter 120 "
    "--helical_nr_asu 1 --ignore_helical_symmetry --sigma_tilt 10 --sigma_psi 10"
)


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


def run(plan, folder, log):
    run_relion(plan, RELION, folder=folder, log=log)


def test_the_average_lies_along_z_with_its_x_axis_beside(boxes, tmp_path):
    plan = reconstruct("particles.star", str(tmp_path / "a.mrc"), voxel_size=VOXEL_SIZE)
    run(plan, boxes, tmp_path / "log")
    found = mrcfile.read(tmp_path / "a.mrc")
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


def test_a_helical_refinement_keeps_to_the_priors(boxes, tmp_path):
    reference = reconstruct(
        "particles.star", str(tmp_path / "a.mrc"), voxel_size=VOXEL_SIZE
    )
    run(reference, boxes, tmp_path / "log")
    words = ["--i", "particles.star", "--ref", str(tmp_path / "a.mrc")]
    words += ["--o", str(tmp_path / "run"), *HELICAL.split()]
    refined = str(tmp_path / "run_it001_data.star")
    plan = RelionCommand(program="relion_refine", arguments=tuple(words), makes=refined)
    run(plan, boxes, tmp_path / "log")

    before, _ = read_particles(boxes / "particles.star")
    after, _ = read_particles(tmp_path / "run_it001_data.star")
    assert len(after) == len(before) > 15
    key = "rlnImageName"
    before, after = before.sort_values(key), after.sort_values(key)
    for kept in ("rlnHelicalTubeID", "rlnHelicalTrackLengthAngst"):
        np.testing.assert_allclose(after[kept], before[kept], atol=1e-3)
    moved = np.abs(after[ANGLES[1]].to_numpy() - before["rlnAngleTiltPrior"].to_numpy())
    assert moved.max() < 40
