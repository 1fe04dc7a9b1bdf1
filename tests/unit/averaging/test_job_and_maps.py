"""Going on after a stop; thresholds, spheres and curves, by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from etpicker_plugin.engine.averaging.job import iteration_file, latest_optimiser
from etpicker_plugin.engine.averaging.maps import (
    find_threshold,
    is_at_nyquist,
    soft_sphere,
    write_fsc,
)
from etpicker_plugin.engine.averaging.refine import finished_root
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.relion.read import PostProcess, read_postprocess
from etpicker_plugin.engine.volumes.tomogram import write_volume

POST = """
data_general

_rlnFinalResolution   40.0
_rlnBfactorUsedForSharpening 0.0

data_fsc

loop_
_rlnSpectralIndex #1
_rlnResolution #2
_rlnAngstromResolution #3
_rlnFourierShellCorrelationCorrected #4
_rlnFourierShellCorrelationUnmaskedMaps #5
_rlnFourierShellCorrelationMaskedMaps #6
_rlnCorrectedFourierShellCorrelationPhaseRandomizedMaskedMaps #7
0 0.0 999.0 1.0 1.0 1.0 1.0
1 0.0125 80.0 0.9 0.7 0.8 0.1
2 0.025 40.0 0.2 0.1 0.15 0.05
"""


STAR = b"\ndata_\n\nloop_ \n_rlnX #1 \n 1.0 \n \n"
"""A table as RELION writes it, to its empty line."""


def write_iteration(folder, name):
    for end in ("optimiser", "data", "sampling", "half1_model", "half2_model"):
        (folder / f"{name}_{end}.star").write_bytes(STAR)
    for half in (1, 2):
        write_map(folder / f"{name}_half{half}_class001.mrc")


def write_map(path):
    write_volume(path, np.ones((4, 5, 6), np.float32), 10.0)


@pytest.fixture
def iterations(tmp_path):
    folder = tmp_path / "refine"
    folder.mkdir()
    for name in ("run_it001", "run_ct1_it002", "run_ct1_it003"):
        write_iteration(folder, name)
    return folder


def test_the_last_whole_iteration(tmp_path, iterations):
    (iterations / "run_ct1_it004_optimiser.star").touch()
    (iterations / "run_ct1_optimiser.star").touch()  # final, without a number

    last = latest_optimiser(tmp_path, "refine/run")

    assert last == iterations / "run_ct1_it003_optimiser.star"
    assert iteration_file(last, "class001.mrc").name == "run_ct1_it003_class001.mrc"
    assert latest_optimiser(tmp_path, "classify/run") is None


@pytest.mark.parametrize(
    ("end", "left"),
    [
        ("sampling.star", None),  # of none at all, as before the first iteration
        ("data.star", 0),
        ("data.star", len(STAR) - 2),
        ("half2_model.star", len(STAR) // 2),
        ("optimiser.star", len(STAR) - 5),
        ("half1_class001.mrc", 1000),
        ("half2_class001.mrc", 1024 + 4 * 119),
    ],
)
def test_an_iteration_that_was_cut_short_is_not_gone_on_from(
    tmp_path, iterations, end, left
):
    path = iterations / f"run_ct1_it003_{end}"
    if left is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:left])

    last = latest_optimiser(tmp_path, "refine/run")

    assert last == iterations / "run_ct1_it002_optimiser.star"


@pytest.mark.parametrize("left", [None, 1024 + 4 * 119])
def test_2d_classes_are_gone_on_from_where_their_stack_is_whole(tmp_path, left):
    for name in ("run_it004", "run_it005"):
        for end in ("optimiser", "data", "sampling", "model"):
            (tmp_path / f"{name}_{end}.star").write_bytes(STAR)
        write_map(tmp_path / f"{name}_classes.mrcs")
    assert latest_optimiser(tmp_path, "run") == tmp_path / "run_it005_optimiser.star"

    stack = tmp_path / "run_it005_classes.mrcs"
    if left is None:
        stack.unlink()
    else:
        stack.write_bytes(stack.read_bytes()[:left])
    assert latest_optimiser(tmp_path, "run") == tmp_path / "run_it004_optimiser.star"


def test_final_maps_tell_a_converged_refinement(tmp_path):
    (tmp_path / "refine").mkdir()
    assert finished_root(tmp_path) is None

    write_map(tmp_path / "refine" / "run_it003_half2_class001.mrc")
    assert finished_root(tmp_path) is None

    final = tmp_path / "refine" / "run_ct3_half2_class001_unfil.mrc"
    write_map(final)
    assert finished_root(tmp_path) == "refine/run_ct3"
    final.write_bytes(final.read_bytes()[:-4])
    assert finished_root(tmp_path) is None


def test_threshold_parts_body_from_solvent():
    generator = np.random.default_rng(3)
    volume = generator.normal(0, 0.3, (24, 24, 24))
    volume[8:14, 10:15, 9:16] += 5
    volume[0] += 50  # outside of the sphere

    threshold, share = find_threshold(volume, radius_vox=9.0)

    steps = np.arange(24) - 12
    ball = steps[:, None, None] ** 2 + steps[:, None] ** 2 + steps**2 <= 81
    assert 1.2 < threshold < 3.8
    assert share == pytest.approx(6 * 5 * 7 / ball.sum())


def test_soft_sphere():
    sphere = soft_sphere(20, radius_vox=5.0, edge_vox=4.0)

    along = sphere[10, 10, 10:]
    np.testing.assert_allclose(along[:6], 1)
    assert along[7] == pytest.approx(0.5)
    np.testing.assert_allclose(along[9:], 0, atol=1e-7)
    assert sphere[10, 3, 10] == pytest.approx(0.5)


def test_fsc_of_postprocess_is_read_and_written(tmp_path):
    (tmp_path / "post.star").write_text(POST)

    result = read_postprocess(tmp_path / "post.star")
    write_fsc(result, tmp_path, voxel_size=15.0)

    assert result.resolution_ang == 40.0
    assert result.fsc["resolution_ang"].tolist() == [np.inf, 80.0, 40.0]
    assert result.fsc["corrected"].tolist() == [1.0, 0.9, 0.2]
    table = pd.read_csv(tmp_path / "fsc.csv")
    assert table["frequency_per_ang"].tolist() == [0.0, 0.0125, 0.025]
    assert np.isnan(table["resolution_ang"][0])
    assert table["randomised"].tolist() == [1.0, 0.1, 0.05]
    record = json.loads((tmp_path / "fsc.json").read_text())
    assert record["curve"]["resolution_ang"] == [None, 80.0, 40.0]
    assert record["at_nyquist"] is False


def test_the_voxel_size_s_limit():
    found = PostProcess(resolution_ang=40.5, fsc=pd.DataFrame())

    assert is_at_nyquist(found, voxel_size=20.0)
    assert not is_at_nyquist(found, voxel_size=15.0)


def test_another_star_file_is_no_postprocess(tmp_path):
    (tmp_path / "post.star").write_text("data_general\n\n_rlnNothing 1\n")

    with pytest.raises(InputDataError, match="no result of relion_postprocess"):
        read_postprocess(tmp_path / "post.star")
    with pytest.raises(InputDataError, match="no such file"):
        read_postprocess(tmp_path / "gone.star")
