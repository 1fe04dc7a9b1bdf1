"""A Z range: the same picks as without, in its slices, for less work."""

import json

import mrcfile
import numpy as np
import pytest
import torch

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.model.model_file import save_model
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.picking.z_range import computed_region, in_z_range
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.volumes.tomogram import read_tomogram
from etpicker_plugin.engine.volumes.working_volume import open_working_volume

SHAPE = (150, 41, 53)
LOW, HIGH = 60, 80


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Noise, and a model with random weights whose scores spread over 0 to 1."""
    folder = tmp_path_factory.mktemp("z_range")
    noise = np.random.default_rng(4).normal(size=SHAPE).astype(np.float32)
    with mrcfile.new(folder / "TS_1.mrc") as mrc:
        mrc.set_data(noise)
        mrc.set_volume()
        mrc.voxel_size = 10.0
    torch.manual_seed(5)
    network = make_network("fast", 1).train()
    volume = torch.randn(1, 1, 16, 24, 32)
    with torch.no_grad():
        for _ in range(20):
            network(volume)
        logits = network.eval()(volume)
        network.head.weight /= logits.std()
        network.head.bias -= network(volume).mean()
    card = ModelCard(
        network="fast",
        classes=(
            Species(
                name="ring", diameter_ang=120.0, label_diameter_ang=50.0, threshold=0.3
            ),
        ),
        working_voxel_size=12.0,
        annotation="complete",
        tomograms=(),
        training={},
        code_version="0",
    )
    save_model(folder / "model.safetensors", network, card)
    return folder


def pick(data, out, *more):
    code = main(
        [
            *("pick", "--model", str(data / "model.safetensors"), "--out", str(out)),
            *("--tomogram", str(data / "TS_1.mrc"), "--precision", "float32"),
            *("--min-distance", "1", "--tile-size", "64", "--threads", "1", *more),
        ]
    )
    return code, out / "TS_1.csv"


def test_the_picks_are_those_of_all_slices_that_lie_in_the_range(data, tmp_path):
    code, csv = pick(data, tmp_path / "all")
    assert code == 0
    every = read_csv(csv, tomogram_id="TS_1")
    code, csv = pick(data, tmp_path / "some", "--z-range", str(LOW), str(HIGH))
    assert code == 0
    found = read_csv(csv, tomogram_id="TS_1")

    z = every.positions_zyx[:, 0]
    wanted = every.select((z >= LOW - 0.5) & (z < HIGH + 0.5))
    assert 12 < len(wanted) < len(every) / 5
    assert len(found) == len(wanted)
    np.testing.assert_allclose(
        np.sort(found.positions_zyx, axis=0),
        np.sort(wanted.positions_zyx, axis=0),
        atol=0.01,
    )
    np.testing.assert_allclose(np.sort(found.scores), np.sort(wanted.scores), atol=1e-4)
    # All are 125 working voxels; the range, with its margins, is 40 to 78.
    assert [tiles_of(tmp_path / name) for name in ("all", "some")] == [2, 1]


def tiles_of(out):
    """Return how many tiles were computed, from the progress file."""
    lines = (out / "records/progress.jsonl").read_text().splitlines()
    return max(json.loads(line)["done"] for line in lines)


def test_other_picks_in_the_folder_are_not_taken_for_these(data, tmp_path, caplog):
    assert pick(data, tmp_path, "--z-range", "60", "71")[0] == 0
    assert pick(data, tmp_path, "--z-range", "60", "72")[0] == 2
    assert "never overwritten" in caplog.text


def test_slices_that_the_tomogram_does_not_have_are_refused(data, tmp_path, caplog):
    code, csv = pick(data, tmp_path, "--z-range", "150", "180")

    assert code == 3
    assert (
        "it has the slices 0 to 149, and --z-range asks for 150 to 180" in caplog.text
    )
    assert not csv.exists()


def test_ends_count_and_reach_half_a_voxel():
    positions = np.zeros((6, 3))
    positions[:, 0] = [59.4, 59.5, 60, 71, 71.49, 71.5]

    assert in_z_range(positions, (60, 71)).tolist() == [False, *[True] * 4, False]
    assert in_z_range(positions, (60, 60)).tolist() == [
        False,
        *[True] * 2,
        *[False] * 3,
    ]
    assert in_z_range(positions, ()).all()


def test_the_computed_slab_holds_the_range_and_its_margin(data):
    tomogram = read_tomogram(data / "TS_1.mrc")
    volume = open_working_volume(tomogram, 20.0)  # every second voxel: 75, 21, 27
    assert volume.shape_zyx == (75, 21, 27)

    def region(*z_range):
        return computed_region(volume, z_range, margin_ang=120.0, alignment=8)

    # 60 - 12 = 48 is working voxel 24, on the grid; 71 + 12 = 83 is 41.5: 42 is kept.
    assert region(60, 71) == ((24, 0, 0), (43, 21, 27))
    assert region(57, 71) == ((16, 0, 0), (43, 21, 27))
    assert region(3, 149) == ((0, 0, 0), (75, 21, 27))
    assert region(0, 1e6) == region() == ((0, 0, 0), (75, 21, 27))
    with pytest.raises(InputDataError, match="slices 0 to 149"):
        region(149.5, 160)
