"""``etpicker validate`` of filaments with real RELION: planted faults are ranked."""

import json
import shutil

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.filaments.curve import frames
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.volumes.tomogram import write_volume
from etpicker_plugin.tests.support.helices import (
    SHAPES,
    VOXEL_SIZE,
    picked_helices,
    scene,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("relion_refine_mpi") is None or shutil.which("mpirun") is None,
        reason="RELION or MPI is not installed",
    ),
]


def junk(t):
    """Return points along straight lines at random."""
    generator = np.random.default_rng(7)
    places, turned, names = [], [], []
    for number in range(3):
        way = generator.normal(size=3) * (0.1, 1, 1)
        way /= np.linalg.norm(way)
        middle = np.array(SHAPES[t]) * generator.uniform(0.4, 0.6, 3)
        line = middle + 6.0 * np.arange(-5, 6)[:, None] * way
        places.append(line)
        turned.append(frames(line, np.tile(way, (len(line), 1))))
        names += [f"mt_{number}"] * len(line)
    return make_particles(
        t,
        np.concatenate(places),
        class_names="mt",
        optional={"filament": names, "rotation": np.concatenate(turned)},
    )


@pytest.fixture(scope="module")
def verdict(tmp_path_factory):
    folder = tmp_path_factory.mktemp("filaments")
    for number, t in enumerate(SHAPES):
        write_volume(folder / f"{t}.mrc", scene(t, seed=number), VOXEL_SIZE)
        good = picked_helices(t)
        lost = Rotation.random(len(good), random_state=number).as_matrix()
        for name, points in {
            "good": good,
            "beside": picked_helices(t, beside=4.0),
            "random": good.having({"rotation": lost}),
            "junk": junk(t),
        }.items():
            (folder / name).mkdir(exist_ok=True)
            write_csv(points, folder / name / f"{t}.csv")
    names = ("good", "beside", "random", "junk")
    words = [
        *("validate", "--picks", *(f"{n}={folder / n}" for n in names)),
        *("--tomogram", *(str(folder / f"{t}.mrc") for t in SHAPES)),
        *("--diameter", "mt=80", "--kind", "mt=filament", "--tilt-range", "-60", "60"),
        *("--iterations", "2", "--resamples", "200", "--out", str(folder / "out")),
    ]
    assert main(words) == 0
    record = json.loads((folder / "out/verdict.json").read_text(encoding="utf-8"))
    return record, (folder / "out/report.html").read_text(encoding="utf-8")


def test_sets_rank_by_how_well_their_filaments_are_traced(verdict):
    record, _ = verdict
    assert record["kind"] == "filament"
    assert record["ranking"][0] == "good"
    medians = {name: one["llr_median"] for name, one in record["sets"].items()}
    assert medians["good"] > medians["beside"] > medians["junk"]
    assert medians["good"] > medians["random"] > medians["junk"]
    low, high = record["sets"]["good"]["llr_interval"]
    assert low < medians["good"] < high
    assert record["sets"]["good"]["llr_auc_over_control"] > 0.95
    assert record["sets"]["junk"]["llr_auc_over_control"] < 0.75
    assert record["sets"]["good"]["n_things"] == 6


def test_the_shift_across_the_axis_and_the_directions_are_named(verdict):
    record, page = verdict
    alarm, turned = record["alarms"]
    assert turned.startswith("Set random: its orientations lie ")
    assert record["sets"]["random"]["direction_error_deg"] > 40
    assert record["sets"]["good"]["direction_error_deg"] < 1
    assert alarm.startswith("Set beside: its points lie +")
    assert "Å along x of the average" in alarm
    assert record["sets"]["beside"]["off_axis_ang"]["x"] == pytest.approx(40, abs=6)
    assert record["sets"]["good"]["off_axis_alarm"] is False
    assert alarm in page
    assert "those on the same filaments moved aside" in page
    assert "--sigma_tilt 10 --sigma_psi 10" in " ".join(record["commands"])
