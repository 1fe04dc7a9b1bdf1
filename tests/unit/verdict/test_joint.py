"""What RELION is given, and going on from what it has done."""

import mrcfile
import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.relion.read import read_particles
from etpicker_plugin.engine.verdict.alignment.joint import JointRun, plan, write_inputs
from etpicker_plugin.engine.verdict.alignment.reference import (
    read_reference,
    reference_from_picks,
)
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.geometry import choose_geometry
from etpicker_plugin.engine.volumes.tomogram import write_volume

GEOMETRY = choose_geometry(370.0, 10.0, None)


def make_run(folder, iterations=3):
    return JointRun(
        folder=folder, iterations=iterations, geometry=GEOMETRY, threads=2, seed=4
    )


def finish(run, iteration):
    (run.folder / "refinement").mkdir(exist_ok=True)
    tables = [run.optimiser(iteration), run.data_star(iteration)]
    if iteration:  # Before the first there is none.
        tables.append(
            run.data_star(iteration).with_name(f"run_it{iteration:03d}_sampling.star")
        )
    for half in (1, 2):
        tables.append(run.model_star(iteration, half))
        write_volume(run.map_of(iteration, half), np.ones((4, 5, 6), np.float32), 1.0)
    for table in tables:
        table.write_text("data_ \n \n")  # to the empty line of its end


def test_the_first_the_rest_and_nothing(tmp_path):
    run = make_run(tmp_path)
    words = " ".join(plan(run).arguments)
    for expected in (
        "--ref reference.mrc",
        "--split_random_halves",
        "--auto_iter_max 3",
        "--particle_diameter 370",
        "--ini_high 74",
        "--offset_range 2.3125 --offset_step 1.5",
        "--firstiter_cc",
        "--perturb 0",
        "--j 2 --random_seed 5",
    ):
        assert expected in words
    assert plan(run).ranks == 3

    finish(run, 0)
    assert "--continue" not in plan(run).arguments
    finish(run, 1)
    finish(run, 2)
    whole = run.map_of(2, 2).read_bytes()
    for left in (None, 0, 1100):  # stopped while it wrote, or where the disk was full
        if left is None:
            run.map_of(2, 2).unlink()
        else:
            run.map_of(2, 2).write_bytes(whole[:left])
        assert run.finished_iterations() == 1
    rest = plan(run)
    assert "refinement/run_it001_optimiser.star" in rest.arguments
    assert "--auto_iter_max 3" in " ".join(rest.arguments)
    finish(run, 3)
    assert plan(run) is None


def test_the_table_keeps_our_halves_and_coordinates(tmp_path):
    candidates = Candidates(
        tomogram_ids=np.array(["TS_2", "TS_1"]),
        positions_zyx=np.array([[3.0, 5.0, 7.0], [10.5, 20.0, 30.0]]),
        particles=np.array([0, 1]),
        half=np.array([2, 1]),
        rows={"a": np.array([0, 1])},
        at_border={"a": 0},
    )
    cube = np.ones((GEOMETRY.box,) * 3, np.float32)
    write_inputs(make_run(tmp_path), candidates, wedge=cube, reference=cube)

    table, optics = read_particles(tmp_path / "particles.star")
    assert list(table["rlnRandomSubset"]) == [2, 1]
    assert list(table["rlnCoordinateX"]) == [7.0, 30.0]
    assert list(table["rlnCoordinateZ"]) == [3.0, 10.5]
    assert list(table["rlnImageName"]) == [
        "boxes/box_000001.mrc",
        "boxes/box_000002.mrc",
    ]
    assert float(optics["rlnImagePixelSize"].iloc[0]) == 20.0
    with mrcfile.open(tmp_path / "wedge.mrc") as mrc:
        assert float(mrc.voxel_size.x) == pytest.approx(20.0)


def ball(size, radius, centre=None):
    steps = np.arange(size) - (size // 2 if centre is None else centre)
    z, y, x = np.meshgrid(steps, steps, steps, indexing="ij")
    return (np.sqrt(z**2 + y**2 + (1.3 * x) ** 2) < radius).astype(np.float32)


def test_a_reference_of_another_box_and_voxel_size_keeps_its_place(tmp_path):
    write_volume(tmp_path / "map.mrc", ball(100, 30), 5.0)  # 150 Å half axes
    found = read_reference(tmp_path / "map.mrc", geometry=GEOMETRY)
    assert found.shape == (GEOMETRY.box,) * 3
    middle = GEOMETRY.box // 2
    bright = found[middle, middle] > found.max() / 2
    assert 10 <= np.count_nonzero(bright) <= 13  # 300 / 1.3 Å of 20 Å
    assert found[0, 0, 0] == 0.0


@pytest.mark.parametrize(
    ("volume", "voxel_size", "message"),
    [
        (-ball(60, 15), 10.0, "Protein must be bright"),
        (ball(20, 8), 10.0, "200 Å wide"),
        (ball(60, 15) * np.nan, 10.0, "NaN or infinity"),
        (ball(60, 15), 0.0, r"Reference: .* 0\.0 Å in the header.*force_header"),
    ],
)
def test_references_that_cannot_be_used(tmp_path, volume, voxel_size, message):
    write_volume(tmp_path / "map.mrc", volume, voxel_size)
    with pytest.raises(InputDataError, match=message):
        read_reference(tmp_path / "map.mrc", geometry=GEOMETRY)


def test_a_reference_from_picks_is_a_bright_round_body():
    generator = np.random.default_rng(0)
    body = ball(GEOMETRY.box, 7)
    boxes = [body + 0.3 * generator.normal(size=body.shape) for _ in range(30)]
    found = reference_from_picks(boxes, geometry=GEOMETRY, seed=1)
    middle = GEOMETRY.box // 2
    assert found[middle, middle, middle] > 1.0
    assert abs(found[0]).max() == 0.0
