"""``etpicker validate`` with real RELION: planted particles, a wrong origin, noise."""

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.io.tomogram import write_volume
from etpicker_plugin.engine.simulation.species import built_in_species

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("relion_refine_mpi") is None or shutil.which("mpirun") is None,
        reason="RELION or MPI is not installed",
    ),
]

VOXEL_SIZE = 20.0
SHAPES = {"TS_1": (46, 106, 132), "TS_2": (44, 110, 128), "TS_3": (48, 104, 130)}
STEP = 26
TILT = 60.0
NOISE = 0.45


def paste(volume, density, place_zyx):
    """Add a density, turned at random before, with its centre on a voxel."""
    half = density.shape[0] // 2
    part = tuple(slice(p - half, p - half + density.shape[0]) for p in place_zyx)
    volume[part] += density


def missing_wedge_of(volume):
    """Return a volume without the wedge that ±60° about y do not measure."""
    spectrum = np.fft.rfftn(volume)
    k_z = np.fft.fftfreq(volume.shape[0])[:, None, None]
    k_x = np.fft.rfftfreq(volume.shape[2])[None, None, :]
    seen = np.abs(k_z) <= np.tan(np.radians(TILT)) * np.abs(k_x) + 1e-9
    return np.fft.irfftn(spectrum * seen, s=volume.shape)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of tomograms, a reference, and three sets of picks."""
    folder = tmp_path_factory.mktemp("validate")
    generator = np.random.default_rng(5)
    density = built_in_species("ribosome", VOXEL_SIZE).density
    density = np.pad(density, 3)
    write_volume(folder / "reference.mrc", density.astype(np.float32), VOXEL_SIZE)
    for name, shape in SHAPES.items():
        volume = np.zeros(shape)
        places = [
            (shape[0] // 2 + generator.integers(-3, 4), y, x)
            for y in range(STEP // 2 + 4, shape[1] - STEP // 2, STEP)
            for x in range(STEP // 2 + 4, shape[2] - STEP // 2, STEP)
        ][:12]
        for place in places:
            turn = Rotation.random(random_state=int(generator.integers(2**31)))
            matrix = turn.as_matrix()
            centre = np.full(3, density.shape[0] // 2)
            turned = ndimage.affine_transform(
                density, matrix, offset=centre - matrix @ centre, order=1
            )
            paste(volume, turned, place)
        volume += NOISE * generator.normal(size=shape)
        seen = -missing_wedge_of(volume)
        write_volume(folder / f"{name}.mrc", seen.astype(np.float32), VOXEL_SIZE)
        found = np.array(places, float)
        sets = {
            "ours": found + generator.normal(0, 0.3, found.shape),
            "moved": found + np.array([0, 2.0, 0]),
        }
        for set_name, positions in sets.items():
            path = folder / set_name / f"{name}.csv"
            path.parent.mkdir(exist_ok=True)
            lines = [f"ribosome,{x:.3f},{y:.3f},{z:.3f}" for z, y, x in positions]
            path.write_text("\n".join(["class,x,y,z", *lines]), encoding="utf-8")
    return folder


def validate(folder, *extra):
    return main(
        [
            *("validate", "--picks"),
            *(f"ours={folder / 'ours'}", f"moved={folder / 'moved'}"),
            *("--tomogram", *(str(folder / f"{name}.mrc") for name in SHAPES)),
            *("--diameter", "ribosome=323", "--tilt-range", "-60", "60"),
            *("--reference", str(folder / "reference.mrc")),
            *("--iterations", "2", "--resamples", "200"),
            *("--out", str(folder / "out"), *extra),
        ]
    )


@pytest.fixture(scope="module")
def verdict(folder):
    assert validate(folder) == 0
    return json.loads((folder / "out/verdict.json").read_text(encoding="utf-8"))


def test_the_control_ranks_last(verdict):
    assert verdict["ranking"][-1] == "control"
    assert set(verdict["ranking"]) == {"ours", "moved", "control"}
    ours, control = verdict["sets"]["ours"], verdict["sets"]["control"]
    assert ours["n"] == 36
    assert ours["llr_auc_over_control"] > 0.95
    assert ours["llr_median"] > control["llr_median"]
    assert ours["share_above_control"] > 0.9
    assert ours["resolution_ang"] < control["resolution_ang"]


def test_the_planted_origin_is_named(verdict, folder):
    moved, ours = verdict["sets"]["moved"], verdict["sets"]["ours"]
    assert moved["origin_alarm"] is True
    assert ours["origin_alarm"] is False
    np.testing.assert_allclose(moved["origin_shift_voxels"], [0, 2, 0], atol=0.6)
    (alarm,) = verdict["alarms"]
    assert re.search(r"Set moved: .* voxels along y of the particles", alarm)
    page = (folder / "out/report.html").read_text(encoding="utf-8")
    assert alarm in page


def test_the_report_is_one_file_and_says_what_is_too_small(verdict, folder):
    page = (folder / "out/report.html").read_text(encoding="utf-8")
    sources = re.findall(r'(?:src|href)\s*=\s*"([^"]{0,22})', page)
    assert sources == ["data:image/png;base64,"] * 8
    assert "too few for a resolution" in " ".join(verdict["words"])
    assert "etpicker validate --picks ours=" in page
    assert "relion_refine_mpi" in page


def test_every_box_is_listed(verdict, folder):
    lines = (folder / "out/boxes.csv").read_text(encoding="utf-8").splitlines()
    boxes = sum(verdict["sets"][n]["n_judged"] for n in ("ours", "moved", "control"))
    assert len(lines) == 1 + boxes
    assert (folder / "out/averages/ours.mrc").is_file()


def test_a_finished_one_goes_on_without_relion_and_is_not_overwritten(folder, verdict):
    log = folder / "out/relion/relion.log"
    before = log.read_bytes()
    assert validate(folder) == 0
    assert log.read_bytes() == before
    assert validate(folder, "--seed", "7") == 2
    error = json.loads((folder / "out/error.json").read_text(encoding="utf-8"))
    assert "never overwritten" in error["message"]


def test_without_relion_it_is_said_at_once(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for variable in ("ETPICKER_RELION_HOME", "RELION_HOME"):
        monkeypatch.delenv(variable, raising=False)
    assert validate(folder, "--out", str(tmp_path / "none")) == 6
    record = json.loads((tmp_path / "none/error.json").read_text(encoding="utf-8"))
    assert "RELION was not found" in record["message"]
    assert os.listdir(Path(tmp_path / "none")) == ["error.json"]
