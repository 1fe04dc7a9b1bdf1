"""The whole commands on stand-ins of the public data: what they write and print."""

import json
import shlex
import sys

import copick_files
import copick_project
import czii
import numpy as np
import pytest
import shrec2021

from etpicker_plugin.engine.cli import build_parser
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.volumes.tomogram import read_map
from etpicker_plugin.tests.support import public_data
from etpicker_plugin.tests.support.untrained import make_untrained_model


@pytest.fixture
def run(monkeypatch, capfd):
    def type_in(command, *words):
        monkeypatch.setattr(sys, "argv", ["script", *map(str, words)])
        command.main()
        return capfd.readouterr().out

    return type_in


def row(text, start):
    """Return the cells of the last table row that begins so."""
    rows = [line for line in text.splitlines() if line.startswith(f"| {start} |")]
    return [cell.strip() for cell in rows[-1].strip("| ").split("|")][1:]


def training(text):
    """Return what the command printed to type was understood as."""
    (line,) = [line for line in text.splitlines() if line.startswith("etpicker train")]
    return build_parser().parse_args(shlex.split(line)[1:])


def voxels(xyz_ang):
    return [round(v / public_data.CZII_VOXEL, 3) for v in xyz_ang]


@pytest.fixture
def czii_picks(tmp_path):
    """Of two ribosomes one 70 Å off, one 80 Å; the third twice, amylase false."""
    for name, truth in public_data.CZII_TRUTH.items():
        rows = [
            (kind, *voxels(at), 0.9)
            for kind, places in truth.items()
            for at in places
            if kind not in ("ribosome", "beta-amylase")
        ]
        rows.append(("beta-amylase", 1, 1, 1, 0.2))
        if name == "TS_5_4":
            rows.append(("Ribosome", *voxels((170, 200, 60)), 0.8))
            rows.append(("Ribosome", *voxels((400, 200.5, 90)), 0.7))
        else:
            rows += [("Ribosome", *voxels((300, 330, 110)), 0.5)] * 2
        public_data.write_picks(tmp_path / "picks" / f"{name}.csv", rows)
    return tmp_path / "picks"


def test_czii_judges_picks_from_the_files_alone(tmp_path, run, czii_picks):
    data = public_data.make_czii(tmp_path / "data")

    said = run(czii, data, tmp_path / "out", "--picks", czii_picks)

    assert row(said, "ribosome")[-3:] == ["2", "2", "1"]
    assert row(said, "beta-amylase")[-3:] == ["0", "2", "1"]
    f4 = 17 * 0.5 * (2 / 3) / (16 * 0.5 + 2 / 3)
    mine = row(said, "this run")
    assert mine[:6] == ["1.000", "0.000", "1.000", f"{f4:.3f}", "1.000", "1.000"]
    assert float(mine[6]) == pytest.approx((1 + 2 + f4 + 2 + 1) / 7, abs=1e-4)
    assert row(said, "1st place")[6] == "0.7876"
    submission = (tmp_path / "out" / "submission.csv").read_text().splitlines()
    assert submission[0] == "id,experiment,particle_type,x,y,z"
    assert len(submission) == 1 + 10
    assert "TS_5_4,ribosome,170.0" in "\n".join(submission)

    said = run(czii, data, tmp_path / "out", "--picks", czii_picks, "--runs", "TS_69_2")
    assert row(said, "ribosome")[-3:] == ["1", "1", "0"]


def test_czii_says_how_to_train_and_a_model_picks(tmp_path, run):
    data, out = public_data.make_czii(tmp_path / "data"), tmp_path / "out"
    public_data.make_czii_tomograms(out)

    asked = training(run(czii, data, out))

    truth = read_csv(out / "truth" / "TS_5_4.csv", tomogram_id="TS_5_4")
    ribosomes = truth.of_class("ribosome").positions_zyx * public_data.CZII_VOXEL
    assert ribosomes[1] == pytest.approx([90, 120.5, 400], abs=0.01)
    assert [p.rsplit("/")[-1] for p in asked.tomogram] == ["TS_5_4.mrc", "TS_69_2.mrc"]
    assert "ribosome=300" in asked.diameter
    assert asked.annotation == "complete"

    model = make_untrained_model(
        tmp_path / "m.safetensors", diameters=dict.fromkeys(czii.RADII_ANG, 120.0)
    )
    said = run(czii, data, out, "--model", model)

    assert (out / "picks" / "TS_69_2.csv").exists()
    assert len(row(said, "this run")) == 8


def test_czii_says_what_is_missing(tmp_path, run, czii_picks, monkeypatch):
    data = public_data.make_czii(tmp_path / "data")
    words = (data, tmp_path / "out")

    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(SystemExit, match=r"pip install 'zarr<3'.*MRC exports"):
        run(czii, *words)
    with pytest.raises(SystemExit, match=r"TS_1.*expected some of.*TS_5_4"):
        run(czii, *words, "--picks", czii_picks, "--runs", "TS_1")
    with pytest.raises(SystemExit, match="no VoxelSpacing13"):
        run(czii, *words, "--picks", czii_picks, "--spacing", "13")
    public_data.write_picks(czii_picks / "TS_5_4.csv", [("tubulin", 1, 2, 3, 0.5)])
    with pytest.raises(SystemExit, match="class tubulin: expected one of apo"):
        run(czii, *words, "--picks", czii_picks)
    twice = [("ribosome", 1, 2, 3, 0.5), ("Ribosome", 1, 2, 30, 0.5)]
    public_data.write_picks(czii_picks / "TS_5_4.csv", twice)
    with pytest.raises(SystemExit, match="each spelt in one way"):
        run(czii, *words, "--picks", czii_picks)
    (czii_picks / "TS_5_4.csv").unlink()
    with pytest.raises(SystemExit, match=r"no TS_5_4\.csv"):
        run(czii, *words, "--picks", czii_picks)


def test_an_ome_zarr_becomes_an_mrc_with_its_voxel_size(tmp_path):
    zarr = pytest.importorskip("zarr")  # where only the engine is installed
    data = public_data.make_czii(tmp_path / "data")
    (path, *_) = copick_files.find_tomograms(
        [data], kind="denoised", spacing="10.000"
    ).values()
    voxels = public_data.noise(public_data.CZII_ZYX)
    group = zarr.open_group(str(path), mode="a")
    group.create_dataset("0", data=voxels, chunks=(8, 16, 16))

    copick_files.export(path, tmp_path / "tomograms" / "TS.mrc")

    read = read_map(tmp_path / "tomograms" / "TS.mrc")
    assert read.voxel_size == pytest.approx(public_data.CZII_VOXEL)
    assert np.array_equal(read.data, voxels)


@pytest.fixture
def project(tmp_path):
    """A copick project whose truth is one user's of two."""
    data = (
        public_data.make_czii(tmp_path / "data", name="curation_0_{object}") / "train"
    )
    picks = data / "overlay" / "ExperimentRuns" / "TS_5_4" / "Picks"
    record = json.loads((picks / "curation_0_ribosome.json").read_text())
    record |= {"user_id": "someone", "points": []}
    (picks / "someone_0_ribosome.json").write_text(json.dumps(record))
    config = {
        "config_type": "filesystem",
        "pickable_objects": [
            {"name": "ribosome", "is_particle": True, "radius": 150},
            {"name": "beta-amylase", "is_particle": True, "radius": 65},
            {"name": "thyroglobulin", "is_particle": True, "radius": 130},
            {"name": "virus-like-particle", "is_particle": True, "radius": 135},
            {"name": "apo-ferritin", "is_particle": True, "radius": 60},
            {"name": "beta-galactosidase", "is_particle": True, "radius": 90},
            {"name": "proteasome", "is_particle": True, "radius": 155},
            {"name": "membrane", "is_particle": False, "radius": 50},
        ],
        "overlay_root": f"local://{data / 'overlay'}",
        "static_root": "static",
    }
    (data / "config.json").write_text(json.dumps(config))
    return data / "config.json"


def test_any_copick_project(tmp_path, run, project, czii_picks):
    words = (project, tmp_path / "out", "--user", "curation")

    said = run(copick_project, *words, "--picks", czii_picks)

    assert row(said, "ribosome") == ["0.500", "0.667", "0.571", "0.654", "2", "2", "1"]
    assert row(said, "proteasome")[-3:] == ["0", "0", "0"]
    assert "membrane" not in said
    # The proteasome, of which there is none, is not in the mean.
    assert row(said, "mean")[2] == f"{(4 + 4 / 7) / 6:.3f}"

    wider = run(copick_project, *words, "--picks", czii_picks, "--share", "0.8")
    assert row(wider, "ribosome")[-3:] == ["3", "1", "0"]
    with pytest.raises(SystemExit, match=r"a second set of ribosome.*--user"):
        run(copick_project, *words[:2], "--picks", czii_picks)


def test_shrec_judges_picks_and_says_how_to_train(tmp_path, run):
    data, out = public_data.make_shrec(tmp_path / "data"), tmp_path / "out"
    picks = tmp_path / "picks.csv"
    # Of two on the ribosome the surer counts; 1BXN is called 1U6G; one hits nothing.
    rows = [("1bxn", 10, 12, 10, 0.3), ("5mrc", 10, 14, 9, 0.8)]
    rows += [("1u6g", 26, 30, 14, 0.7), ("1bxn", 33, 3, 3, 0.6)]
    public_data.write_picks(picks, rows)

    said = run(shrec2021, data, out, "--picks", picks)

    assert row(said, "this run")[-3:] == ["1.000", "0.000", "0.333"]
    assert ["4", "3", "2", "1", "1", "1", "1.00"] == next(
        row(line, "this run") for line in said.splitlines() if "| 1.00 |" in line
    )
    assert "| this run | 0.667 | 0.500 | 0.571 |" in said
    assert "arXiv 2203.10035" in said

    asked = training(run(shrec2021, data, out, "--z-offset", "5"))
    assert asked.diameter == ["1BXN=40", "5MRC=60", "fiducial=60"]
    assert (float(asked.voxel_size), asked.trust_voxel_size) == (10.0, True)
    truth = read_csv(out / "truth" / "model_0.csv", tomogram_id="model_0")
    assert truth.positions_zyx.tolist()[0] == [9 + 5, 12, 10]
    assert "4V94" not in truth.class_names

    shifted = [(name, x, y, z + 5, s) for name, x, y, z, s in rows]
    public_data.write_picks(picks, shifted)
    assert run(shrec2021, data, out, "--picks", picks, "--z-offset", "5") == said


def test_shrec_a_model_picks(tmp_path, run):
    data, out = public_data.make_shrec(tmp_path / "data"), tmp_path / "out"
    model = make_untrained_model(
        tmp_path / "m.safetensors", diameters={"5MRC": 300.0, "1BXN": 150.0}
    )

    said = run(shrec2021, data, out, "--model", model)

    assert (out / "picks" / "model_9.csv").exists()
    assert row(said, "localisation")
    deeper = public_data.noise((30, *public_data.SHREC_ZYX[1:]))
    public_data.write_mrc(data / "model_9" / "reconstruction.mrc", deeper, 0.0)
    with pytest.raises(SystemExit, match=r"30 slices, its mask 24.*--z-offset"):
        run(shrec2021, data, out, "--model", model)
    with pytest.raises(SystemExit, match=r"no particle_locations\.txt"):
        run(shrec2021, data, out, "--model", model, "--test", "model_7")
