"""The command: files, truth, replay, and nothing overwritten."""

import json

import mrcfile
import numpy as np
import pytest
from scipy import ndimage

from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.simulation.simulate import simulate


def config(out, **changes):
    values = {
        "out": str(out),
        "tomograms": 1,
        "shape": (61, 47, 33),
        "voxel_size": 20.0,
        "species": ("proteasome", "globule"),
        "particles": 4,
        "tilt_step": 10.0,
        "membranes": 0,
        "filaments": 0,
        "gold": 0,
        "snr": 5.0,
    }
    return SimulateConfig(**{**values, **changes})


def run(settings, folder):
    folder.mkdir(exist_ok=True)
    return simulate(settings, folder, on_progress=ignore_progress)


def test_files_and_truth(tmp_path):
    (path,) = run(config(tmp_path), tmp_path)

    truth = read_csv(tmp_path / "sim_01.csv", tomogram_id="sim_01")
    record = json.loads((tmp_path / "sim_01.json").read_text())
    with mrcfile.open(path) as mrc:
        data = mrc.data.astype(float)
        assert data.shape == (33, 47, 61)
        assert mrc.data.dtype == np.int16
        assert float(mrc.voxel_size.x) == pytest.approx(20.0)
    assert abs(data.std() - 1000) < 20
    assert len(truth) == sum(s["placed"] for s in record["species"].values()) == 8
    index = tuple(np.round(truth.positions_zyx).astype(int).T)
    smooth = ndimage.uniform_filter(data, 3)
    assert smooth[index].mean() < -1000  # particles are dark
    assert set(truth.class_names.tolist()) == {"proteasome", "globule"}


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path):
    one, two, three = (tmp_path / n for n in "abc")
    for folder, seed in ((one, 1), (two, 1), (three, 2)):
        run(config(folder, seed=seed), folder)

    for name in ("sim_01.csv",):
        assert (one / name).read_bytes() == (two / name).read_bytes()
        assert (one / name).read_bytes() != (three / name).read_bytes()
    volumes = [mrcfile.read(f / "sim_01.mrc") for f in (one, two, three)]
    assert np.array_equal(volumes[0], volumes[1])
    assert not np.array_equal(volumes[0], volumes[2])


def test_a_finished_tomogram_is_kept_and_another_is_not_overwritten(tmp_path):
    run(config(tmp_path), tmp_path)
    before = (tmp_path / "sim_01.mrc").stat().st_mtime_ns

    run(config(tmp_path, tomograms=2), tmp_path)
    assert (tmp_path / "sim_01.mrc").stat().st_mtime_ns == before
    assert (tmp_path / "sim_02.mrc").exists()
    with pytest.raises(ConfigError, match="never overwritten"):
        run(config(tmp_path, snr=1.0), tmp_path)
    assert (tmp_path / "sim_01.mrc").stat().st_mtime_ns == before


@pytest.mark.parametrize("kind", ["csv", "mrc"])
def test_a_truth_or_volume_that_was_cut_short_is_made_again(tmp_path, kind):
    run(config(tmp_path), tmp_path)
    path = tmp_path / f"sim_01.{kind}"
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])

    run(config(tmp_path), tmp_path)

    data = slice(1024, None) if kind == "mrc" else slice(None)  # Its header has a date.
    assert path.read_bytes()[data] == whole[data]
    assert (tmp_path / f"sim_01.{kind}.old-1").read_bytes() == whole[:-30]


def test_another_map_of_the_same_name_is_another_tomogram(tmp_path):
    density = np.zeros((20, 22, 24), np.float32)
    density[5:15, 6:16, 7:17] = 3.0
    settings = config(tmp_path, density=(str(tmp_path / "cube.mrc"),))
    for height in (16, 14):
        with mrcfile.new(tmp_path / "cube.mrc", overwrite=True) as mrc:
            density[height:] = 0
            mrc.set_data(density)
            mrc.voxel_size = 10.0
        if height == 16:
            run(settings, tmp_path)

    with pytest.raises(ConfigError, match="density cube has changed"):
        run(settings, tmp_path)


def test_a_users_map_is_rescaled_and_named_after_its_file(tmp_path):
    density = np.zeros((20, 22, 24), np.float32)
    density[5:15, 6:16, 7:17] = 3.0
    with mrcfile.new(tmp_path / "cube.mrc") as mrc:
        mrc.set_data(density)
        mrc.voxel_size = 10.0

    run(config(tmp_path, density=(str(tmp_path / "cube.mrc"),)), tmp_path)

    record = json.loads((tmp_path / "sim_01.json").read_text())
    # A cube of 100 Å has a diagonal of 173 Å.
    assert 130 < record["species"]["cube"]["diameter_ang"] < 200


def test_a_map_without_density_is_refused(tmp_path):
    with mrcfile.new(tmp_path / "empty.mrc") as mrc:
        mrc.set_data(np.full((9, 10, 11), -1, np.float32))
        mrc.voxel_size = 10.0

    with pytest.raises(InputDataError, match="no positive density"):
        run(config(tmp_path, density=(str(tmp_path / "empty.mrc"),)), tmp_path)


def test_a_volume_too_small_for_any_particle_is_refused(tmp_path):
    with pytest.raises(InputDataError, match="no room for ribosome"):
        run(
            config(
                tmp_path, shape=(17, 16, 18), voxel_size=10.0, species=("ribosome",)
            ),
            tmp_path,
        )


# ------------------------- filaments and vesicles ------------------------------
CURVED = {
    "shape": (103, 97, 61),
    "voxel_size": 15.0,
    "filament_species": {"actin": 3, "mt": 1},
    "vesicle_species": {"liposome": 2},
}


def test_filaments_and_vesicles_are_in_the_truth(tmp_path):
    (path,) = run(config(tmp_path, **CURVED), tmp_path)

    truth = read_csv(tmp_path / "sim_01.csv", tomogram_id="sim_01")
    record = json.loads((tmp_path / "sim_01.json").read_text())
    actin, vesicles = truth.of_class("actin"), truth.of_class("liposome")
    names = actin.optional["filament"]
    assert sorted(set(names.tolist())) == ["actin_1", "actin_2", "actin_3"]
    for name in set(names.tolist()):  # Its rows stand together, in order.
        own = actin.positions_zyx[names == name]
        steps = np.linalg.norm(np.diff(own, axis=0), axis=1)
        np.testing.assert_allclose(steps * 15.0, 50.0, rtol=0.01)
    for made, (z, y, x), radius in zip(
        record["vesicles"],
        vesicles.positions_zyx,
        vesicles.optional["radius"],
        strict=True,
    ):
        assert made["centre_xyz"] == pytest.approx([x, y, z])
        assert np.mean(made["half_axes_ang"]) == pytest.approx(radius, abs=0.02)
    globules = truth.of_class("globule")
    assert len(globules) == 4
    assert set(globules.optional["filament"].tolist()) == {""}
    assert np.isnan(globules.optional["radius"]).all()
    assert [f["filament"] for f in record["filaments"]][-1] == "mt_1"
    data = mrcfile.read(path).astype(float)
    inner = actin.positions_zyx[(actin.positions_zyx > 1.5).all(axis=1)]
    index = np.minimum(np.round(inner).astype(int), np.array(data.shape) - 1)
    assert data[tuple(index.T)].mean() < -700  # filaments are dark


def test_a_scene_without_them_is_as_it_was(tmp_path):
    run(config(tmp_path, membranes=1, filaments=2, gold=1, seed=7), tmp_path)

    header, first, *_, last = (tmp_path / "sim_01.csv").read_text().splitlines()
    assert header == "class,x,y,z,qx,qy,qz,qw"
    assert first == "proteasome,50.870,6.523,24.629,-0.89966,-0.03840,-0.43027,0.06331"
    assert last == "globule,48.797,12.576,7.071,-0.54619,0.00140,0.62340,-0.55951"
    assert "vesicles" not in json.loads((tmp_path / "sim_01.json").read_text())


@pytest.mark.parametrize(
    ("told", "membranes", "filaments"),
    [
        ({}, 1, 2),
        ({"filament_species": {"actin": 1}}, 1, 0),
        ({"vesicle_species": {"liposome": 1}}, 0, 2),
    ],
)
def test_nothing_that_looks_like_the_truth_is_placed_without_one(
    tmp_path, told, membranes, filaments
):
    asked = {"membranes": membranes, "filaments": filaments}
    for name, counts in (("silent", dict.fromkeys(asked)), ("asked", asked)):
        run(config(tmp_path / name, species=(), **told, **counts), tmp_path / name)

    silent, asked = (
        (tmp_path / n / "sim_01.mrc").read_bytes() for n in ("silent", "asked")
    )
    assert silent[1024:] == asked[1024:]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"filament_species": {"unicorn": 1}},
            "unicorn: not built in.*mt, actin, arrowheads",
        ),
        ({"vesicle_species": {"globule": 1}}, "globule given twice"),
    ],
)
def test_a_class_that_cannot_be_is_refused(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        run(config(tmp_path, **changes), tmp_path)


def test_a_number_of_none_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="--vesicle-species liposome=0: expected 1"):
        config(tmp_path, vesicle_species={"liposome": 0})
