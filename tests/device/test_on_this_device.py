"""Learning and picking on the GPU, where there is one; without it, on the CPU.

The truth is planted, and what the GPU finds is compared with what the CPU finds. Run
alone by ``benchmarks/gpu_check.py`` on a machine with nothing but the engine's needs.
"""

import signal
import subprocess
import sys
import time

import mrcfile
import numpy as np
import pytest
import torch

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.device import choose_device, has_fast_bfloat16
from etpicker_plugin.engine.evaluation.matching import match_picks
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.training.parallel import ParallelNetwork, only_logits
from etpicker_plugin.tests.support.phantoms import (
    DIAMETERS,
    make_phantom,
    write_tomogram,
    write_truth,
)
from etpicker_plugin.tests.support.untrained import make_untrained_model

ON_GPU = torch.cuda.is_available()
DEVICE = "cuda" if ON_GPU else "cpu"
SHAPE_ZYX = (45, 91, 115)
COUNTS = {"large": 14, "small": 16}
SMALL = ("--patch-size", "32", "--batch-size", "4", "--device", DEVICE)
FLOAT32_SCORE, BFLOAT16_SCORE = 0.005, 0.03
"""How far scores of the GPU and of the CPU may lie apart, by precision: a GPU's float32
convolutions round their factors to TF32's eleven bits."""

WITH_MEMORY = """
import sys, torch
from etpicker_plugin.engine.cli import main
total = torch.cuda.get_device_properties(0).total_memory
torch.cuda.set_per_process_memory_fraction((int(sys.argv[1]) << 20) / total)
sys.exit(main(sys.argv[2:]))
"""

needs_gpu = pytest.mark.skipif(not ON_GPU, reason="there is no GPU here")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """First tomogram: large marked. Second: both there, small marked. Third: truth."""
    folder = tmp_path_factory.mktemp("scenes")
    for seed, name in enumerate(("first", "second", "third")):
        truth = make_phantom(folder / f"{name}.mrc", SHAPE_ZYX, COUNTS, seed=seed)
        if name != "third":
            wanted = "large" if name == "first" else "small"
            write_truth(folder / f"{name}.csv", [p for p in truth if p[0] == wanted])
    return folder


def learn_words(command, data, name, species, out, *more):
    words = [command, "--tomogram", str(data / f"{name}.mrc"), "--out", str(out)]
    words += ["--coordinates", str(data / f"{name}.csv")]
    words += ["--diameter", f"{species}={DIAMETERS[species]:g}", *SMALL, *more]
    return words


def learn(command, data, name, species, out, *more):
    assert main(learn_words(command, data, name, species, out, *more)) == 0
    return out / "model.safetensors"


def pick_words(model, tomogram, out, *more, device=DEVICE):
    words = ["pick", "--model", str(model), "--tomogram", str(tomogram)]
    return [*words, "--out", str(out), "--device", device, *more]


def pick(model, tomogram, out, *more, device=DEVICE):
    assert main(pick_words(model, tomogram, out, *more, device=device)) == 0
    return read_csv(out / f"{tomogram.stem}.csv", tomogram_id=tomogram.stem)


@pytest.fixture(scope="module")
def base(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("base")
    more = ("--steps", "80", "--working-voxel-size", "10")
    return learn("train", data, "first", "large", out, *more)


@pytest.fixture(scope="module")
def updated(data, base, tmp_path_factory):
    out = tmp_path_factory.mktemp("updated")
    more = ("--model", str(base), "--steps", "80")
    return learn("update", data, "second", "small", out, *more)


def f1_of(picks, data):
    """Return F1 of each class picked, on the third tomogram."""
    truth = read_csv(data / "third.csv", tomogram_id="third")
    scores = {}
    for name in dict.fromkeys(picks.class_names.tolist()):
        found, wanted = picks.of_class(name), truth.of_class(name)
        hits = match_picks(
            found.positions_zyx, wanted.positions_zyx, max_distance=DIAMETERS[name] / 20
        )
        scores[name] = 2 * len(hits.distances) / (len(found) + len(wanted))
    return scores


def assert_same_picks(ours, others, *, score):
    """Each pick has one of its class and place among the others, but for the cut-off.

    Near the threshold a hair decides, so those alone may be missing there.
    """
    assert len(ours) > 5
    for found, wanted in ((ours, others), (others, ours)):
        for name in dict.fromkeys(found.class_names.tolist()):
            of_class, there = found.of_class(name), wanted.of_class(name)
            limit = of_class.scores.min() + score
            for place, value in zip(
                of_class.positions_zyx, of_class.scores, strict=True
            ):
                if value <= limit:
                    continue
                away = np.linalg.norm(there.positions_zyx - place, axis=1)
                nearest = away.argmin()
                assert away[nearest] < 0.5
                assert abs(there.scores[nearest] - value) < score


def test_what_was_planted_is_found(data, base, tmp_path):
    picks = pick(base, data / "third.mrc", tmp_path)
    assert f1_of(picks, data)["large"] > 0.85


@needs_gpu  # the CPU has tests of its own for this
def test_an_update_learns_the_new_and_keeps_the_old(data, updated, tmp_path):
    scores = f1_of(pick(updated, data / "third.mrc", tmp_path), data)
    assert scores["large"] > 0.75
    assert scores["small"] > 0.7


@pytest.mark.parametrize(
    ("precision", "score"), [("auto", BFLOAT16_SCORE), ("float32", FLOAT32_SCORE)]
)
def test_the_picks_are_the_cpus(base, data, tmp_path, precision, score):
    more = ("--precision", precision)
    here = pick(base, data / "third.mrc", tmp_path / "here", *more)
    more = ("--precision", "float32")
    on_cpu = pick(base, data / "third.mrc", tmp_path / "cpu", *more, device="cpu")
    assert_same_picks(here, on_cpu, score=score)


@needs_gpu  # the CPU has tests of its own for this
def test_picks_do_not_depend_on_tiles(base, data, tmp_path):
    more = ("--precision", "float32")
    whole = pick(base, data / "third.mrc", tmp_path / "whole", *more)
    more = (*more, "--tile-size", "40")
    tiles = pick(base, data / "third.mrc", tmp_path / "tiles", *more)
    assert_same_picks(whole, tiles, score=FLOAT32_SCORE)


def test_probability_maps_are_the_cpus(base, data, tmp_path):
    maps = []
    for device in (DEVICE, "cpu"):
        more = ("--precision", "float32", "--probability-map")
        pick(base, data / "third.mrc", tmp_path / device, *more, device=device)
        with mrcfile.open(tmp_path / device / "third_large_probability.mrc") as mrc:
            maps.append(mrc.data.astype(np.float32))
    here, on_cpu = maps
    assert on_cpu.max() > 0.3
    np.testing.assert_allclose(here, on_cpu, atol=0.02)


@needs_gpu  # the CPU has tests of its own for this
def test_the_published_network_learns_and_picks(data, tmp_path):
    more = ("--steps", "100", "--working-voxel-size", "10")
    more += ("--network", "deepetpicker", "--annotation", "complete")
    model = learn("train", data, "first", "large", tmp_path / "model", *more)
    picks = pick(model, data / "third.mrc", tmp_path / "picks")
    assert f1_of(picks, data)["large"] > 0.8


def test_gradients_are_those_of_float32(monkeypatch):
    """Mixed precision, on this device, against float32 on the CPU."""
    image = torch.from_numpy(
        np.random.default_rng(3).normal(size=(2, 1, 32, 40, 48)).astype(np.float32)
    )
    gradients = []
    for device in ("cpu", DEVICE):
        if device == "cpu":
            monkeypatch.setattr(
                "etpicker_plugin.engine.training.parallel.mixed_precision",
                lambda device: torch.autocast(device.type, enabled=False),
            )
        else:
            monkeypatch.undo()
        network = make_network("fast", 2, seed=5).to(choose_device(device))
        network.eval()
        parallel = ParallelNetwork(network, only_logits, batch_size=2)
        (logits,) = parallel.forward(image)
        logits.square().mean().backward()
        parallel.backward()
        gradients.append(
            torch.cat([p.grad.flatten().float().cpu() for p in network.parameters()])
        )
    exact, mixed = gradients
    assert exact.norm() > 0
    assert (mixed - exact).norm() / exact.norm() < 0.05


@needs_gpu  # the CPU has tests of its own for this
def test_a_killed_training_goes_on(data, tmp_path):
    words = learn_words("train", data, "first", "large", tmp_path, "--steps", "30")
    words += ["--working-voxel-size", "10"]
    command = [sys.executable, "-m", "etpicker_plugin.engine", *words]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    state = tmp_path / "training_state.safetensors"
    deadline = time.monotonic() + 240
    while not state.exists():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()

    again = subprocess.run(command, capture_output=True, text=True, timeout=240)

    assert again.returncode == 0, again.stderr
    assert "Going on from step" in again.stderr
    assert read_card(tmp_path / "model.safetensors").training["steps"] == 30


@needs_gpu
def test_bfloat16_is_used_where_the_card_computes_it():
    capable = torch.cuda.get_device_capability() >= (8, 0)
    assert has_fast_bfloat16(torch.device("cuda")) == capable


def run_with_memory(megabytes, words):
    """Run a command that gets so much of the GPU's memory; return how it ended.

    In a process of its own: what earlier tests have taken of the memory, torch keeps.
    """
    return subprocess.run(
        [sys.executable, "-c", WITH_MEMORY, str(megabytes), *words],
        capture_output=True,
        text=True,
        timeout=240,
    )


@needs_gpu
def test_memory_that_runs_out_makes_the_tiles_smaller(tmp_path):
    """A share of the card's memory that a whole plane does not fit into."""
    model = make_untrained_model(tmp_path / "model.safetensors")
    noise = np.random.default_rng(1).normal(0, 1, (40, 700, 660)).astype(np.float32)
    tomogram = tmp_path / "wide.mrc"
    write_tomogram(tomogram, noise)
    more = ("--max-picks", "20", "--precision", "float32")
    roomy = pick(model, tomogram, tmp_path / "roomy", *more)
    words = pick_words(model, tomogram, tmp_path / "tight", *more)
    done = run_with_memory(600, words)
    assert done.returncode == 0, done.stderr
    assert "Memory ran out with tiles" in done.stderr
    tight = read_csv(tmp_path / "tight" / "wide.csv", tomogram_id="wide")
    np.testing.assert_allclose(
        np.sort(tight.scores), np.sort(roomy.scores), atol=FLOAT32_SCORE
    )


@needs_gpu
def test_a_batch_that_does_not_fit_says_what_would(data, tmp_path):
    words = learn_words("train", data, "first", "large", tmp_path, "--steps", "6")
    words[words.index("--batch-size") + 1] = "128"
    words[words.index("--patch-size") + 1] = "64"
    done = run_with_memory(1000, [*words, "--working-voxel-size", "10"])
    assert done.returncode == 5, done.stderr
    assert "try --batch-size 64" in done.stderr


@needs_gpu
def test_a_gpu_that_others_fill(data, tmp_path):
    model = make_untrained_model(tmp_path / "model.safetensors")
    done = run_with_memory(1, pick_words(model, data / "third.mrc", tmp_path / "out"))
    assert done.returncode == 5, done.stderr
    assert "Other programs" in done.stderr


def test_memory_that_runs_out_elsewhere_is_no_traceback(tmp_path, monkeypatch, caplog):
    """An array that no machine holds, where a command reads its input."""

    def ask_for_too_much(*arguments, **named):
        np.empty(1 << 60, np.uint8)

    monkeypatch.setattr(
        "etpicker_plugin.engine.picking.pick.file_sha256", ask_for_too_much
    )
    model = make_untrained_model(tmp_path / "model.safetensors")
    words = ["pick", "--model", str(model), "--tomogram", "no.mrc"]
    assert main([*words, "--out", str(tmp_path / "out"), "--device", "cpu"]) == 5
    assert "Memory ran out: Unable to allocate" in caplog.text
