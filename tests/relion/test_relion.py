"""The real RELION on simulated ribosomes: our table, our poses, our runs."""

import json

import mrcfile
import numpy as np
import pytest
import starfile
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.averaging import reference as first_reference
from etpicker_plugin.engine.averaging.average import average
from etpicker_plugin.engine.averaging.job import iteration_of, latest_optimiser
from etpicker_plugin.engine.config.average import AverageConfig
from etpicker_plugin.engine.config.extract import ExtractConfig
from etpicker_plugin.engine.errors import (
    ConfigError,
    ExternalProgramError,
    ResourceError,
)
from etpicker_plugin.engine.json_checks import parse
from etpicker_plugin.engine.orientation import to_relion_angles
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.relion.find import find_relion
from etpicker_plugin.engine.relion.plans import reconstruct
from etpicker_plugin.engine.relion.poses import ANGLES, rotation_of
from etpicker_plugin.engine.relion.read import read_particles
from etpicker_plugin.engine.relion.run import check_mpi, mpi_words, run_relion
from etpicker_plugin.engine.subtomograms.extract import extract
from etpicker_plugin.engine.subtomograms.star import write_tables
from etpicker_plugin.tests.support.ribosomes import (
    BOX,
    DIAMETER,
    TILT_RANGE,
    VOXEL_SIZE,
    make_ribosomes,
    true_map,
)

try:
    RELION = find_relion()
except ExternalProgramError as error:
    pytest.skip(str(error), allow_module_level=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two tomograms, and the boxes of their particles at the true centres."""
    folder = tmp_path_factory.mktemp("ribosomes")
    make_ribosomes(folder, snr=2.0)
    settings = ExtractConfig(
        coordinates=tuple(str(folder / f"TS_0{n}.csv") for n in (1, 2)),
        tomogram=tuple(str(folder / f"TS_0{n}.mrc") for n in (1, 2)),
        diameter={"ribosome": DIAMETER},
        tilt_range=TILT_RANGE,
        box_size=BOX,
        out=str(folder / "boxes"),
    )
    (folder / "boxes").mkdir()
    extract(settings, folder / "boxes", on_progress=ignore_progress)
    write_true_poses(folder)
    return folder


def write_true_poses(folder):
    """Write boxes/true.star: the extracted table with the simulated orientations."""
    tables = starfile.read(folder / "boxes" / "particles.star", always_dict=True)
    particles = tables["particles"]
    matrices = []
    for row in particles.itertuples():
        truth = np.genfromtxt(
            folder / row.rlnMicrographName.replace(".mrc", ".csv"),
            delimiter=",",
            skip_header=1,
            usecols=range(1, 8),
        )
        place = (row.rlnCoordinateX, row.rlnCoordinateY, row.rlnCoordinateZ)
        nearest = np.linalg.norm(truth[:, :3] - place, axis=1).argmin()
        matrices.append(Rotation.from_quat(truth[nearest, 3:]).as_matrix())
    particles[list(ANGLES)] = to_relion_angles(np.array(matrices))
    write_tables(tables, folder / "boxes" / "true.star")


def likeness(volume, other):
    """Return the correlation within the particle's sphere."""
    steps = np.arange(BOX) - BOX // 2
    r2 = steps[:, None, None] ** 2 + steps[:, None] ** 2 + steps**2
    inside = r2 <= (DIAMETER / VOXEL_SIZE / 2) ** 2
    return np.corrcoef(volume[inside], other[inside])[0, 1]


def read_map(path):
    with mrcfile.open(path) as mrc:
        assert float(mrc.voxel_size.x) == pytest.approx(VOXEL_SIZE)
        return mrc.data.copy()


def config(folder, out, **changes):
    values = {
        "particles": str(folder / "boxes"),
        "reference": str(folder / "reference.mrc"),
        "angular_step": "30",
        "offset_range": 2 * VOXEL_SIZE,
        "iterations": 2,
        "initial_lowpass": 80.0,
        "threads": 1,
        "out": str(out),
    }
    return AverageConfig(**{**values, **changes})


def run(settings, out):
    out.mkdir(exist_ok=True)
    return average(settings, out, on_progress=ignore_progress)


def test_true_poses_reconstruct_the_particle(folder, tmp_path):
    """Table, wedge, contrast, centring and angles: one of them wrong, and it fails."""
    plan = reconstruct("true.star", str(tmp_path / "a.mrc"), voxel_size=VOXEL_SIZE)
    mirrored = true_map()[::-1]

    run_relion(plan, RELION, folder=folder / "boxes", log=tmp_path / "log")

    found = mrcfile.read(tmp_path / "a.mrc")
    assert likeness(found, true_map()) > 0.75
    assert likeness(found, mirrored) < likeness(found, true_map()) - 0.1


def test_a_failing_relion_is_told_in_its_own_words(folder, tmp_path):
    plan = reconstruct("nothing.star", "a.mrc", voxel_size=VOXEL_SIZE)

    with pytest.raises(ExternalProgramError) as failure:
        run_relion(plan, RELION, folder=tmp_path, log=tmp_path / "log")

    assert "relion_reconstruct" in str(failure.value)
    assert "nothing.star" in str(failure.value)
    assert str(tmp_path / "log") in str(failure.value)


def test_more_processes_than_slots_are_told_before_the_run(
    folder, tmp_path, monkeypatch
):
    monkeypatch.delenv("OMPI_MCA_rmaps_base_oversubscribe", raising=False)
    words = mpi_words("mpirun --bind-to none")
    check_mpi(mpi_words(), ranks=3)

    with pytest.raises(
        ResourceError, match=r"(?s)MPI does not start 999 processes.*not enough slots"
    ):
        check_mpi(words, ranks=999)
    with pytest.raises(ResourceError, match="there is no no_mpirun on the PATH"):
        run(config(folder, tmp_path, mpi_command="no_mpirun"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def refined(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("refined")
    settings = config(folder, out, local_resolution=True, angular_step="15")
    return settings, out, run(settings, out)


def test_refinement_ends_with_maps_fsc_and_aligned_particles(folder, refined):
    _, out, record = refined

    assert likeness(read_map(out / "average.mrc"), true_map()) > 0.75
    for name in ("half1_unfil.mrc", "half2_unfil.mrc", "mask.mrc"):
        assert read_map(out / name).shape == (BOX,) * 3
    mask = read_map(out / "mask.mrc")
    assert 0 <= mask.min() <= mask.max() == pytest.approx(1, abs=1e-4)
    assert 2 * VOXEL_SIZE <= record["resolution_ang"] < DIAMETER / 2
    fsc = json.loads((out / "fsc.json").read_text())
    assert fsc["resolution_ang"] == record["resolution_ang"]
    assert fsc["curve"]["resolution_ang"][0] is None
    assert fsc["curve"]["corrected"][:2] == pytest.approx([1, 1], abs=0.1)
    local = read_map(out / "local_resolution.mrc")
    assert local.max() >= 2 * VOXEL_SIZE


def test_aligned_particles_are_those_given_in_their_true_poses(folder, refined):
    _, out, _ = refined
    given, _ = read_particles(folder / "boxes" / "true.star")
    aligned, optics = read_particles(out / "aligned.star")

    names = [str(folder / "boxes" / name) for name in given["rlnImageName"]]
    assert aligned["rlnImageName"].tolist() == names
    assert set(aligned["rlnRandomSubset"]) == {1, 2}
    assert {"rlnLogLikeliContribution", "rlnMaxValueProbDistribution"} <= set(aligned)
    assert optics["rlnImagePixelSize"].tolist() == [VOXEL_SIZE]
    turned = rotation_of(aligned[list(ANGLES)]).transpose(0, 2, 1) @ rotation_of(
        given[list(ANGLES)]
    )
    error = np.degrees(Rotation.from_matrix(turned).magnitude())
    assert np.median(error) < 25  # The step is 15°; by chance it would be 126°.


def test_a_finished_run_is_kept_and_another_refused(folder, refined, monkeypatch):
    settings, out, record = refined
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    before = (out / "average.mrc").read_bytes()

    assert run(settings, out) == record
    with pytest.raises(ConfigError, match="never overwritten"):
        run(config(folder, out, seed=2), out)

    assert (out / "average.mrc").read_bytes() == before


class StopError(Exception):
    """Stands for a user's Ctrl-C."""


def stop_after_the_first_iteration(event):
    if event.done >= 1:
        raise StopError


@pytest.mark.parametrize(("task", "iterations"), [("classify", 12), ("refine", 3)])
def test_a_stopped_run_goes_on(folder, tmp_path, task, iterations):
    # So many that the stop comes before the last: one of classify's takes 0.2 s.
    settings = config(folder, tmp_path, task=task, iterations=iterations)

    with pytest.raises(StopError):
        average(settings, tmp_path, on_progress=stop_after_the_first_iteration)
    stopped = latest_optimiser(tmp_path, f"{task}/run")
    record = run(settings, tmp_path)

    number = iteration_of(stopped)
    assert 1 <= number < iterations
    log = (tmp_path / "logs" / f"{task}.log").read_text()
    assert log.count("--continue") == 1
    assert f"--continue {task}/{stopped.name} --o {task}/run_ct{number}" in log
    last = f"{task}/run_ct{number}_it{iterations:03d}_data.star"
    assert (tmp_path / last).is_file()
    assert record["particles"] == len(read_particles(tmp_path / last)[0])
    name = {"classify": "class001.mrc", "refine": "average.mrc"}[task]
    assert likeness(read_map(tmp_path / name), true_map()) > 0.7


def test_more_classes_than_the_boxes_fill(folder, tmp_path):
    """Of some RELION then knows no resolution and writes inf, which is no JSON."""
    settings = config(folder, tmp_path, task="classify", classes=8, iterations=6)

    run(settings, tmp_path)

    record = parse((tmp_path / "average.json").read_text())
    shares = [c["share"] for c in record["classes"]]
    assert len(shares) == 8
    assert min(shares) == 0
    assert sum(shares) == pytest.approx(1, abs=1e-3)


def test_without_a_reference_one_is_made_from_the_boxes(
    folder, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(first_reference, "ROUNDS", 2)
    settings = config(folder, tmp_path, reference=None, task="classify", classes=2)

    record = run(settings, tmp_path)

    assert "one is made from the boxes" in caplog.text
    assert record["reference_from_boxes"]
    first, rounds, classified = record["commands"]
    assert "relion_reconstruct" in first
    assert "--ref reference/blob.mrc" in rounds
    assert "--firstiter_cc" not in rounds + classified
    assert "--ref reference/run_it002_class001.mrc" in classified
    assert sum(c["share"] for c in record["classes"]) == pytest.approx(1, abs=1e-3)
    blob = mrcfile.read(tmp_path / "reference" / "blob.mrc")
    assert likeness(blob, true_map()) > 0.3  # bright in the middle
